"""Made-up agencies, releases and what is held about one person, with valid defaults."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from services.consent.decide import Asker, Decision, Record, decide
from services.consent.domain import Consent, Draft, Revocation, Signature, Statements
from services.consent.elements import Setting
from services.consent.held import Held, ScopeFact
from services.consent.registry import PARTICIPATION, QSOA, RESEARCH_APPROVAL, Agency, Agreement, Registry
from services.shared.sharing.need import words
from services.shared.sharing.purposes import MATRIX_ROLES, NO_ROLE
from tests.support.clock import NOON
from tests.unit.consent.policy_asking import the_policy

SUBJECT, OTHER_SUBJECT = "sub_0198c1e2-0000-7000-8000-000000000001", "sub_0198c1e2-0000-7000-8000-000000000002"
PARTICIPANT = "par_0198c1e2-0000-7000-8000-000000000003"
REFERRAL, HANDOFF = "ref_0198c1e2-0000-7000-8000-000000000004", "hof_0198c1e2-0000-7000-8000-000000000005"
DAY = timedelta(days=1)

AGENCIES: dict[str, Agency] = {
    one.agency_id: one
    for one in (
        Agency("police", "Sample Police", "police", "NO", oris=("WASAMPLE1",), site_ids=("north",)),
        Agency("sheriff", "Sample Sheriff", "police", "NO", site_ids=("north",)),
        Agency("prosecutor", "Sample Prosecutor", "prosecutor", "NO", site_ids=("north",)),
        Agency("other-prosecutor", "Other Prosecutor", "prosecutor", "NO", site_ids=("north",)),
        Agency("defender", "Sample Defender", "defender", "NO", site_ids=("north",)),
        Agency("outreach", "Sample Outreach", "case_management", "NO", site_ids=("north",)),
        Agency("recovery", "Sample Recovery Outreach", "case_management", "YES", site_ids=("north",)),
        Agency("unasked", "Sample Unasked Outreach", "case_management", site_ids=("north",)),
        Agency("treatment", "Sample Treatment", "sud_treatment", "YES", "COVERED_ENTITY", site_ids=("north",)),
        Agency("clinic", "Sample Clinic", "health_care", "NO", "COVERED_ENTITY", site_ids=("north",)),
        Agency("counselling", "Sample Counselling", "mental_health", "NO", "COVERED_ENTITY", site_ids=("north",)),
        Agency("ambulance", "Sample Ambulance", "ems", "NO", "COVERED_ENTITY", site_ids=("north",)),
        Agency("housing", "Sample Housing", "housing", "NO", site_ids=("north",)),
        Agency("trainer", "Sample Job Training", "job_training", "NO", site_ids=("north",)),
        Agency("office", "Sample Office", "program_office", "NO", site_ids=("north",)),
        Agency("evaluator", "Sample Evaluator", "evaluator", "NO", site_ids=("north",)),
        Agency("auditor", "Sample Auditor", "auditor", "NO", site_ids=("north",)),
        Agency("operator", "Sample Operator", "operator", "NO", site_ids=("north",)),
    )
}
OUTSIDER = Agency("outsider", "Agency without agreement", "case_management", "NO", site_ids=("south",))
JAIL = Agency("jail", "Sample Jail", "jail", "NO", site_ids=("north",))
"""Feeds justice events, and has no role of its own."""
CATEGORIES = (
    "IDENTITY",
    "CONTACT_LOCATION",
    "REFERRAL",
    "OFFICER_NARRATIVE",
    "CHARGE",
    "DECISION",
    "ELIGIBILITY",
    "PROGRAM_STATUS",
    "NEEDS",
    "CASE_NOTES",
    "SUD_PRESENCE",
    "SUD_TREATMENT",
    "MENTAL_HEALTH",
    "PHYSICAL_HEALTH",
    "HOUSING",
    "EMPLOYMENT",
)
"""What the full release names."""
IMPERSONAL = frozenset({"DEIDENTIFIED", "FUNDING", "DIRECTORY", "STAFF", "SYSTEM"})


def a_registry(*agreements: Agreement) -> Registry:
    """The agencies, bound to each other by one open-ended agreement unless others are given."""
    bound = agreements or (an_agreement(),)
    return Registry({**AGENCIES, JAIL.agency_id: JAIL, OUTSIDER.agency_id: OUTSIDER}, {}, bound)


def an_agreement(*agency_ids: str, **changes: Any) -> Agreement:
    bound = frozenset(agency_ids or (*AGENCIES, JAIL.agency_id))
    return replace(Agreement("agr-1", PARTICIPATION, bound, NOON - 100 * DAY), **changes)


def an_approval(**changes: Any) -> Agreement:
    """An approval of the evaluator's research (42 CFR 2.52), for all of its sites."""
    approval = Agreement("agr-research", RESEARCH_APPROVAL, frozenset({"evaluator"}), NOON - 10 * DAY)
    return replace(approval, **changes)


