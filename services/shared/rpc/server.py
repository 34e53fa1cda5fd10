"""Builds an area's server: mTLS, the chain around every method, bounded threads, health."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

import grpc
from grpc_health.v1 import health_pb2
from lead.options.v1 import options_pb2

from services.shared import labels
from services.shared.errors import not_found
from services.shared.identity import TlsFiles, server_credentials
from services.shared.rpc import options
from services.shared.rpc.answering import answering
from services.shared.rpc.caller import callers
from services.shared.rpc.chain import Method, Step, wrap
from services.shared.rpc.limits import deadline, streams
from services.shared.rpc.observing import observing
from services.shared.sharing.assertion import AssertionVerifier

# A generated `add_…Servicer_to_server` and the servicer it adds.
Registration = tuple[Callable[[Any, grpc.Server], None], object]
Handlers = Mapping[str, "grpc.RpcMethodHandler[Any, Any]"]
_HEALTH = "grpc.health.v1.Health"
# So many calls for each worker are taken in: a burst waits some milliseconds instead of being refused.
_QUEUED = 4


class Server:
    """A server that listens from its making, answers from `start` on, and knows its port."""

    def __init__(self, server: grpc.Server, health: Health, pool: ThreadPoolExecutor, port: int) -> None:
        """Use `build_server`."""
        self._server = server
        self._health = health
        self._pool = pool
        self.port = port

    def start(self, ready: bool = True) -> None:
        """Answer calls; with `ready` false, health says NOT_SERVING until `set_ready`."""
        self._health.ready = ready
        self._server.start()

    def set_ready(self, ready: bool) -> None:
        """Tell health checks whether the area can do its work; calls are answered all the same."""
        self._health.ready = ready

    def stop(self, grace: float = 5.0) -> None:
        """Take no new calls, let running ones end for `grace` seconds, then cut them. Returns when all are gone."""
        self._health.ready = False
        self._server.stop(grace).wait()
        self._pool.shutdown(wait=False)

    def wait(self) -> None:
        """Block until `stop` is called from elsewhere."""
        self._server.wait_for_termination()


class Health:
    """`grpc.health.v1.Health`, `Check` alone: a watcher would hold what short calls need."""

    def __init__(self, services: Collection[str]) -> None:
        """Answer for these services and, under the empty name, for the whole."""
        self.ready = False
        self._services = frozenset(services) | {""}

    def check(self, request: health_pb2.HealthCheckRequest, _: grpc.ServicerContext) -> health_pb2.HealthCheckResponse:
        """Tell whether the server can do its work. Raises LeadError NOT_FOUND for a service it does not have."""
        if request.service not in self._services:
            raise not_found()
        word = health_pb2.HealthCheckResponse.SERVING if self.ready else health_pb2.HealthCheckResponse.NOT_SERVING
        return health_pb2.HealthCheckResponse(status=word)


def build_server(
    services: Sequence[Registration],
    tls: TlsFiles,
    verifier: AssertionVerifier | None,
    allow: Collection[str] = ("gateway",),
    workers: int = 32,
    max_streams: int | None = None,
    address: str = "127.0.0.1:0",
) -> Server:
    """Build a server of these services and bind its port; nothing is answered before `start`.

    `verifier` opens the caller assertion of public methods, `allow` names the services that may call them; internal
    methods name their own. At most `workers` calls run at once, of them `max_streams` streams (default a third); a
    short queue waits for a worker, and what is beyond it gets RESOURCE_EXHAUSTED. Raises ContractError when a method
    does not say who may call it, OSError for files that cannot be read, RuntimeError for an address that cannot be
    bound.
    """
    found = _handlers(services)
    _check(found, verifier)
    lent = max(1, workers // 3) if max_streams is None else max_streams
    steps: list[Step] = [observing, answering, deadline, streams(lent), callers(verifier, allow)]
    pool = ThreadPoolExecutor(workers, thread_name_prefix="rpc")
    server = grpc.server(pool, options=options.SERVER, maximum_concurrent_rpcs=_QUEUED * workers)
    for service, handlers in found.items():
        wrapped = {name: wrap(_method(service, name), handler, steps) for name, handler in handlers.items()}
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, wrapped),))
    health = Health(found)
    server.add_generic_rpc_handlers((_health_handler(health),))
    return Server(server, health, pool, server.add_secure_port(address, server_credentials(tls)))


class _Recorder:
    """Stands in for a server, to learn which handlers generated code would put on it."""

    def __init__(self) -> None:
        self.found: dict[str, Handlers] = {}

    def add_generic_rpc_handlers(self, handlers: object) -> None:
        """Ignore the older of the two ways; generated code uses both."""

    def add_registered_method_handlers(self, service: str, handlers: Handlers) -> None:
        """Keep the handlers by the full name of their service."""
        self.found[service] = handlers


def _handlers(services: Sequence[Registration]) -> dict[str, Handlers]:
    recorder = _Recorder()
    for add, servicer in services:
        add(servicer, cast(grpc.Server, recorder))
    return recorder.found


def _check(found: Mapping[str, Handlers], verifier: AssertionVerifier | None) -> None:
    problems: list[str] = []
    for service, handlers in found.items():
        said = {method.name: labels.access(method) for method in labels.methods(service)}
        for name in handlers:
            problem = _problem(said.get(name), verifier)
            if problem:
                problems.append(f"{service}/{name} {problem}")
    if problems:
        raise labels.ContractError("; ".join(problems))


def _problem(access: options_pb2.Access | None, verifier: AssertionVerifier | None) -> str:
    if access is None or not access.permission:
        return "says no access"
    if access.exposure == options_pb2.EXPOSURE_INTERNAL:
        return "" if access.services else "names no service that may call it"
    if access.exposure != options_pb2.EXPOSURE_PUBLIC:
        return "says no exposure"
    return "is public, and there is no verifier for its callers" if verifier is None else ""


def _method(service: str, name: str) -> Method:
    found = next(method for method in labels.methods(service) if method.name == name)
    access = labels.access(found)
    if access is None:
        raise labels.ContractError(f"{service}/{name} says no access")
    return Method(service, name, access, found.client_streaming or found.server_streaming)


def _health_handler(health: Health) -> grpc.GenericRpcHandler:
    # For whoever holds a certificate of the authority: no caller is asked for, and nothing is told but the one word.
    method = Method(_HEALTH, "Check", options_pb2.Access(), streaming=False)
    check = grpc.unary_unary_rpc_method_handler(
        health.check,
        health_pb2.HealthCheckRequest.FromString,
        health_pb2.HealthCheckResponse.SerializeToString,
    )
    wrapped = wrap(method, check, [observing, answering, deadline])
    return grpc.method_handlers_generic_handler(_HEALTH, {"Check": wrapped})
