"""The ten of the demo's tables, and what each of them sees of one person by all calls that his role may make."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from services.command.demo import drafts, expected, journey
from services.command.demo.calls import Read, reads
from services.command.demo.client import Answer, Client
from services.command.demo.seen import Label, seen
from services.command.demo.story import Person, Story
from services.command.exchange import Exchange

_OK = 200
# Absent, withheld, or not for this role and purpose: nothing was seen.
_NOTHING = frozenset({403, 404})
# Members by which a row of a list says whom it is about.
_NAMING = ("id", "referralId", "participantId", "entry")
# What calls need beside their path.
_QUERIES: Mapping[str, Mapping[str, str]] = {
    "GetInclusionProof": {"entry": "0", "size": "1"},
    "GetConsistencyProof": {"first": "1", "second": "2"},
    "GetFunnel": {"siteId": drafts.SITE},
    "GetRearrest": {"siteId": drafts.SITE},
}


@dataclass(frozen=True, slots=True)
class Viewer:
    """One who looks. `agency` is empty for the participant, and for the case manager it is the person's own."""

    name: str
    code: str
    words: str
    role: str
    kind: str
    agency: str = ""


VIEWERS = (
    Viewer("officer", "PO", "officer", "police_officer", "police", drafts.POLICE),
    Viewer("prosecutor", "PR", "prosecutor", "prosecutor", "prosecutor", drafts.OFFICE),
    Viewer("defender", "DE", "defender", "defender", "defender", "sample-defender"),
    Viewer("case_manager", "CM", "case manager who took the release", "case_manager", "case_management"),
    Viewer(
        "other_case_agency",
        "C2",
        "another case-management agency",
        "case_manager",
        "case_management",
        "sample-second-outreach",
    ),
    Viewer("treatment_program", "TX", "treatment program", "provider_staff", "sud_treatment", "sample-treatment"),
    Viewer("housing_provider", "HO", "housing provider", "provider_staff", "housing", "sample-housing"),
    Viewer("programme_manager", "PM", "programme manager", "program_manager", "program_office", "sample-office"),
    Viewer("auditor", "AU", "auditor", "auditor", "auditor", "sample-auditor"),
    Viewer("participant", "ME", "the participant", "participant", ""),
)


@dataclass(frozen=True, slots=True)
class Known:
    """How one person is named in paths and rows: ids by collection, and everything that names this person alone."""

    ids: Mapping[str, str]
    names: frozenset[str]

    def concerns(self, row: Mapping[str, object]) -> bool:
        """Tell whether a row of a list is about this person."""
        return any(str(row.get(member, "")) in self.names for member in _NAMING)

    def is_named_by(self, path: str) -> bool:
        """Tell whether a path asks for this person's own record."""
        return any(name in path.split("/") for name in self.names)


class Looks:
    """Looks at the exchange through its HTTP face. What is about nobody is looked at once per viewer.

    It is the same for every person and purpose (matrix row 39), and the matrix itself is a megabyte.
    """

    def __init__(self) -> None:
        """Nothing has been looked at."""
        self._impersonal: dict[tuple[str, str, str], frozenset[Label]] = {}

    def at(self, client: Client, viewer: Viewer, person: Person, known: Known) -> frozenset[str]:
        """Return the categories that the viewer sees of the person: the union over all his calls and purposes."""
        found = frozenset(self._labels(client, viewer, known))
        present = any(expected.is_presence_itself(category) for _, category in found) or (
            person.case_agency in drafts.PART2_AGENCIES
            and any(
                expected.is_of_case_agency(record) and expected.tells_presence(category) for record, category in found
            )
        )
        return frozenset(category for _, category in found) | ({expected.PRESENCE} if present else frozenset())

    def _labels(self, client: Client, viewer: Viewer, known: Known) -> Iterator[Label]:
        for read in reads(viewer.role, viewer.kind):
            path = read.path(known.ids)
            if path and not read.is_about_people:
                yield from self._once(client, viewer, read, path, known)
                continue
            for purpose in read.purposes if path else ():
                yield from _looked(client, read, path, purpose, known)

    def _once(self, client: Client, viewer: Viewer, read: Read, path: str, known: Known) -> frozenset[Label]:
        place = (viewer.role, viewer.kind, path)
        if place not in self._impersonal:
            self._impersonal[place] = frozenset(_looked(client, read, path, read.purposes[0], known))
        return self._impersonal[place]


_LOOKS: WeakKeyDictionary[Exchange, Looks] = WeakKeyDictionary()


def looks_at(exchange: Exchange) -> Looks:
    """Return the looks at this exchange, which remember over chapters what is about nobody."""
    return _LOOKS.setdefault(exchange, Looks())


def client_of(story: Story, viewer: Viewer, person: Person) -> Client:
    """Return the client by which the viewer looks at this person."""
    if viewer.name == "participant":
        return story.caller("participant", participant=person.participant_id)
    return story.caller(viewer.role, viewer.agency or person.case_agency)


def known_of(story: Story, person: Person) -> Known:
    """Return how the person is named by now; ledger entries by their place, as the person's own accounting has them."""
    review_id = str(journey.review_of(story, person)["id"])
    own = story.caller("participant", participant=person.participant_id)
    lines = own.pages(f"/v1/participants/{person.participant_id}/disclosures", "disclosures", pageSize="500")
    entries = {str(line["entry"]) for line in lines}
    ids = {"referrals": person.referral_id, "reviews": review_id, "participants": person.participant_id}
    names = {*ids.values(), person.handoff_id, *person.consents.values(), *person.services.values(), *entries}
    return Known({**ids, "sites": drafts.SITE}, frozenset(names - {""}))


def _looked(client: Client, read: Read, path: str, purpose: str, known: Known) -> Iterator[Label]:
    for answer in _answers(client, read, path, purpose):
        if answer.status == _OK:
            yield from _about(answer, read, path, known)
        elif answer.status not in _NOTHING:
            yield "", f"HTTP {answer.status}"


def _answers(client: Client, read: Read, path: str, purpose: str) -> Iterator[Answer]:
    query = dict(_QUERIES.get(read.rpc.name, {}))
    if "page_size" in read.rpc.input_type.fields_by_name:
        query["pageSize"] = "500"
    while True:
        answer = client.get(path, purpose=purpose, **query)
        yield answer
        query["pageToken"] = answer.body.get("nextPageToken", "") if answer.status == _OK else ""
        if not query["pageToken"]:
            return


def _about(answer: Answer, read: Read, path: str, known: Known) -> Iterator[Label]:
    """Yield what an answer shows of the person; of a list about people only the rows that name this one count."""
    body = answer.body
    if read.is_list and read.is_about_people and not known.is_named_by(path):
        body = {
            name: [row for row in value if known.concerns(row)] if isinstance(value, list) else value
            for name, value in body.items()
        }
    yield from seen(body, read.rpc.output_type)