def a_qsoa(*agency_ids: str, **changes: Any) -> Agreement:
    """The operator's service agreement with these Part 2 programs (42 CFR 2.11)."""
    return replace(Agreement("agr-qsoa", QSOA, frozenset({"operator", *agency_ids}), NOON - 10 * DAY), **changes)


def a_draft(**changes: Any) -> Draft:
    """A named release from the outreach agency to the prosecutor, with every element."""
    complete = Draft(
        type="NAMED",
        source_agency_ids=("outreach",),
        recipient_agency_ids=("prosecutor",),
        categories=CATEGORIES,
        purposes=("DIVERSION_COORD",),
        signed_at=NOON - DAY,
        expires_at=NOON + 30 * DAY,
        statements=Statements(redisclosure=True, revocation=True, refusal=True),
        signature=Signature("Testa Sample", "SELF"),
    )
    return replace(complete, **changes)


def a_setting(**changes: Any) -> Setting:
    return replace(Setting(a_registry(), NOON), **changes)


def a_consent(consent_id: str = "con_1", revocations: Iterable[Revocation] = (), **draft: Any) -> Consent:
    """A taken release; further words change its draft."""
    taken = Consent(consent_id, PARTICIPANT, a_draft(**draft), "outreach", "2024")
    for one in revocations:
        taken = taken.revoked(one)
    return taken


def a_revocation(recipients: Sequence[str] = (), categories: Sequence[str] = (), at: datetime = NOON) -> Revocation:
    return Revocation(at, tuple(recipients), tuple(categories))


def a_fact(fact: str, agency_id: str = "", record_id: str = REFERRAL, **changes: Any) -> ScopeFact:
    return replace(ScopeFact(fact, SUBJECT, record_id, agency_id), **changes)


def about(*consents: Consent, facts: Iterable[ScopeFact] = (), safety: Iterable[ScopeFact] = ()) -> Held:
    """What consent holds about a subject that is linked to the participant."""
    return Held(SUBJECT, PARTICIPANT, tuple(facts), tuple(safety), consents)


def an_asker(agency_id: str, purpose: str, matrix_role: str = "", **changes: Any) -> Asker:
    """Somebody of this agency, in the role that its kind has."""
    agency = {**AGENCIES, "outsider": OUTSIDER}.get(agency_id)
    sites = frozenset(agency.site_ids) if agency else frozenset[str]()
    role = matrix_role or (role_of(agency.kind) if agency else "")
    return replace(Asker(role, agency_id, purpose, sites), **changes)


def the_person(participant_id: str = PARTICIPANT) -> Asker:
    return Asker("participant", "", "PATRQT", participant_id=participant_id)


def role_of(kind: str) -> str:
    return next(matrix for (_, known), matrix in MATRIX_ROLES.items() if known == kind and matrix != NO_ROLE)


def decided(
    asker: Asker,
    held: Held,
    source: str = "outreach",
    record_id: str = REFERRAL,
    *,
    registry: Registry | None = None,
    now: datetime = NOON,
) -> Decision:
    record = Record(held.subject_id, source, record_id)
    return decide(the_policy(), registry or a_registry(), asker, record, held, now)


def seen(
    asker: Asker,
    held: Held,
    source: str = "outreach",
    record_id: str = REFERRAL,
    *,
    registry: Registry | None = None,
    now: datetime = NOON,
) -> set[str]:
    """The category words about the person that the decision shows."""
    return set(words(decided(asker, held, source, record_id, registry=registry, now=now).visible)) - IMPERSONAL
