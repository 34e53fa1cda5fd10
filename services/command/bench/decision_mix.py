"""The questions that `decision` asks on both sides: who, about which record, which category, in which circumstances."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gateway.redact import Key
from services.consent.policy.compile import Policy
from services.consent.policy.engine import Question
from services.consent.policy.facts import WIDENING, Fact
from services.shared.sharing.assertion import Caller
from services.shared.sharing.need import BITS
from services.shared.sharing.purposes import default, matrix_role

# Role and kind of agency of those who ask.
_CALLERS = (
    ("police_officer", "police"),
    ("prosecutor", "prosecutor"),
    ("defender", "defender"),
    ("case_manager", "case_management"),
    ("provider_staff", "housing"),
    ("program_manager", "program_office"),
)
# Sources that add nothing to a need set, so that one question to Cedar says the same.
_SOURCES = ("police", "prosecutor")
_ROW = "REFERRAL"
_CATEGORIES = (_ROW, "IDENTITY", "CONTACT_LOCATION", "CHARGE", "DECISION", "OFFICER_NARRATIVE", "PROGRAM_STATUS")
# Without any fact; with every fact; with every fact and a release.
_CIRCUMSTANCES: tuple[tuple[frozenset[Fact], bool], ...] = ((frozenset(), False), (WIDENING, False), (WIDENING, True))
_RECORDS = 48
_EVERYTHING = sum(BITS.values())


@dataclass(frozen=True, slots=True)
class Case:
    """One decision to take: may this caller see this category of this record?"""

    caller: Caller
    key: Key
    source_kind: str
    row: int
    category: int
    question: Question


def cases() -> list[Case]:
    """Return every caller with every record and category, as a page of answers would bring them."""
    return [
        case for role, kind in _CALLERS for number in range(_RECORDS) for case in _about(_caller(role, kind), number)
    ]


def visible(policy: Policy, question: Question) -> int:
    """Return the mask that consent would answer to a caller in these circumstances."""
    about = (question.role, question.purpose, question.source_kind, question.own_source, question.facts)
    return policy.masks(*about).visible(_EVERYTHING if question.consent else 0)


def _about(caller: Caller, number: int) -> Iterator[Case]:
    source = _SOURCES[number % len(_SOURCES)]
    facts, consent = _CIRCUMSTANCES[number % len(_CIRCUMSTANCES)]
    key = (f"sub_{number:04}", f"sample-{source}", f"ref_{number:04}")
    role, own = matrix_role(caller.role, caller.agency_kind), caller.agency_kind == source
    for word in _CATEGORIES:
        question = Question(role, word, caller.purpose, source, own, facts, consent)
        yield Case(caller, key, source, _number(_ROW), _number(word), question)


def _caller(role: str, kind: str) -> Caller:
    return Caller("acc_sample", f"sample-{kind}", kind, role, default(role, kind), ("seattle",))


def _number(word: str) -> int:
    return BITS[word].bit_length() - 1
