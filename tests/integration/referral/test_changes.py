from __future__ import annotations

from datetime import datetime, timedelta

from lead.casework.v1.casework_events_pb2 import IntakeConfirmed
from lead.options.v1 import options_pb2, words_pb2
from lead.referral.v1 import referral_pb2 as pb
from sqlalchemy import text, update

from services.referral.models import REFERRALS
from services.shared.wire import stamp
from tests.integration.referral.exchange import Exchange
from tests.integration.referral.test_consumers import at, confirmed, decided, delivered
from tests.integration.referral.test_moves import approve, offer
from tests.unit.referral.builders import NOW, a_caller, a_draft, from_rms


def later(minutes: int) -> datetime:
    return NOW + timedelta(minutes=minutes)


def times(reference: options_pb2.Reference) -> dict[str, datetime]:
    return {
        words_pb2.Category.Name(each.category).removeprefix("CATEGORY_"): each.time.ToDatetime(tzinfo=NOW.tzinfo)
        for each in reference.changes
    }


def moved(reference: options_pb2.Reference, since: datetime) -> set[str]:
    return {name for name, time in times(reference).items() if time > since}


def changed_after(exchange: Exchange, moment: datetime) -> set[str]:
    return {each.id for each in exchange.list_all(updated_after=stamp(moment))}


def test_a_new_referral_has_one_time_in_every_category(exchange: Exchange) -> None:
    made = exchange.submit(a_draft())
    assert set(times(made.reference).values()) == {NOW}
    assert {"REFERRAL", "IDENTITY", "CHARGE", "OFFICER_NARRATIVE", "STAFF", "ELIGIBILITY"} <= set(times(made.reference))


def test_a_correction_moves_the_categories_that_it_corrects(exchange: Exchange) -> None:
    exchange.submit(from_rms())
    exchange.clock.advance(60)
    again = exchange.submit(from_rms(version=2, narrative="Corrected."))
    # Its source's version is part of the referral's own category.
    assert moved(again.reference, NOW) == {"REFERRAL", "OFFICER_NARRATIVE"}
    exchange.clock.advance(60)
    person = pb.Person(given_name="Testa", family_name="Probe", birth_date="1990-05-17")
    third = exchange.submit(from_rms(version=3, narrative="Corrected.", person=person))
    assert moved(third.reference, later(1)) == {"REFERRAL", "IDENTITY"}
    assert times(third.reference)["OFFICER_NARRATIVE"] == later(1)
    assert exchange.get(third.id) == third


def test_moves_move_what_they_say(exchange: Exchange) -> None:
    made = exchange.submit(a_draft())
    exchange.clock.advance(60)
    approved = approve(exchange, made)
    assert moved(approved.reference, NOW) == {"REFERRAL"}
    exchange.clock.advance(60)
    offered = offer(exchange, approved)
    assert moved(offered.reference, later(1)) == {"REFERRAL", "CONTACT_LOCATION"}
    assert exchange.get(made.id) == offered


def test_another_agencys_record_has_times_of_its_own(exchange: Exchange) -> None:
    made = exchange.submit(a_draft())
    exchange.clock.advance(60)
    decided(exchange, made, "FILE")
    confirmed(exchange, made)
    shown = exchange.get(made.id)
    assert shown.reference == made.reference
    assert times(shown.charges[0].decision.reference) == {"DECISION": later(1)}
    assert times(shown.confirmation.reference) == {"PROGRAM_STATUS": later(1)}


def test_a_newer_version_that_says_the_same_is_no_change(exchange: Exchange) -> None:
    made = exchange.submit(a_draft())
    exchange.clock.advance(60)
    confirmed(exchange, made)
    exchange.clock.advance(60)
    say_again(exchange, made)
    assert times(exchange.get(made.id).confirmation.reference) == {"PROGRAM_STATUS": later(1)}
    confirmed(exchange, made, version=3)
    assert times(exchange.get(made.id).confirmation.reference) == {"PROGRAM_STATUS": later(2)}


def say_again(exchange: Exchange, made: pb.Referral) -> None:
    """The same two facts in a second version."""
    delivered(
        exchange,
        IntakeConfirmed(intake_confirmed_time=at(0), working_as_of_time=at(1)),
        record_id="par_1",
        subject_id=made.reference.subject_id,
        source_agency_id="sample-outreach",
        version=2,
    )


def test_a_list_by_change_holds_what_changed_itself_or_beside(exchange: Exchange) -> None:
    own, judged, confirmed_one, still = (exchange.submit(from_rms(f"R-{number}")) for number in range(4))
    exchange.clock.advance(60)
    exchange.submit(from_rms("R-0", version=2))
    decided(exchange, judged, "FILE")
    confirmed(exchange, confirmed_one)
    assert changed_after(exchange, NOW) == {own.id, judged.id, confirmed_one.id}
    assert changed_after(exchange, later(1)) == set()
    assert still.id in changed_after(exchange, NOW - timedelta(seconds=1))


def test_a_list_by_change_goes_by_id_and_its_pages_join(exchange: Exchange) -> None:
    made = [exchange.submit(from_rms(f"R-{number}")).id for number in range(7)]
    exchange.clock.advance(60)
    for number in (6, 2, 4, 0, 5):
        exchange.submit(from_rms(f"R-{number}", version=2))
    found = [each.id for each in exchange.list_all(updated_after=stamp(NOW))]
    assert found == sorted(made[number] for number in (0, 2, 4, 5, 6))


def test_who_changes_nothing_moves_nothing(exchange: Exchange) -> None:
    made = exchange.submit(from_rms())
    exchange.clock.advance(60)
    assert exchange.submit(from_rms()) == made
    assert changed_after(exchange, NOW) == set()


def test_what_the_release_before_wrote_counts_as_changed_as_a_whole(exchange: Exchange) -> None:
    made = exchange.submit(from_rms())
    with exchange.db.write() as connection:
        connection.execute(update(REFERRALS).values(changes=None, updated_at=later(5)))
        assert connection.execute(text("SELECT changes FROM referrals")).scalar() is None
    assert set(times(exchange.get(made.id).reference).values()) == {later(5)}
    exchange.clock.advance(600)
    again = exchange.submit(from_rms(version=2, narrative="Corrected."))
    assert moved(again.reference, later(5)) == {"REFERRAL", "OFFICER_NARRATIVE"}


def test_the_programme_office_is_asked_by_the_same_rule(exchange: Exchange) -> None:
    made = exchange.submit(from_rms())
    manager = a_caller("program_manager", "sample-office")
    exchange.clock.advance(60)
    decided(exchange, made, "FILE")
    assert [each.id for each in exchange.list_all(manager, updated_after=stamp(NOW))] == [made.id]
