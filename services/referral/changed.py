"""Which categories of a referral a change is a change of."""

from __future__ import annotations

from datetime import datetime

from lead.referral.v1 import referral_pb2 as pb

from services.referral.convert_referral import referral_to_wire
from services.referral.domain import Referral
from services.shared.changes import Changes


def moved(known: Changes, before: Referral, after: Referral, at: datetime) -> Changes:
    """Return when what the referral says of each category changed last, after this change."""
    return known.moved(_own(before), _own(after), at)


def _own(referral: Referral) -> pb.Referral:
    # Decisions and confirmations are other agencies' records, with times of their own.
    return referral_to_wire(referral, {}, None, None)
