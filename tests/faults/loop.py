"""What the loop acknowledged must be there once wherever it belongs: provider's lists, casework's links, outcomes'."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from services.command.demo import journey
from services.command.demo.story import Person, Story
from tests.faults.books import Books
from tests.faults.senders import PROVIDER, SYSTEM
from tests.faults.waiting import listed

# By record: study id, and the evaluation entry that it was registered for, "" for none.
Links = Mapping[str, list[tuple[str, str]]]


def check_enrolled(story: Story, person: Person, enrolments: Mapping[str, str], asked: Collection[str]) -> None:
    """Check that each enrolment (by the provider's own name) and each service referral is listed once to both sides."""
    provider, manager = story.caller("provider_staff", PROVIDER), journey.case_manager(story, person)
    own = listed(provider, "/v1/enrollments", "enrollments")
    named = Counter((row["source"]["recordId"], row["id"]) for row in own if row["source"]["system"] == SYSTEM)
    assert {one: times for one, times in named.items() if one[0] in enrolments} == Counter(enrolments.items())
    check_listed(listed(manager, "/v1/enrollments", "enrollments"), enrolments.values())
    for client in (provider, manager):
        check_listed(listed(client, "/v1/serviceReferrals", "serviceReferrals"), asked)


def check_listed(rows: Iterable[Mapping[str, str]], wished: Collection[str]) -> None:
    """Check that a list has each of these ids once."""
    times = Counter(row["id"] for row in rows)
    assert {one: times[one] for one in wished} == dict.fromkeys(wished, 1)


@dataclass(frozen=True, kw_only=True)
class Counted:
    """Records that outcomes counts: referrals, justice events, and those of them that an entry was registered by.

    `same` has, by event, the referral of the same person; everybody else is somebody else.
    """

    referrals: Collection[str] = ()
    events: Collection[str] = ()
    # Entry by its index event.
    entries: Mapping[str, str] = field(default_factory=dict)
    same: Mapping[str, str] = field(default_factory=dict)

    @property
    def linked(self) -> set[str]:
        """All records that belong to a study."""
        return {*self.referrals, *self.entries, *self.same}


def check_counted(books: Books, wished: Counted) -> None:
    """Check that outcomes has each row once, and that it and casework link the same records to the same studies."""
    for table, column, ids in (
        ("referrals", "referral_id", wished.referrals),
        ("justice_events", "event_id", wished.events),
        ("entries", "id", wished.entries.values()),
    ):
        check_listed(({"id": row[0]} for row in books.rows("outcomes", f"SELECT {column} FROM {table}")), ids)  # noqa: S608
    published, counted = _published(books), _counted(books)
    assert {one: counted[one] for one in wished.linked} == {one: published[one] for one in wished.linked}
    for record, entry in (*((one, "") for one in wished.referrals), *wished.entries.items()):
        assert [each for _, each in published[record]] == [entry]
    studies = {one: published[one][0][0] for one in (*wished.referrals, *wished.entries)}
    assert len({*studies.values()}) == len(studies)
    for event, referral in wished.same.items():
        assert published[event] == [(studies[referral], "")]


def check_said_once(books: Books, records: Collection[str]) -> None:
    """Check that casework has said once of each of these records what it is linked to."""
    said = dict(books.rows("casework", "SELECT id, said FROM index_records"))
    assert {one: said.get(one) for one in records} == dict.fromkeys(records, 1)


def _published(books: Books) -> Links:
    return _by_record(books.rows("casework", "SELECT record_id, study_id, entry_id FROM index_study_links"))


def _counted(books: Books) -> Links:
    return _by_record(books.rows("outcomes", "SELECT record_id, study_id, entry_id FROM links WHERE NOT is_withdrawn"))


def _by_record(rows: Iterable[tuple[str, str, str]]) -> Links:
    found: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for record, study, entry in sorted(rows):
        found[record].append((study, entry))
    return found
