"""Releases, registry and decisions between the wire and the domain, both directions side by side."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp
from lead.consent.v1 import consent_internal_service_pb2 as internal
from lead.consent.v1 import consent_pb2 as wire
from lead.options.v1 import options_pb2, words_pb2

from services.consent.decide import Asker, Decision, Record, Ruling
from services.consent.domain import Consent, Draft, Intermediary, Revocation, Signature, Statements
from services.consent.held import ScopeFact
from services.consent.registry import Account, Agency, Agreement

_KINDS = {name.removeprefix("AGENCY_KIND_").lower(): number for name, number in words_pb2.AgencyKind.items() if number}


def time_to_wire(moment: datetime) -> Timestamp:
    """Return a timestamp."""
    stamp = Timestamp()
    stamp.FromDatetime(moment)
    return stamp


def time_from_wire(stamp: Timestamp) -> datetime:
    """Return an aware UTC time."""
    return stamp.ToDatetime(tzinfo=UTC)


def category_words(numbers: Iterable[int]) -> tuple[str, ...]:
    """Return category words; a number without a word becomes one that nothing grants."""
    return tuple(_word(words_pb2.Category, "CATEGORY_", number) for number in numbers)


def purpose_words(numbers: Iterable[int]) -> tuple[str, ...]:
    """Return purpose words."""
    return tuple(_word(words_pb2.Purpose, "PURPOSE_", number) for number in numbers)


def _word(enum: Any, prefix: str, number: int) -> str:
    return str(enum.Name(number)).removeprefix(prefix) if number in enum.values() else "UNKNOWN"


def _numbers(enum: Any, prefix: str, words: Iterable[str]) -> list[Any]:
    return [enum.Value(prefix + word) for word in words]


def draft_from_wire(message: wire.ConsentDraft) -> Draft:
    """Return the draft as it was written down, wrong or not: the elements judge it."""
    middle, said, signed = message.intermediary, message.statements, message.signature
    return Draft(
        type="" if not message.type else _word(wire.ConsentType, "CONSENT_TYPE_", message.type),
        source_agency_ids=tuple(message.source_agency_ids),
        recipient_agency_ids=tuple(message.recipient_agency_ids),
        intermediary=Intermediary(middle.agency_id, tuple(middle.member_agency_ids), middle.treating_providers),
        categories=category_words(message.categories),
        purposes=purpose_words(message.purposes),
        signed_at=time_from_wire(message.signed_time) if message.HasField("signed_time") else None,
        expires_at=time_from_wire(message.expire_time) if message.HasField("expire_time") else None,
        expire_event=message.expire_event,
        statements=Statements(said.redisclosure, said.revocation, said.refusal),
        signature=Signature(signed.signer_name, signed.relation, signed.authority),
    )


def consent_to_wire(consent: Consent, subject_id: str, now: datetime, reader: str = "") -> wire.Consent:
    """Return the record, whole, or as its `reader` may know it: an agency that learns of no recipient but itself.

    Matrix row 31: scope only, other recipients hidden.
    """
    draft = consent.draft
    recipients = _known(draft.recipient_agency_ids, reader)
    message = wire.Consent(
        reference=options_pb2.Reference(
            subject_id=subject_id, source_agency_id=consent.taken_by_agency_id, record_id=consent.consent_id
        ),
        id=consent.consent_id,
        participant_id=consent.participant_id,
        type=wire.ConsentType.Value("CONSENT_TYPE_" + draft.type),
        source_agency_ids=draft.source_agency_ids,
        recipient_agency_ids=recipients,
        categories=_numbers(words_pb2.Category, "CATEGORY_", draft.categories),
        purposes=_numbers(words_pb2.Purpose, "PURPOSE_", draft.purposes),
        statements=wire.Statements(
            redisclosure=draft.statements.redisclosure,
            revocation=draft.statements.revocation,
            refusal=draft.statements.refusal,
        ),
        signature=wire.Signature(
            signer_name=draft.signature.signer_name,
            relation=draft.signature.relation,
            authority=draft.signature.authority,
        ),
        rule_version=consent.rule_version,
        state=wire.ConsentState.Value("CONSENT_STATE_" + consent.state(now, recipients)),
        version=consent.version,
        # Of others' revocations a recipient learns nothing, not even that they were.
        revocations=[_revocation(one, reader) for one in consent.revocations if not reader or one.takes(reader)],
        taken_by_agency_id=consent.taken_by_agency_id,
    )
    _add_period(message, draft)
    _add_intermediary(message, draft.intermediary, reader)
    return message


def _known(agency_ids: tuple[str, ...], reader: str) -> tuple[str, ...]:
    return tuple(one for one in agency_ids if one == reader) if reader else agency_ids


def _add_period(message: wire.Consent, draft: Draft) -> None:
    if draft.signed_at is not None:
        message.signed_time.CopyFrom(time_to_wire(draft.signed_at))
    if draft.expires_at is not None:
        message.expire_time.CopyFrom(time_to_wire(draft.expires_at))
    if draft.expire_event:
        message.expire_event = draft.expire_event


def _add_intermediary(message: wire.Consent, middle: Intermediary, reader: str) -> None:
    if middle.agency_id:
        message.intermediary.agency_id = middle.agency_id
        message.intermediary.member_agency_ids.extend(_known(middle.member_agency_ids, reader))
        message.intermediary.treating_providers = middle.treating_providers


def _revocation(one: Revocation, reader: str) -> wire.Revocation:
    return wire.Revocation(
        effective_time=time_to_wire(one.effective_at),
        recipient_agency_ids=_known(one.recipient_agency_ids, reader),
        categories=_numbers(words_pb2.Category, "CATEGORY_", one.categories),
    )


def agency_to_wire(agency: Agency) -> wire.Agency:
    """Return the directory's entry."""
    return wire.Agency(
        id=agency.agency_id,
        name=agency.name,
        kind=words_pb2.AgencyKind.Value("AGENCY_KIND_" + agency.kind.upper()),
        part2_program=words_pb2.Part2Program.Value("PART2_PROGRAM_" + agency.part2),
        hipaa=words_pb2.Hipaa.Value("HIPAA_" + agency.hipaa),
        oris=agency.oris,
        site_ids=agency.site_ids,
    )


