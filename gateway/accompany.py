"""What goes with a disclosure: the notice of 42 CFR 2.32(a) and the scope of the consents relied on (2.32(b))."""

from __future__ import annotations

from collections.abc import Iterable

from google.protobuf.message import Message
from lead.consent.v1 import consent_internal_service_pb2 as consent
from lead.options.v1 import answer_pb2

from services.shared.errors import Code, LeadError

NOTICE = "42 CFR part 2 prohibits unauthorized use or disclosure of these records."
"""Statement 2 of 42 CFR 2.32(a) in its text of 2024: "use or" is what tells it from the older one (P2-60)."""

NOTICE_VERSION = "42 CFR 2.32(a)(2), 2024"
_FIELD = "accompaniment"


def accompany(message: Message, recipient_agency_id: str, relied_on: Iterable[consent.Ruling]) -> None:
    """Put notice and scopes on an answer that rests on consents; on any other, make sure that there is nothing.

    Raises LeadError INTERNAL when an answer that must be accompanied has no place for it: then nothing leaves (P2-63).
    """
    consents = {(one.consent_id, one.consent_version): one for one in relied_on if one.consent_id}
    if _FIELD in message.DESCRIPTOR.fields_by_name:
        message.ClearField(_FIELD)
    elif consents:
        raise LeadError(Code.INTERNAL, "ACCOMPANIMENT_MISSING", "The answer cannot be given.")
    if not consents:
        return
    beside: answer_pb2.Accompaniment = getattr(message, _FIELD)
    beside.notice, beside.notice_version = NOTICE, NOTICE_VERSION
    for _, ruling in sorted(consents.items()):
        beside.consents.append(_scope(ruling, recipient_agency_id))


def _scope(ruling: consent.Ruling, recipient_agency_id: str) -> answer_pb2.ConsentScope:
    scope = answer_pb2.ConsentScope.Scope(
        recipient_agency_id=recipient_agency_id,
        categories=ruling.consent_categories,
        purposes=ruling.consent_purposes,
    )
    if ruling.HasField("consent_expire_time"):
        scope.expire_time.CopyFrom(ruling.consent_expire_time)
    return answer_pb2.ConsentScope(ref=ruling.consent_id, scope=scope)
