"""A contract of its own for tests of the rpc chain, a servicer for it, and the certificates to serve it with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool
from google.protobuf.wrappers_pb2 import StringValue
from lead.options.v1 import options_pb2

PACKAGE = "leadx.probe.v1"
PUBLIC = f"{PACKAGE}.ProbeService"
INTERNAL = f"{PACKAGE}.ProbeInternalService"
UNSAID = f"{PACKAGE}.UnsaidService"
_TEXT = ".google.protobuf.StringValue"
# Name, whether the request streams, whether the answer streams.
_KINDS = (("Ask", False, False), ("Watch", False, True), ("Upload", True, False), ("Talk", True, True))


@cache
def declare() -> None:
    """Put the probe contract into the default pool; a second time changes nothing."""
    file = descriptor_pb2.FileDescriptorProto(name="leadx/probe/v1/probe.proto", package=PACKAGE, syntax="proto3")
    file.dependency.extend(["lead/options/v1/options.proto", "google/protobuf/wrappers.proto"])
    public = options_pb2.Access(permission="probe:probe:ask", exposure=options_pb2.EXPOSURE_PUBLIC)
    internal = options_pb2.Access(
        permission="probe:probe:ask", exposure=options_pb2.EXPOSURE_INTERNAL, services=["review"]
    )
    for name, access in ((PUBLIC, public), (INTERNAL, internal), (UNSAID, None)):
        _service(file, name.rsplit(".", 1)[1], access)
    descriptor_pool.Default().AddSerializedFile(file.SerializeToString())


def _service(file: descriptor_pb2.FileDescriptorProto, name: str, access: options_pb2.Access | None) -> None:
    service = file.service.add(name=name)
    for kind, asks, answers in _KINDS:
        method = service.method.add(
            name=kind, input_type=_TEXT, output_type=_TEXT, client_streaming=asks, server_streaming=answers
        )
        if access is not None:
            method.options.Extensions[options_pb2.access].CopyFrom(access)


class Probe:
    """Answers by what a test plugs in: `ask` takes and gives a text, `watch` gives texts; both may raise."""

    def __init__(
        self,
        ask: Callable[[str], str] = lambda text: text,
        watch: Callable[[str], Iterator[str]] = lambda text: iter([text, text]),
    ) -> None:
        """Answer by these two functions."""
        self._ask = ask
        self._watch = watch

    def ask(self, request: StringValue, _: grpc.ServicerContext) -> StringValue:
        """One for one."""
        return StringValue(value=self._ask(request.value))

    def watch(self, request: StringValue, _: grpc.ServicerContext) -> Iterator[StringValue]:
        """Many for one."""
        for text in self._watch(request.value):
            yield StringValue(value=text)

    def upload(self, requests: Iterator[StringValue], _: grpc.ServicerContext) -> StringValue:
        """One for many."""
        return StringValue(value=self._ask(" ".join(each.value for each in requests)))

    def talk(self, requests: Iterator[StringValue], _: grpc.ServicerContext) -> Iterator[StringValue]:
        """Many for many."""
        for each in requests:
            yield StringValue(value=self._ask(each.value))


def adder(service: str) -> Callable[[Any, grpc.Server], None]:
    """Return what generated code would have for one of the probe services."""

    def add(probe: Probe, server: grpc.Server) -> None:
        read, write = StringValue.FromString, StringValue.SerializeToString
        server.add_registered_method_handlers(
            service,
            {
                "Ask": grpc.unary_unary_rpc_method_handler(probe.ask, read, write),
                "Watch": grpc.unary_stream_rpc_method_handler(probe.watch, read, write),
                "Upload": grpc.stream_unary_rpc_method_handler(probe.upload, read, write),
                "Talk": grpc.stream_stream_rpc_method_handler(probe.talk, read, write),
            },
        )

    return add


class ProbeStub:
    """What generated code would have to call one of the probe services; texts in, texts out."""

    def __init__(self, channel: grpc.Channel, service: str = PUBLIC) -> None:
        """Call over this channel."""
        codec: dict[str, Any] = {
            "request_serializer": StringValue.SerializeToString,
            "response_deserializer": StringValue.FromString,
        }
        self._ask = channel.unary_unary(f"/{service}/Ask", **codec)
        self._watch = channel.unary_stream(f"/{service}/Watch", **codec)
        self._upload = channel.stream_unary(f"/{service}/Upload", **codec)
        self._talk = channel.stream_stream(f"/{service}/Talk", **codec)

    def ask(self, text: str, **beside: Any) -> str:
        """One for one."""
        answer: StringValue = self._ask(StringValue(value=text), **beside)
        return answer.value

    def watch(self, text: str, **beside: Any) -> Any:
        """Many for one, as gRPC's own call object."""
        return self._watch(StringValue(value=text), **beside)

    def upload(self, *texts: str, **beside: Any) -> str:
        """One for many."""
        answer: StringValue = self._upload(iter([StringValue(value=text) for text in texts]), **beside)
        return answer.value

    def talk(self, *texts: str, **beside: Any) -> list[str]:
        """Many for many."""
        return [each.value for each in self._talk(iter([StringValue(value=text) for text in texts]), **beside)]