def agreement_to_wire(agreement: Agreement) -> wire.Agreement:
    """Return the directory's entry."""
    message = wire.Agreement(
        id=agreement.agreement_id,
        type=agreement.type,
        agency_ids=sorted(agreement.agency_ids),
        from_time=time_to_wire(agreement.from_at),
        site_ids=agreement.site_ids,
    )
    if agreement.until_at is not None:
        message.until_time.CopyFrom(time_to_wire(agreement.until_at))
    return message


def roles_to_wire(roles: Iterable[str]) -> list[Any]:
    """Return the numbers of contract roles (`police_officer`)."""
    return [words_pb2.Role.Value("ROLE_" + role.upper()) for role in roles]


def account_to_wire(account: Account) -> wire.Account:
    """Return the directory's entry."""
    message = wire.Account(
        id=account.account_id,
        agency_id=account.agency_id,
        roles=roles_to_wire(account.roles),
        disabled=account.disabled,
        owner=account.owner,
    )
    if account.expires_at is not None:
        message.expire_time.CopyFrom(time_to_wire(account.expires_at))
    return message


def record_from_wire(reference: options_pb2.Reference) -> Record:
    """Return what is asked about."""
    return Record(reference.subject_id, reference.source_agency_id, reference.record_id)


def asker_from_wire(message: internal.Asker, matrix_role: str) -> Asker:
    """Return who asks; his matrix role was found out from the registry."""
    return Asker(
        matrix_role,
        message.agency_id,
        _word(words_pb2.Purpose, "PURPOSE_", message.purpose),
        frozenset(message.site_ids),
        message.participant_id,
    )


def fact_from_wire(message: internal.ScopeStatement) -> ScopeFact:
    """Return a statement of an area."""
    return ScopeFact(
        fact=_word(internal.ScopeFact, "SCOPE_FACT_", message.fact),
        subject_id=message.subject_id,
        record_id=message.record_id,
        agency_id=message.agency_id,
        site_id=message.site_id,
        from_at=time_from_wire(message.from_time) if message.HasField("from_time") else None,
        until_at=time_from_wire(message.until_time) if message.HasField("until_time") else None,
        closed=message.closed,
        version=message.version,
    )


def decision_to_wire(decision: Decision) -> internal.Decision:
    """Return a decision with what it rests on."""
    source = decision.source
    return internal.Decision(
        visible=decision.visible,
        rulings=[_ruling(one) for one in decision.rulings],
        until_time=time_to_wire(decision.until),
        source_kind=_KINDS.get(source.kind, words_pb2.AGENCY_KIND_UNSPECIFIED),
        source_part2=words_pb2.Part2Program.Value("PART2_PROGRAM_" + source.part2),
    )


def _ruling(ruling: Ruling) -> internal.Ruling:
    message = internal.Ruling(
        categories=ruling.categories,
        row=ruling.row,
        rule=ruling.rule,
        law=ruling.law,
        approval_id=ruling.approval_id,
    )
    if ruling.consent is not None:
        draft = ruling.consent.draft
        message.consent_id, message.consent_version = ruling.consent.consent_id, ruling.consent.version
        message.consent_categories.extend(_numbers(words_pb2.Category, "CATEGORY_", draft.categories))
        message.consent_purposes.extend(_numbers(words_pb2.Purpose, "PURPOSE_", draft.purposes))
        if draft.expires_at is not None:
            message.consent_expire_time.CopyFrom(time_to_wire(draft.expires_at))
    return message
