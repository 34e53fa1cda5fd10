"""Streams: each event decided, recorded and looked at once more at the moment it is sent; cut and resumed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from lead.audit.v1 import audit_pb2
from lead.options.v1 import words_pb2

from gateway.feed.cursor import Lane
from gateway.feed.store import FeedEvent
from services.shared.errors import Code
from tests.integration.gateway.following import MOST_OF_AGENCY, FakeSink, World
from tests.support.clock import NOON
from tests.unit.gateway.exchange import bits, disabled, run

DISCLOSURE = audit_pb2.ENTRY_KIND_DISCLOSURE
Scenario = Callable[[World], Awaitable[None]]


@pytest.fixture
def played(tmp_path: Path) -> Callable[[Scenario], World]:
    """Plays a scenario in a world of its own."""

    def play(scenario: Scenario) -> World:
        async def whole() -> World:
            world = World(tmp_path)
            try:
                await asyncio.wait_for(scenario(world), 60)
            finally:
                world.close()
            return world

        return run(whole())

    return play


def a_referral(number: int = 1, version: int = 1) -> FeedEvent:
    return FeedEvent(
        f"evt_{number}_{version}",
        "referral",
        "ReferralRecorded",
        f"ref_{number}",
        f"sub_{number}",
        "police",
        version,
        NOON,
    )


def an_intake(number: int = 1) -> FeedEvent:
    return FeedEvent(
        f"evt_intake_{number}",
        "casework",
        "IntakeConfirmed",
        f"par_{number}",
        f"sub_{number}",
        "case_management",
        7,
        NOON,
    )


def shows(world: World, *words: str, consent_id: str = "") -> None:
    """Let everybody see these categories of every person from now on; effective everywhere on return."""
    world.consent.rule = lambda _, __: bits(*words) if words else 0
    world.consent.ruling.consent_id = consent_id
    world.consent.change("sub_1", "sub_2")


def test_an_event_says_what_happened_and_where_it_is_read(played: Callable[[Scenario], World]) -> None:
    async def scenario(world: World) -> None:
        world.happens(a_referral(version=3))
        async with world.following() as sink:
            await sink.until(2)
        alive, told = sink.answers
        assert not alive.HasField("event")
        event = told.event
        assert (event.id, event.type, event.version) == ("evt_1_3", "ReferralRecorded", 3)
        assert (event.record_id, event.href) == ("ref_1", "/v1/referrals/ref_1")
        assert event.category == words_pb2.CATEGORY_REFERRAL
        assert event.time.ToDatetime(tzinfo=NOON.tzinfo) == NOON
        assert not event.HasField("reference")

    played(scenario)


def test_who_follows_a_referral_never_learns_another_id(played: Callable[[Scenario], World]) -> None:
    async def scenario(world: World) -> None:
        shows(world, "REFERRAL", "PROGRAM_STATUS")
        world.happens(a_referral())
        world.happens(an_intake())
        async with world.following() as sink:
            await sink.until(3)
        event = sink.events[1].event
        assert (event.type, event.record_id, event.href) == ("IntakeConfirmed", "ref_1", "/v1/referrals/ref_1")
        # It would count the changes of a record that is not read.
        assert not event.HasField("version")
        assert b"par_1" not in sink.events[1].SerializeToString()

    played(scenario)


def test_what_rests_on_a_release_is_recorded_and_accompanied(played: Callable[[Scenario], World]) -> None:
    async def scenario(world: World) -> None:
        shows(world, "REFERRAL", consent_id="con_1")
        world.happens(a_referral(1))
        world.happens(a_referral(2))
        async with world.following(request_id="req_7") as sink:
            await sink.until(3)
        assert [one.ref for one in sink.events[0].accompaniment.consents] == ["con_1"]
        assert sink.events[0].accompaniment.notice
        entries = [one for one in world.ledger.all() if one.kind == DISCLOSURE]
        assert [one.identifying.subject_id for one in entries] == ["sub_1", "sub_2"]
        assert {one.request_id for one in entries} == {"req_7"}

    played(scenario)


def test_every_event_of_a_subject_is_an_entry_of_its_own(played: Callable[[Scenario], World]) -> None:
    async def scenario(world: World) -> None:
        world.happens(a_referral(version=1))
        world.happens(a_referral(version=2))
        async with world.following() as sink:
            await sink.until(3)
        assert len([one for one in world.ledger.all() if one.kind == DISCLOSURE]) == 2

    played(scenario)


def test_ones_own_records_are_no_disclosure(played: Callable[[Scenario], World]) -> None:
    async def scenario(world: World) -> None:
        world.happens(a_referral())
        async with world.following(role="police_officer") as sink:
            await sink.until(2)
        assert [one.kind for one in world.ledger.all()] == [audit_pb2.ENTRY_KIND_ACCESS]

    played(scenario)


def test_what_is_withheld_is_passed_over_and_comes_once_when_a_release_opens_it(
    played: Callable[[Scenario], World],
) -> None:
    async def scenario(world: World) -> None:
        shows(world, "REFERRAL")
        world.happens(a_referral())
        world.happens(an_intake())
        world.happens(a_referral(2))
        async with world.following() as sink:
            await sink.until(3)
            assert sink.ids == ["evt_1_1", "evt_2_1"]
            shows(world, "REFERRAL", "PROGRAM_STATUS")
            world.follow_up("sub_1")
            await sink.until(4)
            world.follow_up("sub_1", "sub_2")
            world.happens(a_referral(version=2))
            await sink.until(5)
        assert sink.ids == ["evt_1_1", "evt_2_1", "evt_intake_1", "evt_1_2"]
        assert world.left_behind() == 0

    played(scenario)


def test_what_was_withheld_is_noted_before_anything_later_is_sent(played: Callable[[Scenario], World]) -> None:
    """A client that comes back behind it would otherwise never get it."""

    async def scenario(world: World) -> None:
        shows(world, "REFERRAL")
        world.happens(a_referral())
        world.happens(an_intake())
        world.happens(a_referral(2))
        async with world.following() as sink:
            sink.fill()
            await sink.is_waited_for.wait()
            assert sink.ids == []
            assert world.left_behind() == 0
            sink.drain()
            await sink.until(3)
            assert world.left_behind() == 1

    played(scenario)


def test_a_revocation_in_mid_stream_holds_the_next_event_back(played: Callable[[Scenario], World]) -> None:
    async def scenario(world: World) -> None:
        async with world.following() as sink:
            world.happens(a_referral())
            await sink.until(2)
            shows(world)
            world.happens(a_referral(version=2))
            world.happens(an_intake())
            await world.passes_over(2)
        assert sink.ids == ["evt_1_1"]

    played(scenario)


def test_a_revocation_while_the_ledger_writes_lets_nothing_out(played: Callable[[Scenario], World]) -> None:
    async def scenario(world: World) -> None:
        world.happens(a_referral())
        stream = await world.open()

        async def meanwhile() -> None:
            shows(world)

        world.ledger.meanwhile = meanwhile
        sink = FakeSink()
        running = asyncio.create_task(stream.run(sink))
        await world.passes_over(1)
        running.cancel()
        assert sink.ids == []

    played(scenario)


def test_a_revocation_while_the_client_is_behind_lets_nothing_out(played: Callable[[Scenario], World]) -> None:
    async def scenario(world: World) -> None:
        async with world.following() as sink:
            await sink.until(1)
            sink.fill()
            world.happens(a_referral())
            await sink.is_waited_for.wait()
            shows(world)
            sink.drain()
            await world.passes_over(1)
        assert sink.ids == []

    played(scenario)


def test_a_release_between_a_denial_and_its_note_is_not_lost(played: Callable[[Scenario], World]) -> None:
    """The writer may have looked for notes while there were none yet."""

    async def scenario(world: World) -> None:
        shows(world, "CHARGE")
        world.happens(a_referral())
        ask = world.exchange.decisions.of

        async def denied_late(*words: object) -> object:
            found = await ask(*words)  # type: ignore[arg-type]
            world.exchange.decisions.of = ask  # type: ignore[method-assign]
            return found

        world.exchange.decisions.of = denied_late  # type: ignore[assignment, method-assign]
        withhold = world.desk.withhold

        async def signed_meanwhile(*words: object) -> set[str]:
            shows(world, "REFERRAL")
            world.follow_up("sub_1")
            return await withhold(*words)  # type: ignore[arg-type]

        world.desk.withhold = signed_meanwhile  # type: ignore[assignment, method-assign]
        async with world.following() as sink:
            await sink.until(2)
        assert world.looked_again == ["sub_1"]
        assert sink.ids == ["evt_1_1"]

    played(scenario)


def test_what_another_stream_of_the_lane_passed_over_at_the_same_moment_comes_no_second_time(
    played: Callable[[Scenario], World],
) -> None:
    """One decided before a release, and was slow to note it; the other one after it."""

    async def scenario(world: World) -> None:
        world.happens(a_referral())
        async with world.following() as sink:
            await sink.until(2)
            await world.desk.withhold(Lane("prosecutor", "prosecutor", "DIVERSION_COORD"), {1: 1}, ())
            world.follow_up("sub_1")
            world.happens(a_referral(2))
            await sink.until(3)
        assert sink.ids == ["evt_1_1", "evt_2_1"]

    played(scenario)


def test_what_waits_for_its_referral_comes_with_it(played: Callable[[Scenario], World]) -> None:
    async def scenario(world: World) -> None:
        shows(world, "REFERRAL", "PROGRAM_STATUS")
        world.happens(an_intake())
        async with world.following() as sink:
            await world.passes_over(1)
            world.happens(a_referral())
            await sink.until(3)
        assert sorted(sink.ids) == ["evt_1_1", "evt_intake_1"]

    played(scenario)


def test_what_nobody_of_the_role_reads_is_not_told_and_not_kept_for_later(played: Callable[[Scenario], World]) -> None:
    async def scenario(world: World) -> None:
        world.happens(FeedEvent("evt_1", "referral", "HandoffRequested", "hof_1", "sub_1", "police", 1, NOON))
        world.happens(a_referral(2))
        async with world.following() as sink:
            await sink.until(2)
        assert sink.ids == ["evt_2_1"]
        assert world.left_behind() == 0

    played(scenario)


# Cut and resumed.


def test_a_client_that_comes_back_has_neither_gap_nor_repeat(played: Callable[[Scenario], World]) -> None:
    async def scenario(world: World) -> None:
        for number in (1, 2, 3):
            world.happens(a_referral(version=number))
        async with world.following() as first:
            await first.until(3)
        world.happens(a_referral(version=4))
        # What was sent after this one was lost on the way.
        async with world.following(cursor=first.events[0].cursor) as second:
            await second.until(4)
        assert second.ids == ["evt_1_2", "evt_1_3", "evt_1_4"]

    played(scenario)


def test_the_first_sign_of_life_is_a_cursor_to_come_back_with(played: Callable[[Scenario], World]) -> None:
    """Who is cut before anything happened would otherwise miss what happens before he is back."""

    async def scenario(world: World) -> None:
        world.happens(a_referral(version=1))
        async with world.following(cursor="") as first:
            await first.until(1)
        assert not first.events
        world.happens(a_referral(version=2))
        async with world.following(cursor=first.answers[0].cursor) as second:
            await second.until(2)
        assert second.ids == ["evt_1_2"]

    played(scenario)


def test_another_account_of_the_agency_may_go_on_with_a_cursor_and_no_other_lane(
    played: Callable[[Scenario], World],
) -> None:
    async def scenario(world: World) -> None:
        async with world.following() as sink:
            await sink.until(1)
        cursor = sink.answers[0].cursor
        account = world.consent.registry.accounts.add()
        account.CopyFrom(world.consent.registry.accounts[1])
        account.account_id = "colleague"
        world.consent.change(everything=True)
        (await world.open(role="colleague", cursor=cursor)).close()
        for words in ({"role": "police_officer"}, {"purpose": "DIVERSION_ELIG"}):
            refusal = await world.refused(cursor=cursor, **words)
            assert refusal.code is Code.INVALID_ARGUMENT
            assert [one.path for one in refusal.violations] == ["cursor"]

    played(scenario)


@pytest.mark.parametrize("cursor", ["x", "begin ", "A" * 80, "=", "\N{SNOWMAN}", "begin\0"])
def test_what_is_no_cursor_is_refused(played: Callable[[Scenario], World], cursor: str) -> None:
    async def scenario(world: World) -> None:
        assert (await world.refused(cursor=cursor)).code is Code.INVALID_ARGUMENT

    played(scenario)


def test_cursors_are_of_one_size_and_none_is_like_another(played: Callable[[Scenario], World]) -> None:
    async def scenario(world: World) -> None:
        world.happens(a_referral())
        async with world.following() as sink:
            await sink.until(2)
        cursors = {one.cursor for one in sink.answers}
        assert len(cursors) == 2
        assert len({len(one) for one in cursors}) == 1

    played(scenario)


# Whoever must answer is away.


@pytest.mark.parametrize("who", ["consent", "ledger"])
def test_while_somebody_who_must_answer_is_away_a_stream_waits_and_passes_nothing_over(
    played: Callable[[Scenario], World], who: str
) -> None:
    async def scenario(world: World) -> None:
        async with world.following() as sink:
            await sink.until(1)
            getattr(world, who).is_away = True
            world.happens(a_referral())
            for count in (2, 3):
                world.passes(16)
                await sink.until(count)
            assert not sink.events
            getattr(world, who).is_away = False
            await sink.until(4)
        assert sink.ids == ["evt_1_1"]

    played(scenario)


def test_a_sign_of_life_says_nothing_of_what_was_passed_over(played: Callable[[Scenario], World]) -> None:
    async def scenario(world: World) -> None:
        shows(world)
        async with world.following() as sink:
            await sink.until(1)
            world.happens(a_referral())
            await world.passes_over(1)
            assert len(sink.answers) == 1

    played(scenario)


# Who may no longer follow.


def test_an_account_that_is_disabled_ends_its_stream(played: Callable[[Scenario], World]) -> None:
    async def scenario(world: World) -> None:
        sink = FakeSink()
        ending = asyncio.create_task(world.ended(sink))
        await sink.until(1)
        disabled(world.exchange, "prosecutor")
        world.bell.ring_all()
        error = await ending
        assert error is not None
        assert error.code is Code.UNAUTHENTICATED

    played(scenario)


def test_a_token_that_expires_ends_its_stream(played: Callable[[Scenario], World]) -> None:
    async def scenario(world: World) -> None:
        sink = FakeSink()
        ending = asyncio.create_task(world.ended(sink))
        await sink.until(1)
        world.clock.advance(24 * 3600)
        world.consent.renew()
        world.happens(a_referral())
        error = await ending
        assert error is not None
        assert error.code is Code.UNAUTHENTICATED
        assert not sink.events

    played(scenario)


def test_who_may_not_follow_is_refused_and_recorded(played: Callable[[Scenario], World]) -> None:
    async def scenario(world: World) -> None:
        assert (await world.refused(role="par_1")).code is Code.PERMISSION_DENIED
        assert (await world.refused(purpose="PROSECUTION")).reason == "PURPOSE_REFUSED"
        assert [one.outcome for one in world.ledger.all()] == ["ROLE_NOT_ALLOWED", "PURPOSE_REFUSED"]

    played(scenario)


def test_an_agency_has_so_many_streams_and_a_place_comes_free_with_each_end(
    played: Callable[[Scenario], World],
) -> None:
    async def scenario(world: World) -> None:
        streams = [await world.open(request_id=f"req_{number}") for number in range(MOST_OF_AGENCY)]
        assert (await world.refused()).code is Code.RESOURCE_EXHAUSTED
        other = await world.open(role="police_officer")
        # All are taken now.
        assert (await world.refused(role="case_manager")).code is Code.RESOURCE_EXHAUSTED
        streams[0].close()
        streams[0].close()
        other.close()
        (await world.open()).close()

    played(scenario)


def test_a_stream_that_was_not_let_on_the_ledger_holds_no_place(played: Callable[[Scenario], World]) -> None:
    async def scenario(world: World) -> None:
        world.ledger.is_away = True
        for _ in range(2 * MOST_OF_AGENCY):
            assert (await world.refused()).code is Code.UNAVAILABLE

    played(scenario)


def test_streams_end_with_the_process_and_no_more_are_opened(played: Callable[[Scenario], World]) -> None:
    async def scenario(world: World) -> None:
        sink = FakeSink()
        ending = asyncio.create_task(world.ended(sink))
        await sink.until(1)
        await world.events.close()
        assert await ending is None
        assert (await world.refused()).code is Code.UNAVAILABLE

    played(scenario)


def test_a_client_that_hangs_does_not_keep_the_process_from_ending(played: Callable[[Scenario], World]) -> None:
    async def scenario(world: World) -> None:
        async with world.following() as sink:
            await sink.until(1)
            sink.fill()
            world.happens(a_referral())
            await sink.is_waited_for.wait()
            await asyncio.wait_for(world.events.close(), 10)

    played(scenario)


def test_no_stream_is_opened_while_the_feed_is_not_kept_up(played: Callable[[Scenario], World]) -> None:
    async def scenario(world: World) -> None:
        world.is_well = False
        assert (await world.refused()).code is Code.UNAVAILABLE

    played(scenario)
