"""Made-up cohorts as deliveries: ten people whose tables can be counted by hand, as often as a count may be told."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from lead.referral.v1 import justice_pb2

from services.shared.events.delivery import Delivery
from tests.integration.outcomes.bureau import JAIL, TODAY, a_feed, a_handoff, a_link, a_referral, an_event, an_intake

# A leap day: six months later is 29 August.
T0 = datetime(2024, 2, 29, 9, 30, tzinfo=UTC)
WINDOW_END = datetime(2024, 8, 29, 9, 30, tzinfo=UTC)
COPIES = 15
"""Each of the ten so often: every count is then 0 or a multiple of 15, and rounding to 5 changes none."""

_DAY = timedelta(days=1)


def feeds() -> list[Delivery[Any]]:
    """Return that both agencies' feeds are complete."""
    return [a_feed(TODAY - _DAY), a_feed(TODAY - 2 * _DAY, JAIL)]


def ten_people(copies: int = COPIES) -> list[Delivery[Any]]:
    """Return everything that is told of them, in the order in which it happened.

    Under ARR_ALL over six months four of ten have an event (1, 3, 6, 7), one dies without (5), and five have neither.
    """
    return [told for copy in range(copies) for person in range(10) for told in one_of_ten(person, f"{person}x{copy}")]


def one_of_ten(person: int, name: str) -> Iterator[Delivery[Any]]:
    """Yield what is told of one of the ten; 0 and 5 complete intake within the clock."""
    yield a_referral(name, T0)
    yield a_link(f"ref_{name}", f"stu_{name}")
    if person in (0, 5):
        yield an_intake(name, T0 + 20 * _DAY)
        yield a_handoff(name, 25)
    yield from _EVENTS[person](name)


def _nothing(_name: str) -> Iterator[Delivery[Any]]:
    yield from ()


def _arrested(name: str, at: datetime, *, link: dict[str, Any] | None = None, **facts: Any) -> Iterator[Delivery[Any]]:
    yield an_event(name, at, **{"incident_key": f"new-{name}", **facts})
    yield a_link(f"jev_{name}", f"stu_{name.split('-', maxsplit=1)[0]}", **(link or {}))


def _soon(name: str) -> Iterator[Delivery[Any]]:
    yield from _arrested(name, T0 + 10 * _DAY)


def _index_only(name: str) -> Iterator[Delivery[Any]]:
    # The arrest that brought the person here, reported under the referral's incident a minute later.
    yield from _arrested(name, T0 + timedelta(minutes=1), incident_key=f"incident-{name}")


def _at_the_last_moment(name: str) -> Iterator[Delivery[Any]]:
    yield from _arrested(name, WINDOW_END)


def _a_second_too_late(name: str) -> Iterator[Delivery[Any]]:
    yield from _arrested(name, WINDOW_END + timedelta(seconds=1))


def _died(name: str) -> Iterator[Delivery[Any]]:
    yield an_event(name, T0 + 100 * _DAY, "DEATH")
    yield a_link(f"jev_{name}", f"stu_{name}")


def _two_charges(name: str) -> Iterator[Delivery[Any]]:
    for number in range(2):
        yield from _arrested(f"{name}-{number}", T0 + 50 * _DAY, incident_key=f"one-{name}")


def _on_a_warrant(name: str) -> Iterator[Delivery[Any]]:
    warrant = justice_pb2.WARRANT_KIND_PRIOR_OFFENCE
    yield from _arrested(name, T0 + 60 * _DAY, warrant_kind=warrant, warrant_time=T0 - 90 * _DAY)


def _taken_for_another(name: str) -> Iterator[Delivery[Any]]:
    yield from _arrested(name, T0 + 70 * _DAY)
    yield a_link(f"jev_{name}", f"stu_{name}", version=2, withdrawn=True)


def _perhaps(name: str) -> Iterator[Delivery[Any]]:
    yield from _arrested(name, T0 + 80 * _DAY, link={"score": 0.9})


_EVENTS = (
    _nothing, _soon, _index_only, _at_the_last_moment, _a_second_too_late, _died, _two_charges, _on_a_warrant,
    _taken_for_another, _perhaps,
)  # fmt: skip
