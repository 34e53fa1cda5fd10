"""Which area may open what, for whom (architecture section 6, Custody). Numbers are rows of the matrix.

An area opens a section only in the name of an agency that might read it anyway: the decision is the same one. Two act
in no agency's name: casework, which matches persons for the operator, and the gateway, which opens no section at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum

from services.shared.sharing.purposes import MATRIX_ROLES, NO_ROLE


class By(Enum):
    """How the agencies are found that a duty may act for; the decision still says for which of them it opens."""

    NAMED = "those that a fact or a release about the subject names, and the programme offices of its sites"
    KIND = "every agency of the kind: what opens for them is no matter of facts about the subject"
    NOBODY = "none: the area acts in its own name"


@dataclass(frozen=True)
class Duty:
    """An area acts for agencies of one kind, in one matrix role, for one purpose, on these rows."""

    matrix_role: str
    agency_kind: str
    purpose: str
    rows: frozenset[int]
    topics: frozenset[str]
    reason: str
    by: By = By.NAMED


_CARE = frozenset({"sud_treatment", "mental_health", "health_care", "ems", "housing", "job_training"})
_TREATS = frozenset({"sud_treatment", "mental_health", "health_care", "ems"})


def _provider() -> Iterator[Duty]:
    roles = {kind: matrix for (_, kind), matrix in MATRIX_ROLES.items() if matrix != NO_ROLE}
    for kind in sorted(_CARE):
        purposes = ["CAREMGT"]
        purposes += ["TREAT"] if kind in _TREATS else []
        purposes += ["HOUSING_PLACE"] if kind == "housing" else []
        for purpose in purposes:
            yield Duty(
                roles[kind],
                kind,
                purpose,
                frozenset({11, 19}),
                frozenset({"casework"}),
                "the addressed provider learns who is coming and what for",
            )


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
        Duty(
            "linker",
            "",
            "HOPERAT",
            frozenset({41}),
            frozenset({"referral", "outcomes"}),
            "matching under the operator's service agreement: a match task or a link, never an answer",
            By.NOBODY,
        ),
    ),
    "provider": tuple(_provider()),
    "outcomes": (
        Duty(
            "evaluator",
            "evaluator",
            "HRESCH",
            frozenset({36}),
            frozenset({"referral", "casework", "outcomes"}),
            "an approved evaluator counts on pseudonymous rows",
            By.KIND,
        ),
    ),
}
"""Case managers read charges and decisions on /v1/referrals: casework opens neither."""

ROUTING_ONLY = frozenset({"gateway"})
"""Areas that open the routing section of every event, and no other: the feed points at records, and holds none."""


def topics(area: str) -> frozenset[str]:
    """Return the topics whose sections an area may ever open; none for an area without custody."""
    return frozenset().union(*(duty.topics for duty in CUSTODY.get(area, ())))
