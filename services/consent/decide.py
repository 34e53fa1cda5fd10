"""The one decision: may this caller see these categories of this record, for this purpose, now? No IO.

Everything that shares asks here; nothing else holds a rule about sharing. The rules are the policy's (Cedar); this
module finds out which facts are true and which releases serve, and says on what each visible category rests.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from services.consent.derive import Basis, Granted, Ground, derive
from services.consent.domain import Consent, named
from services.consent.held import Held
from services.consent.policy.compile import Policy
from services.consent.policy.facts import Fact
from services.consent.registry import Agency, Agreement, Registry
from services.shared.sharing.purposes import is_allowed

LONGEST = timedelta(seconds=60)
"""No decision is used longer than this (architecture section 5, EV-04)."""

LINKER = "linker"
"""The matrix role of casework's matching, which acts for no agency (matrix row 41)."""


@dataclass(frozen=True)
class Asker:
    """Who asks, as the gateway authenticated him. `matrix_role` is the matrix's word; a participant has no agency."""

    matrix_role: str
    agency_id: str
    purpose: str
    site_ids: frozenset[str] = frozenset()
    participant_id: str = ""


@dataclass(frozen=True)
class Record:
    """What is asked about. An empty record id stands for any record of the subject."""

    subject_id: str
    source_agency_id: str
    record_id: str


@dataclass(frozen=True)
class Ruling:
    """Why some categories are visible: a row of the matrix and, where the rule is one, the consent or the approval."""

    categories: int
    row: int
    rule: str
    law: str
    consent: Consent | None = None
    approval_id: str = ""

    def ground(self) -> Ground:
        """Return it with the release named, as it is written down."""
        named_one = ("", 0) if self.consent is None else (self.consent.consent_id, self.consent.version)
        return Ground(self.categories, self.row, self.rule, self.law, *named_one, self.approval_id)


@dataclass(frozen=True)
class Decision:
    """`visible` is a mask over categories; 0 is a denial. `until` bounds its use, `basis` is all it follows from."""

    visible: int
    rulings: tuple[Ruling, ...]
    until: datetime
    source: Agency
    basis: Basis


def decide(policy: Policy, registry: Registry, asker: Asker, record: Record, held: Held, now: datetime) -> Decision:
    """Return what the asker may see of the record, and why.

    Denies on an unknown agency, a purpose that is not the role's, or a lapsed agreement (CJ-11, P2-30). Consents are
    checked again here, whatever was checked when they were taken (P2-22).
    """
    agency, source = registry.agency(asker.agency_id), registry.agency(record.source_agency_id)
    barred, agreed = _barred(registry, asker, agency, source, now)
    source, agency = source or _UNKNOWN, agency or _UNKNOWN
    if barred:
        basis = _basis(asker, agency, source, facts(asker, record, held, now), barred=barred)
        return Decision(0, (), now + LONGEST, source if barred == "NO_AGREEMENT" else _UNKNOWN, basis)
    approval = registry.approval(asker.agency_id, source, now)
    basis = _basis(
        asker,
        agency,
        source,
        facts(asker, record, held, now),
        approval_id="" if approval is None else approval.agreement_id,
        granted=tuple(_granted(asker, agency, source, held, now)),
    )
    rulings = tuple(_rulings(derive(policy, basis), held))
    ends = (now + LONGEST, agreed, *_ends(rulings, approval, asker, record, held, now))
    until = min(end for end in ends if isinstance(end, datetime))
    return Decision(_visible(rulings), rulings, until, source, basis)


_UNKNOWN = Agency("", "", "unknown")


def _basis(asker: Asker, agency: Agency, source: Agency, known: frozenset[Fact], **more: Any) -> Basis:
    return Basis(
        role=asker.matrix_role,
        purpose=asker.purpose,
        source_kind=source.kind,
        source_part2=source.part2,
        own_source=_is_own(asker, source),
        facts=known,
        agency_kind=agency.kind,
        **more,
    )


