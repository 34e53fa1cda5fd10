"""Sample referrals in an exchange, for benchmarks that read them."""

from __future__ import annotations

import grpc
from lead.referral.v1 import referral_pb2, referral_service_pb2
from lead.referral.v1.referral_service_pb2_grpc import ReferralServiceStub

from services.command.exchange import Exchange

_SECONDS = 20.0


def submitted(exchange: Exchange, token: str, count: int) -> list[str]:
    """Submit so many referrals as the holder of the token, and return their ids. Raises grpc.RpcError."""
    credentials = grpc.ssl_channel_credentials(exchange.ca_path.read_bytes())
    beside = (("authorization", f"Bearer {token}"),)
    with grpc.secure_channel(exchange.grpc_target, credentials) as channel:
        submit = ReferralServiceStub(channel).SubmitReferral
        requests = (referral_service_pb2.SubmitReferralRequest(referral=a_draft(number)) for number in range(count))
        return [submit(each, timeout=_SECONDS, metadata=beside).referral.id for each in requests]


def a_draft(number: int) -> referral_pb2.ReferralDraft:
    """Return a draft with all that an officer usually writes."""
    return referral_pb2.ReferralDraft(
        site_id="seattle",
        door=referral_pb2.DOOR_ARREST_DIVERSION,
        agency_ori="WASAMPLE1",
        incident_number=f"26-{number:06}",
        person=referral_pb2.Person(given_name="Testa", family_name=f"Sample {number}", birth_date="1990-05-17"),
        contact=referral_pb2.Contact(phones=["+1 206 555 0100"], where_found="by the sample fountain"),
        charges=[
            referral_pb2.ChargeDraft(
                statute="RCW 69.50.4013",
                offense_code="35A",
                description="possession of a controlled substance",
                level=referral_pb2.CHARGE_LEVEL_MISDEMEANOR,
                substances=[
                    referral_pb2.Substance(drug="heroin", quantity="1.5", unit=referral_pb2.QUANTITY_UNIT_GRAM)
                ],
            )
        ],
        officer=referral_pb2.Officer(name="Officer Testa Sample", serial="A-7", unit="West"),
        observations=[
            referral_pb2.Observation(name="amenable", answer=referral_pb2.OBSERVATION_ANSWER_YES),
            referral_pb2.Observation(name="exploits_minors", answer=referral_pb2.OBSERVATION_ANSWER_NO),
        ],
        narrative="Made up to be read again and again while the clock runs.",
    )
