"""Who calls: the peer's service by its certificate, and the person or system behind a public call by the assertion."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace

import grpc
from lead.options.v1 import options_pb2

from services.shared import identity
from services.shared.errors import LeadError, permission_denied, unauthenticated
from services.shared.rpc import headers
from services.shared.rpc.chain import Call, Step
from services.shared.sharing.assertion import AssertionVerifier, Caller


@dataclass(frozen=True, slots=True)
class RequestInfo:
    """One request: its id, the same through all services, and the service that called this one."""

    request_id: str
    service: str


_caller: ContextVar[Caller | None] = ContextVar("lead_caller", default=None)
_request: ContextVar[RequestInfo | None] = ContextVar("lead_request", default=None)


def current_caller() -> Caller:
    """Return the verified caller of the public call that is being served. Raises LeadError when there is none."""
    caller = _caller.get()
    if caller is None:
        raise unauthenticated("This needs a caller.")
    return caller


def current_request() -> RequestInfo:
    """Return the request that is being served. Raises LookupError outside of any."""
    request = _request.get()
    if request is None:
        raise LookupError("no request is being served")
    return request


def current_request_id() -> str:
    """Return the id of the request that is being served, empty outside of any."""
    request = _request.get()
    return "" if request is None else request.request_id


@contextmanager
def acting(caller: Caller | None, request: RequestInfo) -> Iterator[None]:
    """Serve a request in this thread or task; for the chain, for consumers that act on events, and for tests."""
    before = _caller.set(caller), _request.set(request)
    try:
        yield
    finally:
        _caller.reset(before[0])
        _request.reset(before[1])


def peer_service(context: grpc.ServicerContext) -> str:
    """Return the service that the peer's certificate names; empty unless it names exactly one."""
    names = context.auth_context().get("x509_subject_alternative_name", ())
    found = [identity.service_of(bytes(name).decode("utf-8", "replace")) for name in names]
    services = [service for service in found if service]
    return services[0] if len(services) == 1 else ""


def callers(verifier: AssertionVerifier | None, allow: Collection[str]) -> Step:
    """Make the step that lets in the services listed for a method: `allow` for public ones, with a verified caller."""

    @contextmanager
    def step(call: Call) -> Iterator[None]:
        peer = peer_service(call.context)
        public = call.method.access.exposure == options_pb2.EXPOSURE_PUBLIC
        _admit(peer, allow if public else call.method.access.services)
        caller = _verified(verifier, call) if public else None
        with acting(caller, replace(current_request(), service=peer)):
            yield

    return step


def _admit(peer: str, listed: Collection[str]) -> None:
    if not peer:
        raise unauthenticated("The peer's certificate names no service.")
    if peer not in listed:
        raise _not_listed()


def _not_listed() -> LeadError:
    return permission_denied("SERVICE_NOT_LISTED", "This service may not call this method.")


def _verified(verifier: AssertionVerifier | None, call: Call) -> Caller:
    token = headers.only(call.context.invocation_metadata(), headers.ASSERTION)
    if verifier is None or not token:
        raise unauthenticated("The call carries no caller assertion.")
    return verifier.verify(token)