def _rulings(grounds: Iterable[Ground], held: Held) -> Iterator[Ruling]:
    consents = {one.consent_id: one for one in held.consents}
    for one in grounds:
        yield Ruling(one.categories, one.row, one.rule, one.law, consents.get(one.consent_id), one.approval_id)


def _visible(rulings: Iterable[Ruling]) -> int:
    return sum(ruling.categories for ruling in rulings)


def _barred(
    registry: Registry, asker: Asker, agency: Agency | None, source: Agency | None, now: datetime
) -> tuple[str, datetime | bool | None]:
    """Return what ends the matter before the policy is asked, if anything; and until when the papers hold."""
    if source is None or agency is None:
        return "NO_SUCH_AGENCY", None
    if not is_allowed(asker.matrix_role, asker.purpose):
        return "PURPOSE", None
    agreed = _agreed(registry, asker, source, now)
    return ("NO_AGREEMENT" if agreed is False else ""), agreed


def facts(asker: Asker, record: Record, held: Held, now: datetime) -> frozenset[Fact]:
    """Return which conditions of the matrix are true for this asker and record."""
    return frozenset(fact for fact, is_true in _conditions(asker, record, held, now) if is_true)


def _conditions(asker: Asker, record: Record, held: Held, now: datetime) -> Iterator[tuple[Fact, bool]]:
    def stated(fact: str) -> bool:
        return any(found.agency_id == asker.agency_id for found in held.true(fact, record.record_id, now))

    release = _release(held, record.record_id)
    yield Fact.OWN_SITE, any(fact.site_id in asker.site_ids for fact in held.true("SITE", record.record_id, now))
    yield Fact.ROUTED, stated("ROUTED")
    yield Fact.OWN_INCIDENT, stated("INCIDENT")
    yield Fact.DISPATCHED, stated("DISPATCHED")
    yield Fact.ADDRESSED, stated("ADDRESSED")
    yield Fact.COMMUNITY, any(held.true("COMMUNITY", record.record_id, now))
    yield Fact.REPRESENTED, named(held.consents, asker.agency_id, now)
    yield Fact.SAFETY, held.is_unsafe(now)
    yield Fact.SELF, asker.participant_id != "" and asker.participant_id == held.participant_id
    yield Fact.TAKING_AGENCY, release is not None and release.taken_by_agency_id == asker.agency_id != ""
    yield Fact.NAMED_RECIPIENT, release is not None and asker.agency_id in release.draft.recipient_agency_ids


def _release(held: Held, record_id: str) -> Consent | None:
    return next((consent for consent in held.consents if consent.consent_id == record_id), None)


def _is_own(asker: Asker, source: Agency) -> bool:
    return asker.agency_id != "" and asker.agency_id == source.agency_id


def _agreed(registry: Registry, asker: Asker, source: Agency, now: datetime) -> datetime | bool | None:
    if asker.matrix_role == LINKER:
        return registry.serves(source, now)
    # Own records, facts of the exchange and a person's own records need no paper between two agencies.
    if _is_own(asker, source) or not source.agency_id or not asker.agency_id:
        return None
    return registry.agree(asker.agency_id, source.agency_id, now)


def _granted(asker: Asker, agency: Agency, source: Agency, held: Held, now: datetime) -> Iterator[Granted]:
    for one in held.consents:
        if one.covers(now) and one.serves(asker.agency_id, agency.kind, source.agency_id, asker.purpose):
            yield Granted(one.consent_id, one.version, one.granted(asker.agency_id))


def _ends(
    rulings: tuple[Ruling, ...],
    approval: Agreement | None,
    asker: Asker,
    record: Record,
    held: Held,
    now: datetime,
) -> Iterator[datetime | None]:
    for ruling in rulings:
        if ruling.consent is not None:
            yield ruling.consent.draft.expires_at
        if ruling.approval_id and approval is not None:
            yield approval.until_at
    of_record = (one for one in held.facts if record.record_id in ("", one.record_id))
    for stated in (*of_record, *held.participant_facts):
        if stated.agency_id in ("", asker.agency_id) or stated.fact == "SAFETY":
            yield stated.turns(now)
