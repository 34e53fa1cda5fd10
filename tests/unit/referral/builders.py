"""Referrals, drafts and callers with valid defaults, for the tests of the area."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from typing import Any, TypeVar

from google.protobuf.message import Message
from lead.referral.v1 import referral_pb2 as pb
from lead.referral.v1 import referral_service_pb2 as service

from services.referral import records
from services.referral.checks import Setting
from services.referral.domain import Referral
from services.referral.handlers.submit import submission
from services.referral.records import Submission
from services.shared.places import site_packs
from services.shared.sharing.assertion import Caller
from services.shared.sites import Site, load_sites

M = TypeVar("M", bound=Message)
SITES: Mapping[str, Site] = load_sites(site_packs())
SEATTLE, SANTA_FE = SITES["seattle"], SITES["santa-fe"]
NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
ORI = "WASAMPLE1"
AGENCY = "sample-police"


class Mint:
    """Makes ids that tests can foretell: `ref_1`, `chg_2`, …"""

    def __init__(self) -> None:
        self._numbers = count(1)

    def __call__(self, prefix: str) -> str:
        return f"{prefix}_{next(self._numbers)}"


def a_caller(role: str = "police_officer", agency: str = AGENCY, **changes: Any) -> Caller:
    kinds = {"program_manager": "program_office", "prosecutor": "prosecutor", "defender": "defender"}
    kind = kinds.get(role, "case_management" if role.startswith("case_") else "police")
    caller = Caller("acc_1", agency, kind, role, "DIVERSION_COORD", ("seattle",))
    return replace(caller, **changes)


def a_setting(caller: Caller | None = None, now: datetime = NOW, oris: frozenset[str] = frozenset({ORI})) -> Setting:
    return Setting(caller or a_caller(), SITES, oris, now)


def a_charge(
    code: str = "35A", statute: str = "RCW 69.50.4013", quantity: str = "1.5", **changes: Any
) -> pb.ChargeDraft:
    charge = pb.ChargeDraft(statute=statute, offense_code=code, level=pb.CHARGE_LEVEL_MISDEMEANOR)
    if quantity:
        charge.substances.add(drug="heroin", quantity=quantity, unit=pb.QUANTITY_UNIT_GRAM)
    return changed(charge, changes)


def a_draft(site: Site = SEATTLE, door: str = "ARREST_DIVERSION", **changes: Any) -> pb.ReferralDraft:
    """A draft that its site's rules are all met by."""
    draft = pb.ReferralDraft(
        site_id=site.id,
        door=pb.Door.Value(f"DOOR_{door}"),
        agency_ori=ORI,
        incident_number="26-000123",
        person=pb.Person(given_name="Testa", family_name="Sample", birth_date="1990-05-17"),
        contact=pb.Contact(phones=["+1 206 555 0100"], where_found="by the sample fountain"),
        charges=[a_charge()],
        officer=pb.Officer(name="Officer Probe Sample", serial="A-7", unit="West"),
        narrative="Made up for a test.",
        observations=[
            pb.Observation(name=name, answer=answer)
            for name, answer in (
                ("amenable", pb.OBSERVATION_ANSWER_YES),
                ("exploits_minors", pb.OBSERVATION_ANSWER_NO),
                ("promotes_prostitution", pb.OBSERVATION_ANSWER_NO),
            )
        ],
        attestations=[
            pb.Attestation(rule=rule, answer=pb.ATTESTATION_ANSWER_CLEAR) for rule in site.attested_rules(door)
        ],
    )
    return changed(draft, changes)


def from_rms(record_id: str = "R-1", version: int = 1, **changes: Any) -> pb.ReferralDraft:
    return a_draft(source=pb.Source(system="sample-rms", record_id=record_id, version=version), **changes)


def a_submission(draft: pb.ReferralDraft | None = None, caller: Caller | None = None) -> Submission:
    return submission(draft or from_rms(), caller or a_caller(), NOW)


def a_referral(draft: pb.ReferralDraft | None = None, mint: Mint | None = None, **changes: Any) -> Referral:
    site = SITES[draft.site_id] if draft is not None else SEATTLE
    plan = records.upserted(None, a_submission(draft), site, NOW, mint or Mint())
    assert plan.after is not None
    return replace(plan.after, updated_at=NOW, **changes)


def an_offer(referral_id: str = "ref_1", etag: str = "e", **changes: Any) -> service.RecordOfferRequest:
    request = service.RecordOfferRequest(
        id=referral_id,
        outcome=pb.OFFER_OUTCOME_ACCEPTED,
        verbal_consent=True,
        told_voluntary=True,
        meet_at="corner of Sample Street",
        dispatch_agency_id="sample-outreach",
        etag=etag,
    )
    return changed(request, changes)


def changed(message: M, changes: Mapping[str, Any]) -> M:
    """Replace fields whole; None takes a field away."""
    for name, value in changes.items():
        message.ClearField(name)
        if value is not None:
            message.MergeFrom(type(message)(**{name: value}))
    return message
