"""What the feed's writer asks consent, from its own thread."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import grpc
from lead.consent.v1 import consent_internal_service_pb2 as pb
from lead.consent.v1.consent_internal_service_pb2_grpc import ConsentInternalServiceStub

from services.shared.errors import unavailable
from services.shared.events.keys import SealedKeys

Followers = Mapping[str, frozenset[str]]


class Consent(Protocol):
    """Routing keys, and who follows whom."""

    def release(self, events: Sequence[SealedKeys]) -> pb.ReleaseKeysResponse:
        """Return the routing key of each event, in order. Raises LeadError when consent does not answer."""
        ...

    def followers(self, subject_ids: Sequence[str]) -> Followers:
        """Return by subject the agencies that might learn something. Raises LeadError when consent does not answer."""
        ...


class ConsentFace:
    """Consent over a channel."""

    def __init__(self, channel: grpc.Channel) -> None:
        """Call over `rpc.client.channel`."""
        self._stub = ConsentInternalServiceStub(channel)

    def release(self, events: Sequence[SealedKeys]) -> pb.ReleaseKeysResponse:
        """Return the routing keys."""
        return self._stub.ReleaseKeys(pb.ReleaseKeysRequest(events=events))

    def followers(self, subject_ids: Sequence[str]) -> Followers:
        """Return who follows. Raises UNAVAILABLE for an answer that is not about them."""
        if not subject_ids:
            return {}
        answer = self._stub.ListFollowers(pb.ListFollowersRequest(subject_ids=subject_ids))
        found = {one.subject_id: frozenset(one.agency_ids) for one in answer.followers}
        if not found.keys() >= set(subject_ids):
            raise unavailable("consent did not say who follows")
        return found
