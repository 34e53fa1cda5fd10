"""Claim 4: a release with missing elements is refused; what the preview says before signing is seen afterwards."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from google.protobuf.descriptor import Descriptor
from lead.casework.v1.casework_pb2 import Participant
from lead.referral.v1.referral_pb2 import Referral
from lead.review.v1.review_pb2 import ReceivedConfirmation
from rich.table import Table

from services.command.demo import drafts, journey
from services.command.demo.claim import Claim
from services.command.demo.drafts import Draft
from services.command.demo.seen import seen
from services.command.demo.story import Person, Story

# Not a matter of a release: told to whoever may see the record at all (matrix rows 39, 40).
_BESIDE = frozenset({"STAFF", "SYSTEM", "DIRECTORY"})
# 42 CFR 2.31(a) by the numbers of privacy-law.md: what an empty draft lacks ...
_EMPTY = frozenset({"P2-11", "P2-12", "P2-13", "P2-16", "P2-17", "P2-18", "P2-19", "P2-20", "P2-42"})
# ... and one for treatment that names a HIPAA recipient, has ended before it began, and tells the person nothing.
_UNTOLD = frozenset({"P2-15", "P2-17", "P2-18", "P2-19", "P2-21"})


def play(story: Story) -> Iterator[Claim]:
    """Take B, whom a Part 2 program cares for, through intake; then refuse, preview, and sign."""
    person = story.people["B"] = Person("Berenice", "Sample-B", "1987-09-15", "sample-recovery-outreach")
    journey.refer(story, person, charges=[drafts.possession(), drafts.theft()])
    journey.offer(story, person)
    journey.hand_over(story, person)
    journey.complete_intake(story, person, ("HOUSING", "TREATMENT"))
    yield _refused(story, person)
    before = {each.title: each.categories() for each in _views(story, person)}
    previews = {name: _preview(story, person, name) for name in ("narrow", "full")}
    yield _previewed(previews)
    yield _accepted(story, person)
    yield _as_previewed(story, person, previews["full"], before)


def _refused(story: Story, person: Person) -> Claim:
    client, path = journey.case_manager(story, person), f"/v1/participants/{person.participant_id}/consents"
    untold = drafts.full_release(person) | {"statements": {}, "signature": {}, "expireTime": drafts.ago(days=1)}
    before = client.get(path).body.get("consents", [])
    refused, holds = 0, True
    for draft, lacks in (({}, _EMPTY), (untold, _UNTOLD)):
        answer = client.post(path, draft)
        named = {each["wish"].partition(",")[0] for each in answer.body.get("violations", [])}
        holds &= answer.status == 400 and named == lacks
        refused += len(named)
    text = f"Releases with missing elements are refused and all {refused} are named, each with its law (42 CFR 2.31(a))"
    return Claim("4a", text, holds and client.get(path).body.get("consents", []) == before)


def _preview(story: Story, person: Person, name: str) -> dict[str, Any]:
    draft: Draft = getattr(drafts, f"{name}_release")(person)
    answer = journey.case_manager(story, person).post("/v1/consents:preview", draft)
    found: dict[str, Any] = journey.done("preview", answer)["preview"]
    return found


def _previewed(previews: Mapping[str, dict[str, Any]]) -> Claim:
    views = [(name, view) for name, preview in previews.items() for view in preview["views"]]
    told = all(view["words"] for _, view in views) and not any("missing" in each for each in previews.values())
    warned = all(any("SUD_PRESENCE" in note for note in preview.get("notes", [])) for preview in previews.values())
    narrow = [(view["recipientAgencyId"], _opens(view)) for name, view in views if name == "narrow"]
    least = narrow == [(drafts.OFFICE, {"PROGRAM_STATUS", "SUD_PRESENCE"})]
    text = "Before signing, the preview says who would see what of whom, and what it means that B's agency is Part 2"
    return Claim("4b", text, told and warned and least, _preview_table(views))


def _preview_table(views: Sequence[tuple[str, dict[str, Any]]]) -> Table:
    """Show what opens for each recipient, whichever source and purpose."""
    opens: dict[tuple[str, str], set[str]] = defaultdict(set)
    for name, view in views:
        opens[name, view["recipientAgencyId"]] |= _opens(view)
    table = Table("release", "recipient", "would see, over all sources and purposes")
    for (name, recipient), words in opens.items():
        table.add_row(name, recipient, " ".join(sorted(words)) or "nothing more")
    return table


def _opens(view: dict[str, Any]) -> set[str]:
    return {word.removeprefix("CATEGORY_") for word in view.get("opens", [])}


def _accepted(story: Story, person: Person) -> Claim:
    journey.narrow_release(story, person)
    journey.full_release(story, person)
    path = f"/v1/participants/{person.participant_id}/consents"
    listed = {each["id"]: each for each in journey.case_manager(story, person).get(path).body.get("consents", [])}
    mine = [listed.get(each, {}) for each in person.consents.values()]
    active = all(each.get("state") == "CONSENT_STATE_ACTIVE" and each.get("ruleVersion") for each in mine)
    text = "The narrow release of the hand-off and the full release are accepted, active from their signature"
    return Claim("4c", text, len(mine) == len(listed) == 2 and active)


class _View(NamedTuple):
    """What one recipient reads of one source's record of B, beside all that the source itself has in it."""

    title: str
    recipient: str
    source: str
    purpose: str
    descriptor: Descriptor
    shown: dict[str, Any]
    whole: dict[str, Any]

    def categories(self) -> frozenset[str]:
        """Return the categories that the recipient sees."""
        return _words(self.descriptor, self.shown, self.source)

    def carried(self) -> frozenset[str]:
        """Return the categories that the record has at its source."""
        return _words(self.descriptor, self.whole, self.source)


