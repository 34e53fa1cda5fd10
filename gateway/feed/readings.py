"""Where an event is read, as the contract says it beside the event (`lead.options.v1.event`)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from google.protobuf.descriptor import Descriptor, MethodDescriptor
from lead.options.v1 import options_pb2, words_pb2

from gateway.transcode import bindings
from gateway.transcode.bindings import Route
from services.shared import labels
from services.shared.errors import not_found
from services.shared.sharing.assertion import Caller

# Whose record is the referral that a subject came with.
REFERRAL = ("referral", "ReferralRecorded")


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to read what an event is about."""

    route: Route
    of_referral: bool

    def href(self, record_id: str) -> str:
        """Return the path of the record, or of the list that it is in."""
        return self.route.template.format(**dict.fromkeys(self.route.params, record_id))


@cache
def readings(topic: str, name: str) -> tuple[Reading, ...]:
    """Return where an event of this topic and name may be read; nowhere if nobody is ever told of it.

    Raises ContractError for a reading that is no public method with a GET of at most one id.
    """
    options = _options(topic, name)
    return tuple(map(_reading, options.readings)) if options else ()


@cache
def topics() -> tuple[str, ...]:
    """Return the topics with an event that somebody may be told of, sorted."""
    told = (file for file in labels.area_files() if any(map(_is_told, file.message_types_by_name.values())))
    return tuple(sorted({file.package.split(".")[1] for file in told}))


def reading(topic: str, name: str, caller: Caller) -> Reading | None:
    """Return the first reading that is open to the caller's role, purpose and kind of agency."""
    return next((one for one in readings(topic, name) if _is_open(one.route.rpc, caller)), None)


def category(topic: str, name: str, source_kind: str) -> int:
    """Return the category that says that the event happened; 0, which nobody sees, where the source's kind has none."""
    options = _options(topic, name)
    if options is None:
        return 0
    return labels.enrolment_category(source_kind) if options.row_category_by_source_kind else int(options.row_category)


def _is_open(rpc: MethodDescriptor, caller: Caller) -> bool:
    access = labels.access(rpc)
    if access is None:
        raise not_found()
    kind = words_pb2.AgencyKind.Value(f"AGENCY_KIND_{caller.agency_kind.upper()}")
    role = words_pb2.Role.Value(f"ROLE_{caller.role.upper()}")
    purpose = words_pb2.Purpose.Value(f"PURPOSE_{caller.purpose}")
    return role in access.roles and purpose in access.purposes and (not access.kinds or kind in access.kinds)


@cache
def _options(topic: str, name: str) -> options_pb2.EventOptions | None:
    for file in labels.area_files(topic):
        message = file.message_types_by_name.get(name)
        if message is not None:
            return labels.event_options(message)
    return None


def _is_told(message: Descriptor) -> bool:
    options = labels.event_options(message)
    return options is not None and bool(options.readings)


def _reading(said: options_pb2.EventOptions.Reading) -> Reading:
    route = _gets().get(said.method)
    if route is None or len(route.params) > 1 or said.of == options_pb2.EventOptions.OF_UNSPECIFIED:
        raise labels.ContractError(f"an event cannot be read at {said.method}")
    return Reading(route, said.of == options_pb2.EventOptions.OF_REFERRAL)


@cache
def _gets() -> dict[str, Route]:
    services = {rpc.containing_service.full_name: rpc.containing_service for rpc in labels.public_methods()}
    return {route.rpc.full_name: route for route in bindings.routes(services.values()) if route.verb == "GET"}
