"""The elements of a valid release, 42 CFR 2.31(a): each with its id, its law and how it is found missing. No IO.

`missing` names all of them at once. It is asked when a release is taken and the outcome is stored with its rule
version; what matters at release time is asked again by the decision (P2-22).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from lead.options.v1.words_pb2 import Purpose

from services.consent.domain import TPO_PURPOSES, TYPES, Draft
from services.consent.registry import Registry
from services.shared.sharing.need import BITS

RULES_OF_2024 = "2024"
LEGACY = "legacy"
_COMPLIANCE_DATE = datetime(2026, 2, 16, tzinfo=UTC)
"""A consent signed before may pass on the elements of before 2024 (P2-24)."""

# Refused purposes are no words of the contract at all; the person's own access needs no release.
_RELEASABLE_PURPOSES = frozenset(name.removeprefix("PURPOSE_") for name, number in Purpose.items() if number) - {
    "PATRQT"
}
_TREATING = frozenset({"sud_treatment", "mental_health", "health_care", "ems"})
_COVERED = frozenset({"COVERED_ENTITY", "BUSINESS_ASSOCIATE"})
# Never a matter of a release: the source's class, aggregates, facts of the exchange, the law's own records.
_NOT_RELEASABLE = frozenset(
    {"CONSENT_RECORD", "DISCLOSURE_RECORD", "DEIDENTIFIED", "DIRECTORY", "SYSTEM", "FUNDING", "STAFF"}
)


@dataclass(frozen=True)
class Setting:
    """What a draft is checked against."""

    registry: Registry
    now: datetime
    cj_referral_enabled: bool = False


@dataclass(frozen=True)
class Element:
    """One requirement: where it stands in the law, the field it looks at, and what would be right."""

    id: str
    path: str
    law: str
    wish: str
    missing: Callable[[Draft, Setting], bool]
    legacy: bool = True
    """Whether the rules of before 2024 ask for it too."""


def rule_version(draft: Draft) -> str:
    """Return which year's elements a draft must have: `2024`, or `legacy` when it was signed before 2026-02-16."""
    return LEGACY if draft.signed_at is not None and draft.signed_at < _COMPLIANCE_DATE else RULES_OF_2024


def missing(draft: Draft, setting: Setting) -> tuple[Element, ...]:
    """Return every element that the draft lacks, in the order of the law."""
    legacy = rule_version(draft) == LEGACY
    return tuple(e for e in ELEMENTS if (e.legacy or not legacy) and e.missing(draft, setting))


def _is_tpo(draft: Draft) -> bool:
    return bool(TPO_PURPOSES & set(draft.purposes))


def _unknown_agencies(ids: tuple[str, ...], setting: Setting) -> bool:
    return any(setting.registry.agencies.get(one) is None for one in ids)


def _recipients(draft: Draft, setting: Setting) -> Iterator[str]:
    """Yield the kinds of the registered recipients."""
    for agency_id in draft.recipient_agency_ids:
        agency = setting.registry.agencies.get(agency_id)
        if agency is not None:
            yield agency.kind


def _intermediary_incomplete(draft: Draft, setting: Setting) -> bool:
    middle = draft.intermediary
    if not middle.agency_id:
        return bool(middle.member_agency_ids) or middle.treating_providers
    if _unknown_agencies((middle.agency_id, *middle.member_agency_ids), setting):
        return True
    return not (middle.member_agency_ids or middle.treating_providers)


def _class_too_wide(draft: Draft, setting: Setting) -> bool:
    return draft.intermediary.treating_providers and any(kind not in _TREATING for kind in _recipients(draft, setting))


def _redisclosure_untold(draft: Draft, setting: Setting) -> bool:
    if not _is_tpo(draft) or draft.statements.redisclosure:
        return False
    agencies = (setting.registry.agencies.get(one) for one in draft.recipient_agency_ids)
    return any(agency is not None and agency.hipaa in _COVERED for agency in agencies)


def _never_ends(draft: Draft, _: Setting) -> bool:
    has_end = draft.expires_at is not None or bool(draft.expire_event.strip())
    return not has_end and not (draft.purposes and set(draft.purposes) <= TPO_PURPOSES)


def _ends_before_it_starts(draft: Draft, _: Setting) -> bool:
    return draft.expires_at is not None and draft.signed_at is not None and draft.expires_at <= draft.signed_at


