"""The outermost step: request id, span, metric."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from services.shared.ids import new_id
from services.shared.rpc import headers
from services.shared.rpc.caller import RequestInfo, acting
from services.shared.rpc.chain import Call
from services.shared.telemetry import metrics, trace


@contextmanager
def observing(call: Call) -> Iterator[None]:
    """Step: continue the caller's trace under its request id, or a new one, and measure the call."""
    metadata = call.context.invocation_metadata()
    request = RequestInfo(headers.request_id(metadata) or new_id("req"), "")
    service, name = call.method.service, call.method.name
    attributes = {
        "rpc.system": "grpc",
        "rpc.service": service,
        "rpc.method": name,
        "leadx.request_id": request.request_id,
    }
    begun = time.perf_counter()
    parent = trace.extract(metadata)
    with (
        acting(None, request),
        trace.span(f"{service}/{name}", kind="server", parent=parent, attributes=attributes) as span,
    ):
        try:
            yield
        finally:
            span.set_attribute("rpc.grpc.status_code", call.code)
            if call.code != "OK":
                trace.failed(span, call.code)
            metrics.RPC_SECONDS.labels(service, name, call.code).observe(time.perf_counter() - begun)
