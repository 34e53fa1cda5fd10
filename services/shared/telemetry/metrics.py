"""Every metric of every process, in one list. Labels are methods, codes, areas and topics, never people or categories.

With PROMETHEUS_MULTIPROC_DIR set before start, several worker processes of one service add up to one answer.
"""

from __future__ import annotations

import os

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.metrics import MetricWrapperBase
from prometheus_client.multiprocess import MultiProcessCollector

REGISTRY = CollectorRegistry()
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_FAST = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

RPC_SECONDS = Histogram(
    "leadx_rpc_seconds",
    "Time from a call's arrival to its answer; for streams, how long they were open.",
    ("service", "method", "code"),
    registry=REGISTRY,
    buckets=_FAST,
)
OUTBOX_OLDEST_SECONDS = Gauge(
    "leadx_outbox_oldest_seconds",
    "Age of the oldest event that is not yet on the log.",
    ("area",),
    registry=REGISTRY,
    multiprocess_mode="livemax",
)
DEAD_LETTERS = Counter(
    "leadx_dead_letters",
    "Events that a consumer gave up on.",
    ("consumer", "topic", "reason"),
    registry=REGISTRY,
)
LEDGER_APPEND_SECONDS = Histogram(
    "leadx_ledger_append_seconds",
    "Time from an entry's arrival until it is durable.",
    registry=REGISTRY,
    buckets=_FAST,
)
DECISIONS = Counter(
    "leadx_decisions",
    "Decisions by outcome, allow or deny.",
    ("outcome",),
    registry=REGISTRY,
)
DECISIONS_USED = Counter(
    "leadx_decisions_used",
    "Decisions that an enforcement point acted on, by whether it held them already or had to ask.",
    ("found",),
    registry=REGISTRY,
)
SESSION_ACK_SECONDS = Histogram(
    "leadx_session_ack_seconds",
    "Time until every session acknowledged an epoch or died: how long a revocation waits.",
    registry=REGISTRY,
    buckets=_FAST,
)
CONSUMER_LAG = Gauge(
    "leadx_consumer_lag",
    "Events on the log that a consumer has not yet applied.",
    ("consumer", "topic"),
    registry=REGISTRY,
    multiprocess_mode="livemax",
)

ALL: tuple[MetricWrapperBase, ...] = (
    RPC_SECONDS,
    OUTBOX_OLDEST_SECONDS,
    DEAD_LETTERS,
    LEDGER_APPEND_SECONDS,
    DECISIONS,
    DECISIONS_USED,
    SESSION_ACK_SECONDS,
    CONSUMER_LAG,
)


def decisions_made(held: int, asked: int) -> None:
    """Count decisions that were acted on: `held` in memory, `asked` of consent."""
    DECISIONS_USED.labels("held").inc(held)
    DECISIONS_USED.labels("asked").inc(asked)


def render() -> bytes:
    """Return all metrics of this process, or of all its workers, in the Prometheus text format."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return generate_latest(REGISTRY)
    together = CollectorRegistry()
    MultiProcessCollector(together)  # type: ignore[no-untyped-call]
    return generate_latest(together)
