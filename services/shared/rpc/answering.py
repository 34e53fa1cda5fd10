"""The one place where an exception becomes a gRPC status. Services raise LeadError; nobody else aborts.

A LeadError is public and goes out in full. Anything else is INTERNAL with a fixed text: gRPC would send the text of the
exception, which may hold anything.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from services.shared.errors import LeadError
from services.shared.rpc import status
from services.shared.rpc.caller import current_request_id
from services.shared.rpc.chain import Call
from services.shared.telemetry.log import described

_log = logging.getLogger(__name__)


@contextmanager
def answering(call: Call) -> Iterator[None]:
    """Step: turn what was raised into a status with details. It ends by gRPC's own exception for an aborted call."""
    try:
        yield
    except GeneratorExit:
        # The client has gone in the middle of a stream.
        call.code = "CANCELLED"
        raise
    except LeadError as error:
        refusal = error
    except Exception as error:  # noqa: BLE001 - nothing may pass but what is public
        refusal = _unforeseen(call, error)
    else:
        return
    _abort(call, refusal)


def _unforeseen(call: Call, error: Exception) -> LeadError:
    if not call.context.is_active():
        # Reading from a client that has hung up raises; nobody waits for the answer.
        call.code = "CANCELLED"
        return status.internal()
    call.code = "INTERNAL"
    method = f"{call.method.service}/{call.method.name}"
    _log.error("rpc.unforeseen", extra={"request_id": current_request_id(), "method": method, **described(error)})
    return status.internal()


def _abort(call: Call, refusal: LeadError) -> None:
    if call.code == "OK":
        call.code = refusal.code.value
    details = status.to_status(refusal, current_request_id())
    # Set by hand: `abort_with_status` is experimental.
    call.context.set_trailing_metadata(status.trailing(details))
    call.context.abort(status.grpc_code(refusal.code), refusal.text)