def _unsigned(draft: Draft, _: Setting) -> bool:
    signature = draft.signature
    if not signature.signer_name.strip() or not signature.relation.strip():
        return True
    return signature.relation != "SELF" and not signature.authority.strip()


def _wrong_purposes(draft: Draft, _: Setting) -> bool:
    return not _RELEASABLE_PURPOSES.issuperset(draft.purposes)


def _wrong_categories(draft: Draft, _: Setting) -> bool:
    return any(word not in BITS or word in _NOT_RELEASABLE for word in draft.categories)


def _tpo_mixed(draft: Draft, _: Setting) -> bool:
    if draft.type == "TPO":
        return not set(draft.purposes) <= TPO_PURPOSES
    return False


def _cj_referral_off(draft: Draft, setting: Setting) -> bool:
    return draft.type == "CJ_REFERRAL" and not setting.cj_referral_enabled


ELEMENTS: tuple[Element, ...] = (
    Element(
        "P2-11",
        "sourceAgencyIds",
        "42 CFR 2.31(a)(2)",
        "name each agency that may disclose, by its registered id",
        lambda d, s: not d.source_agency_ids or _unknown_agencies(d.source_agency_ids, s),
    ),
    Element(
        "P2-12",
        "categories",
        "42 CFR 2.31(a)(3)",
        "describe the information: list one or more categories that a release can open",
        lambda d, s: not d.categories or _wrong_categories(d, s),
    ),
    Element(
        "P2-13",
        "recipientAgencyIds",
        "42 CFR 2.31(a)(4)(i)",
        "name each recipient by its registered agency id (P2-23)",
        lambda d, s: not d.recipient_agency_ids or _unknown_agencies(d.recipient_agency_ids, s),
    ),
    Element(
        "P2-14",
        "intermediary",
        "42 CFR 2.31(a)(4)(ii)",
        "name the intermediary and its members, or treating providers only: no police, prosecutor or housing",
        lambda d, s: _intermediary_incomplete(d, s) or _class_too_wide(d, s),
    ),
    Element(
        "P2-15",
        "statements.redisclosure",
        "42 CFR 2.31(a)(4)(iii)",
        "true: the person was told that a HIPAA recipient may redisclose, except for proceedings against him",
        _redisclosure_untold,
        legacy=False,
    ),
    Element(
        "P2-16",
        "purposes",
        "42 CFR 2.31(a)(5)",
        "list each purpose; purposes of investigation or proceedings are never carried (P2-37, P2-73)",
        lambda d, s: not d.purposes or _wrong_purposes(d, s),
    ),
    Element(
        "P2-17",
        "statements.revocation",
        "42 CFR 2.31(a)(6)",
        "true: the person was told how to revoke and what was already done in reliance",
        lambda d, _: not d.statements.revocation,
    ),
    Element(
        "P2-18",
        "expireTime",
        "42 CFR 2.31(a)(7)",
        "an end after the signature: a time, or an event in expireEvent; only treatment, payment, operations need none",
        lambda d, s: _never_ends(d, s) or _ends_before_it_starts(d, s),
    ),
    Element(
        "P2-19",
        "signature",
        "42 CFR 2.31(a)(8)",
        "signer's name and relation (SELF, or who signs); authority where it is not the person",
        _unsigned,
    ),
    Element(
        "P2-20",
        "signedTime",
        "42 CFR 2.31(a)(9)",
        "the time of signing, not in the future",
        lambda d, s: d.signed_at is None or d.signed_at > s.now,
    ),
    Element(
        "P2-21",
        "statements.refusal",
        "42 CFR 2.31(a)(10)",
        "true together with statements.redisclosure: told of redisclosure and of the consequences of refusing",
        lambda d, _: _is_tpo(d) and not (d.statements.refusal and d.statements.redisclosure),
        legacy=False,
    ),
    Element(
        "P2-42",
        "type",
        "42 CFR 2.33(b)",
        "NAMED, TPO, RESEARCH or CJ_REFERRAL; a TPO release serves treatment, payment and operations only",
        lambda d, s: d.type not in TYPES or _tpo_mixed(d, s),
    ),
    Element(
        "P2-84",
        "type",
        "42 CFR 2.35",
        "NAMED: releases on condition of a disposition are switched off at this site",
        _cj_referral_off,
    ),
)
"""P2-10, the person, is the participant in the path: a release hangs on a participant whom a hand-off confirmed."""
