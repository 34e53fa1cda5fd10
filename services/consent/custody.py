"""Which area may open what, for whom (architecture section 6, Custody). Numbers are rows of the matrix.

An area opens a section only in the name of an agency that might read it anyway: the decision is the same one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Duty:
    """An area acts for agencies of one kind, in one matrix role, for one purpose, on these rows."""

    matrix_role: str
    agency_kind: str
    purpose: str
    rows: frozenset[int]
    topics: frozenset[str]
    reason: str


CUSTODY: Mapping[str, tuple[Duty, ...]] = {
    "review": (
        Duty(
            "prosecutor",
            "prosecutor",
            "DIVERSION_COORD",
            frozenset({4, 15, 20, 40}),
            frozenset({"referral", "casework"}),
            "the routed office reviews charges and learns of a confirmed intake",
        ),
    ),
    "referral": (
        Duty(
            "police",
            "police",
            "DIVERSION_COORD",
            frozenset({5, 15, 20}),
            frozenset({"review", "casework"}),
            "the police agency learns the outcome of its own incident, and of a confirmed intake",
        ),
        Duty(
            "pm",
            "program_office",
            "DIVERSION_COORD",
            frozenset({7, 15, 20}),
            frozenset({"review", "casework"}),
            "the site's programme office follows its referrals",
        ),
        Duty(
            "defender",
            "defender",
            "DIVERSION_COORD",
            frozenset({15, 20}),
            frozenset({"review", "casework"}),
            "a defender named in a release follows the referral",
        ),
    ),
    "casework": (
        Duty(
            "lead_cm",
            "case_management",
            "HANDOFF",
            frozenset({9}),
            frozenset({"referral"}),
            "the dispatched agency comes to the person",
        ),
    ),
}
"""Case managers read charges and decisions on /v1/referrals: casework opens neither."""


def topics(area: str) -> frozenset[str]:
    """Return the topics whose sections an area may ever open; none for an area without custody."""
    return frozenset().union(*(duty.topics for duty in CUSTODY.get(area, ())))
