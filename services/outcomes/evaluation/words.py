"""The words that frames and reports use. Each tuple is in the order in which reports list it."""

from __future__ import annotations

from typing import Literal, get_args

Door = Literal["ARREST_DIVERSION", "SOCIAL_CONTACT", "COMMUNITY"]
Arm = Literal["LEAD", "COMPARISON", "CONTROL"]
Kind = Literal[
    "ARREST", "CITATION", "DIVERTED_CONTACT", "BOOKING", "RELEASE", "CHARGE_FILED", "DISPOSITION",
    "PRISON_IN", "PRISON_OUT", "DEATH",
]  # fmt: skip
# The only basis of an arrest; NONE is probable cause.
Warrant = Literal["NONE", "NEW_OFFENCE", "PRIOR_OFFENCE", "FTA", "SUPERVISION"]
Level = Literal["F", "GM", "M"]

# Whether a count is exact or, where offence dates are unknown, the least or the most it can be. TECHNICAL stands apart:
# warrants for not appearing or for supervision, issued after t0.
Bound = Literal["EXACT", "LOWER", "UPPER", "TECHNICAL"]

DOORS: tuple[Door, ...] = get_args(Door)
ARMS: tuple[Arm, ...] = get_args(Arm)
KINDS: tuple[Kind, ...] = get_args(Kind)
WARRANTS: tuple[Warrant, ...] = get_args(Warrant)
LEVELS: tuple[Level, ...] = get_args(Level)