def _words(record: Descriptor, shown: dict[str, Any], source: str) -> frozenset[str]:
    words = {word for of, word in seen(shown, record) if of == record.full_name} - _BESIDE
    # Anything from a Part 2 program says that the person is known there.
    return frozenset(words | {"SUD_PRESENCE"} if words and source in drafts.PART2_AGENCIES else words)


def _views(story: Story, person: Person) -> Iterator[_View]:
    """Yield what others read of the participant, of the police's referral, and of the confirmation."""
    source, path = person.case_agency, f"/v1/participants/{person.participant_id}"
    whole = journey.case_manager(story, person).get(path).body["participant"]
    other = "sample-second-outreach"
    read = story.caller("case_manager", other).get(path).body.get("participant", {})
    yield _View("participant, by another case manager", other, source, "CAREMGT", Participant.DESCRIPTOR, read, whole)
    path = f"/v1/referrals/{person.referral_id}"
    sent = journey.officer(story).get(path).body["referral"]
    for role, agency in (("defender", "sample-defender"), ("case_manager", source)):
        client = story.caller(role, agency)
        read = client.get(path, purpose="DIVERSION_COORD").body.get("referral", {})
        title = f"referral, by the {role.replace('_', ' ')}"
        yield _View(title, agency, drafts.POLICE, "DIVERSION_COORD", Referral.DESCRIPTOR, read, sent)
    facts = {name: whole[name] for name in ("intakeConfirmedTime", "workingAsOfTime")}
    read = journey.review_of(story, person).get("confirmation", {})
    title = "confirmation, by the prosecutor"
    yield _View(title, drafts.OFFICE, source, "DIVERSION_COORD", ReceivedConfirmation.DESCRIPTOR, read, facts)


def _as_previewed(story: Story, person: Person, preview: dict[str, Any], before: Mapping[str, frozenset[str]]) -> Claim:
    promised = {
        (view["recipientAgencyId"], view["sourceAgencyId"], view["purpose"].removeprefix("PURPOSE_")): _opens(view)
        for view in preview["views"]
    }
    # The confirmation waits on the shelf until the release is signed.
    story.eventually(lambda: "confirmation" in journey.review_of(story, person))
    table, holds = Table("what", "before", "previewed", "seen"), True
    for view in _views(story, person):
        opens = promised[view.recipient, view.source, view.purpose] & view.carried()
        now, then = view.categories(), before[view.title]
        holds &= not then and bool(now) and now == opens
        table.add_row(view.title, *(" ".join(sorted(words)) or "—" for words in (then, opens, now)))
    text = "What is seen after signing is what the preview said, no more and no less; before it was nothing"
    return Claim("4d", text, holds, table)
