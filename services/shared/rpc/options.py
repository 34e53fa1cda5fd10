"""Settings of servers and channels: sizes, keepalive, retries."""

from __future__ import annotations

import json

from services.shared import labels

# A file of 16 MiB, and room for what travels beside it in its message (contract, Rules).
MESSAGE_BYTES = 16 * 1024 * 1024 + 64 * 1024
DEFAULT_SECONDS = 5.0
# A stream lives as long as its connection: at most an hour, then the client connects again.
_HOUR_MS = 60 * 60 * 1000
# Room for a status that names thousands of wrong fields (status.py); gRPC's own bound is 8 KiB.
_STATUS_ROOM = 256 * 1024
# First words of methods that may be sent twice, by what they do: readers, and writers whose second run changes
# nothing (leasing a key again gives the same key, an older or equal statement never overwrites). `Append` is not here.
_REPEATABLE = ("Get", "List", "Read", "Resolve", "Decide", "Release", "Lease", "State", "Link")

Options = tuple[tuple[str, str | int], ...]

_BOTH: Options = (
    ("grpc.max_receive_message_length", MESSAGE_BYTES),
    ("grpc.max_send_message_length", MESSAGE_BYTES),
    # A session with consent is worth nothing after 5 s; a dead connection under it should not linger much longer.
    ("grpc.keepalive_time_ms", 10_000),
    ("grpc.keepalive_timeout_ms", 5_000),
)
SERVER: Options = (
    *_BOTH,
    # Two servers on one port would silently share its calls.
    ("grpc.so_reuseport", 0),
    ("grpc.http2.min_ping_interval_without_data_ms", 5_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.max_connection_age_ms", _HOUR_MS),
    ("grpc.max_connection_age_grace_ms", 30_000),
)


def client(service: str, host: str) -> Options:
    """Return a channel's options: `service` is the area at the other end, `host` the name its certificate must show."""
    return (
        *_BOTH,
        ("grpc.max_metadata_size", _STATUS_ROOM),
        ("grpc.absolute_max_metadata_size", _STATUS_ROOM),
        ("grpc.ssl_target_name_override", host),
        ("grpc.enable_retries", 1),
        ("grpc.service_config", json.dumps(_service_config(service))),
        # A peer that was down is tried again within a second or two, since reads fail closed until then.
        ("grpc.initial_reconnect_backoff_ms", 100),
        ("grpc.max_reconnect_backoff_ms", 2_000),
    )


def _service_config(service: str) -> dict[str, object]:
    names = [
        {"service": method.containing_service.full_name, "method": method.name}
        for file in labels.area_files(service)
        for declared in file.services_by_name.values()
        for method in declared.methods
        if method.name.startswith(_REPEATABLE) and not (method.client_streaming or method.server_streaming)
    ]
    policy = {
        "maxAttempts": 3,
        "initialBackoff": "0.05s",
        "maxBackoff": "0.5s",
        "backoffMultiplier": 3,
        "retryableStatusCodes": ["UNAVAILABLE"],
    }
    config: dict[str, object] = {"retryThrottling": {"maxTokens": 20, "tokenRatio": 0.1}}
    if names:
        config["methodConfig"] = [{"name": names, "retryPolicy": policy}]
    return config
