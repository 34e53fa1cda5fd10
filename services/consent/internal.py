"""The internal face: decisions, facts, links, keys, sessions. Called by services, by their certificate."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Iterator
from typing import Any

import grpc
from lead.consent.v1 import consent_internal_service_pb2 as pb
from lead.consent.v1 import consent_internal_service_pb2_grpc as grpc_face
from lead.options.v1 import words_pb2

from services.consent import convert, custodian, epochs, reach, roll, scope, store, store_links, validate
from services.consent.custody import topics
from services.consent.handlers import Desk
from services.consent.held import NOTHING
from services.consent.keys import ROUTING, KeyPlace, Keys
from services.shared.errors import not_found
from services.shared.rpc.caller import current_request
from services.shared.sharing.purposes import matrix_role
from services.shared.sharing.session_state import PARTING

_log = logging.getLogger(__name__)


class ConsentInternalServicer(grpc_face.ConsentInternalServiceServicer):
    """One method per question of another service."""

    def __init__(self, desk: Desk, keys: Keys) -> None:
        """Serve from this desk, with these keys."""
        self._desk, self._keys = desk, keys

    def Decide(self, request: pb.DecideRequest, _: grpc.ServicerContext) -> pb.DecideResponse:
        """Decide about a batch of records."""
        decider = self._desk.decider
        agency = decider.registry.agency(request.asker.agency_id)
        role = words_pb2.Role.Name(request.asker.role).removeprefix("ROLE_").lower()
        kind = "" if agency is None or not agency.agency_id else agency.kind
        asker = convert.asker_from_wire(request.asker, matrix_role(role, kind))
        records = [convert.record_from_wire(one) for one in request.records]
        epoch, decisions = decider.decide(asker, records, request.request_id)
        return pb.DecideResponse(
            epoch=epoch,
            policy_version=decider.policy.version,
            decisions=[convert.decision_to_wire(one) for one in decisions],
        )

    def ReadRegistry(self, _: pb.ReadRegistryRequest, __: grpc.ServicerContext) -> pb.ReadRegistryResponse:
        """Tell who takes part."""
        # From the table, not from memory: whoever was told of an epoch must not be told who took part before it.
        with self._desk.db.read() as connection:
            epoch, registry = epochs.current(connection), roll.registry(connection)
        return pb.ReadRegistryResponse(
            agencies=[_agency(convert.agency_to_wire(one)) for one in registry.agencies.values()],
            accounts=[_account(convert.account_to_wire(one)) for one in registry.accounts.values()],
            epoch=epoch,
        )

    def StateScope(self, request: pb.StateScopeRequest, _: grpc.ServicerContext) -> pb.StateScopeResponse:
        """Store facts; what narrows is effective everywhere on return."""
        validate.statements(request)
        desk = self._desk
        facts = [convert.fact_from_wire(one) for one in request.statements]
        with desk.db.write() as connection:
            stated = scope.take(connection, facts)
            subjects = stated.subject_ids
            epoch = epochs.bump(connection, "scope stated", subjects, desk.clock.now()) if subjects else 0
        if epoch:
            desk.tell(epoch, stops=stated.narrows)
        return pb.StateScopeResponse(epoch=epoch or desk.sessions.epoch())

    def LinkSubjects(self, request: pb.LinkSubjectsRequest, _: grpc.ServicerContext) -> pb.LinkSubjectsResponse:
        """Link subjects to a participant: as a person confirmed it, so that releases cover them; or as a rule found.

        What a rule found only withholds, and is effective everywhere on return.
        """
        validate.links(request)
        desk, now = self._desk, self._desk.clock.now()
        with desk.db.write() as connection:
            fresh = [
                subject
                for subject in request.subject_ids
                if store_links.link(connection, subject, request.participant_id, request.confirmed_by, now)
            ]
            epoch = epochs.bump(connection, "subject linked", fresh, now) if fresh else 0
        if epoch:
            desk.tell(epoch, stops=not request.confirmed_by)
        return pb.LinkSubjectsResponse(epoch=epoch or desk.sessions.epoch())

    def ListGrantedSubjects(
        self, request: pb.ListGrantedSubjectsRequest, _: grpc.ServicerContext
    ) -> pb.ListGrantedSubjectsResponse:
        """Tell which subjects an area may look for on a caller's behalf."""
        desk = self._desk
        with desk.db.read() as connection:
            epoch = epochs.current(connection)
            if request.asker.participant_id:
                found = tuple(sorted(store_links.confirmed_subjects(connection, request.asker.participant_id)))
            else:
                found = store_links.granted_subjects(connection, request.asker.agency_id)
        return pb.ListGrantedSubjectsResponse(subject_ids=found, epoch=epoch)

    def ResolveParticipant(
        self, request: pb.ResolveParticipantRequest, _: grpc.ServicerContext
    ) -> pb.ResolveParticipantResponse:
        """Tell an area whose subject its record about a participant is, if the caller has to do with him."""
        desk = self._desk
        with desk.db.read() as connection:
            epoch = epochs.current(connection)
            found = reach.resolve(connection, request.asker.agency_id, request.participant_id, desk.clock.now())
        return pb.ResolveParticipantResponse(
            subject_id=found.subject_id, caseload_agency_id=found.caseload_agency_id, epoch=epoch
        )

    def ListFollowers(self, request: pb.ListFollowersRequest, _: grpc.ServicerContext) -> pb.ListFollowersResponse:
        """Tell which agencies might learn something about each of these subjects."""
        desk = self._desk
        with desk.db.read() as connection:
            answer = pb.ListFollowersResponse(epoch=epochs.current(connection))
            held = store.held(connection, request.subject_ids)
        registry, now = desk.decider.registry, desk.clock.now()
        for subject in request.subject_ids:
            found = reach.followers(registry, held.get(subject, NOTHING), now)
            answer.followers.add(subject_id=subject, agency_ids=found)
        return answer

    def LeaseSealingKeys(
        self, request: pb.LeaseSealingKeysRequest, _: grpc.ServicerContext
    ) -> pb.LeaseSealingKeysResponse:
        """Hand out keys to seal with, on the calling area's own topic."""
        topic = current_request().service
        places = [place for need in request.needs for place in _places(topic, need)]
        with self._desk.db.write() as connection:
            keys = iter(self._keys.lease(connection, places, self._desk.clock.now()))
            pseudonyms = self._keys.pseudonyms(connection, topic, [need.subject_id for need in request.needs])
        answer = pb.LeaseSealingKeysResponse()
        for need, pseudonym in zip(request.needs, pseudonyms, strict=True):
            routing, *sections = [next(keys) for _ in range(len(need.sections) + 1)]
            answer.leases.add(
                pseudonym=pseudonym,
                routing=pb.DataKey(key_id=routing.key_id, key=routing.key),
                sections=[pb.DataKey(key_id=one.key_id, key=one.key) for one in sections],
            )
        return answer

    def ReleaseKeys(self, request: pb.ReleaseKeysRequest, _: grpc.ServicerContext) -> pb.ReleaseKeysResponse:
        """Release keys to open with, each through the decision."""
        return custodian.release(self._desk, self._keys, current_request().service, request)

    def HoldSession(
        self, requests: Iterator[pb.HoldSessionRequest], context: grpc.ServicerContext
    ) -> Iterator[pb.HoldSessionResponse]:
        """Keep an enforcement point's session: it renews, this side tells it what changed."""
        first = next(requests, None)
        if first is None:
            raise not_found()
        service = current_request().service
        if not self._renewed(first, first.session_id, service):
            return
        reading = (requests, first.session_id, service, context)
        threading.Thread(target=self._read, args=reading, name="session-reader", daemon=True).start()
        sent_epoch, sent_sequence = first.applied_epoch, first.sequence - 1
        while context.is_active() and self._desk.sessions.is_held(first.session_id):
            epoch, sequence = self._desk.sessions.wait_news(first.session_id, sent_epoch, sent_sequence, 1.0)
            if epoch > sent_epoch or sequence > sent_sequence:
                changes = self._changes(sent_epoch, service)
                sent_epoch = max((epoch, *(one.epoch for one in changes)))
                sent_sequence = sequence
                yield pb.HoldSessionResponse(epoch=sent_epoch, changes=changes, sequence=sequence)

    def _read(
        self, requests: Iterable[pb.HoldSessionRequest], session_id: str, service: str, context: grpc.ServicerContext
    ) -> None:
        try:
            if all(self._renewed(request, session_id, service) for request in requests):
                # They have ended without a goodbye, which says nothing about what the other end still uses: gRPC often
                # tells a connection that broke like one that was closed.
                context.cancel()
        except Exception as error:  # noqa: BLE001 - whatever it is, a session that nobody renews must not look held
            if context.is_active():
                _log.error("session unread", extra={"service": service, "reason": type(error).__name__})
            context.cancel()

    def _renewed(self, request: pb.HoldSessionRequest, session_id: str, service: str) -> bool:
        if request.sequence == PARTING:
            self._desk.sessions.end(session_id)
            return False
        self._desk.sessions.renew(session_id, service, request.applied_epoch, request.sequence)
        return True

    def _changes(self, after: int, service: str) -> list[pb.HoldSessionResponse.Change]:
        own = topics(service)
        with self._desk.db.read() as connection:
            return [
                pb.HoldSessionResponse.Change(
                    epoch=one.epoch,
                    subject_ids=one.subject_ids,
                    key_ids=self._keys.ids_of(connection, one.subject_ids, own) if own and one.subject_ids else (),
                    everything=one.everything,
                )
                for one in epochs.since(connection, after)
            ]


def _places(topic: str, need: pb.SealingNeed) -> Iterator[KeyPlace]:
    yield KeyPlace(topic, need.subject_id, "", ROUTING)
    for section in need.sections:
        yield KeyPlace(topic, need.subject_id, need.source_agency_id, section.category, section.record_id)


def _agency(agency: Any) -> pb.RegisteredAgency:
    return pb.RegisteredAgency(
        agency_id=agency.id,
        kind=agency.kind,
        part2_program=agency.part2_program,
        hipaa=agency.hipaa,
        oris=agency.oris,
        site_ids=agency.site_ids,
    )


def _account(account: Any) -> pb.RegisteredAccount:
    message = pb.RegisteredAccount(
        account_id=account.id, agency_id=account.agency_id, roles=account.roles, disabled=account.disabled
    )
    if account.HasField("expire_time"):
        message.expire_time.CopyFrom(account.expire_time)
    return message
