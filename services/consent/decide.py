"""The one decision: may this caller see these categories of this record, for this purpose, now? No IO.

Everything that shares asks here; nothing else holds a rule about sharing. The rules are the policy's (Cedar); this
module finds out which facts are true and which releases serve, and says on what each visible category rests.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.consent.domain import Consent, named
from services.consent.held import Held
from services.consent.policy.compile import Masks, Policy
from services.consent.policy.facts import Fact
from services.consent.registry import Agency, Registry
from services.shared.sharing.need import BITS, words
from services.shared.sharing.purposes import is_allowed

LONGEST = timedelta(seconds=60)
"""No decision is used longer than this (architecture section 5, EV-04)."""


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
    """Why some categories are visible: a row of the matrix and, where the rule is one, the consent."""

    categories: int
    row: int
    rule: str
    law: str
    consent: Consent | None = None


@dataclass(frozen=True)
class Decision:
    """`visible` is a mask over categories; 0 is a denial. `until` bounds its use."""

    visible: int
    rulings: tuple[Ruling, ...]
    until: datetime
    source: Agency


def decide(policy: Policy, registry: Registry, asker: Asker, record: Record, held: Held, now: datetime) -> Decision:
    """Return what the asker may see of the record, and why.

    Denies on an unknown agency, a purpose that is not the role's, or a lapsed agreement (CJ-11, P2-30). Consents are
    checked again here, whatever was checked when they were taken (P2-22).
    """
    source, agency = registry.agency(record.source_agency_id), registry.agency(asker.agency_id)
    limit = now + LONGEST
    if source is None or agency is None or not is_allowed(asker.matrix_role, asker.purpose):
        return Decision(0, (), limit, Agency("", "", "unknown"))
    agreed = _agreed(registry, asker, source, now)
    if agreed is False:
        return Decision(0, (), limit, source)
    masks = policy.masks(
        asker.matrix_role,
        asker.purpose,
        source.kind,
        _is_own(asker, source),
        facts(asker, record, held, now),
    )
    rulings = (*_allowed(masks), *_consented(masks, asker, agency, source, held, now))
    ends = [end for end in (limit, agreed, *_ends(rulings, asker, record, held, now)) if isinstance(end, datetime)]
    return Decision(_visible(rulings), rulings, min(ends), source)


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
    # Own records, facts of the exchange and a person's own records need no paper between two agencies.
    if _is_own(asker, source) or not source.agency_id or not asker.agency_id:
        return None
    return registry.agree(asker.agency_id, source.agency_id, now)


def _allowed(masks: Masks) -> Iterator[Ruling]:
    yield from _by_row(masks, masks.allow, None)


def _consented(
    masks: Masks, asker: Asker, agency: Agency, source: Agency, held: Held, now: datetime
) -> Iterator[Ruling]:
    wanted = masks.consent & ~masks.allow
    for consent in held.consents:
        if not wanted:
            return
        if not consent.covers(now) or not consent.serves(asker.agency_id, agency.kind, source.agency_id, asker.purpose):
            continue
        granted = wanted & consent.granted(asker.agency_id)
        yield from _by_row(masks, granted, consent)
        wanted &= ~granted


def _by_row(masks: Masks, categories: int, consent: Consent | None) -> Iterator[Ruling]:
    rows: dict[tuple[int, str, str], int] = {}
    for word in words(categories):
        ruling = masks.rule[word]
        key = (ruling.row, ruling.rule, ruling.law)
        rows[key] = rows.get(key, 0) | BITS[word]
    for (row, rule, law), bits in sorted(rows.items()):
        yield Ruling(bits, row, rule, law, consent)


def _visible(rulings: tuple[Ruling, ...]) -> int:
    visible = 0
    for ruling in rulings:
        visible |= ruling.categories
    return visible


def _ends(
    rulings: tuple[Ruling, ...], asker: Asker, record: Record, held: Held, now: datetime
) -> Iterator[datetime | None]:
    for ruling in rulings:
        if ruling.consent is not None:
            yield ruling.consent.draft.expires_at
    of_record = (one for one in held.facts if record.record_id in ("", one.record_id))
    for stated in (*of_record, *held.participant_facts):
        if stated.agency_id in ("", asker.agency_id) or stated.fact == "SAFETY":
            yield stated.turns(now)
