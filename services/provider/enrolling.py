"""A provider's enrolments while some of its records are worked through, in memory; then it says what is to be stored.

Each record is judged on its own, and one that comes twice by what the first one left. Nothing here does IO but the one
question to consent, whose participant somebody is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from services.provider.checks import OWN_PARTICIPANT, OWN_REFERRAL, OWN_SERVICE
from services.provider.domain import answer as answers
from services.provider.domain import enrolment as enrolments
from services.provider.domain.answer import Answer
from services.provider.domain.enrolment import Draft, Enrolment
from services.provider.domain.request import Request
from services.provider.domain.service import Service
from services.shared.errors import Violation

# Source of an enrolment that has no record of the provider's own.
EXCHANGE = "exchange"
_REFUSED = {
    "VERSION_REUSED": Violation("source.version", "VERSION_REUSED: a higher one, since the body has changed"),
    "VERSION_MISSING": Violation("source.version", "must be given, as it was before"),
}
_TO_GO_BACK = Violation("source.version", "given, to go back to what was sent before")
_SAME_PERSON = "whom the record was about before; another person's enrolment is a record of its own"
_SAME_REFERRAL = Violation("serviceReferralId", "the one that the record was sent with before")
_ASKED_NO_MORE = Violation("serviceReferralId", "a service referral that is still asked for")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """One record as its provider means it. `key` and `digest` are keyed digests of what it is known by, and of all."""

    draft: Draft
    key: str
    digest: str
    # What is wrong with it already: then it is only looked up whom and what it names.
    wrong: tuple[Violation, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one record, in the contract's words; REJECTED with what is wrong."""

    word: str
    enrolment: Enrolment | None = None
    violations: tuple[Violation, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Known:
    """What is known before: the provider's enrolments by key, what was ever sent of them, its services, its referrals.

    `named` are the service referrals that it may be shown now, `asked` all that it was ever asked by.
    """

    enrolments: Mapping[str, Enrolment]
    contents: Mapping[str, set[str]]
    services: Mapping[str, Service]
    named: Mapping[str, tuple[Request, Answer]]
    asked: Mapping[str, tuple[Request, Answer]]


@dataclass(frozen=True, kw_only=True)
class Provider:
    """Who writes: the agency, what it is, and whom consent says its participants are (subject, "" for nobody's)."""

    agency_id: str
    agency_kind: str
    subject_of: Callable[[str], str]


@dataclass
class Book:
    """The enrolments as they were and as they have become."""

    known: Known
    provider: Provider
    mint: Callable[[str], str]
    now: datetime
    held: dict[str, Enrolment] = field(default_factory=dict)
    answers: dict[str, Answer] = field(default_factory=dict)
    contents: set[tuple[str, str]] = field(default_factory=set)

    def put(self, sent: Sent) -> Outcome:
        """Take in one record."""
        before = self.held.get(sent.key) or self.known.enrolments.get(sent.key)
        if before is not None and not sent.wrong:
            word = enrolments.judged(before, sent.draft, sent.digest, self._earlier(before))
            if word in _REFUSED:
                return Outcome("REJECTED", before, (_REFUSED[word],))
            if word != "REPLACED":
                # Without a version it may have been meant as a way back.
                going_back = word == "STALE" and sent.draft.source_version is None
                return Outcome(word, before, (_TO_GO_BACK,) if going_back else ())
        subject_id, wrong = self._looked_up(sent.draft, before)
        if wrong or sent.wrong:
            return Outcome("REJECTED", before if not sent.wrong else None, tuple(wrong))
        if before is None:
            return Outcome("CREATED", self._enrolled(sent, subject_id))
        return Outcome("REPLACED", self._corrected(sent, before))

    @property
    def added(self) -> list[tuple[str, Enrolment]]:
        """New enrolments with their keys."""
        return [(key, each) for key, each in self.held.items() if key not in self.known.enrolments]

    @property
    def changed(self) -> list[tuple[Enrolment, Enrolment]]:
        """Changed enrolments, before and after."""
        known = self.known.enrolments
        return [(known[key], each) for key, each in self.held.items() if key in known]

    @property
    def answered(self) -> list[tuple[Request, Answer, Answer]]:
        """Service referrals whose answer follows an enrolment: the request, the answer before and after."""
        return [(*self.known.asked[each], after) for each, after in self.answers.items()]

    def _earlier(self, before: Enrolment) -> set[str]:
        sent_now = {digest for enrolment_id, digest in self.contents if enrolment_id == before.id}
        return self.known.contents.get(before.id, set()) | sent_now

    def _looked_up(self, draft: Draft, before: Enrolment | None) -> tuple[str, list[Violation]]:
        """Return whose the enrolment is, and what of it does not exist for this provider."""
        wrong: list[Violation] = []
        if draft.service_id and draft.service_id not in self.known.services:
            wrong.append(Violation("serviceId", OWN_SERVICE))
        subject_id = before.subject_id if before is not None else ""
        if draft.service_referral_id:
            found, more = self._of_referral(draft, before)
        elif draft.participant_id:
            found, more = self._of_participant(draft, before)
        else:
            return subject_id, wrong
        if before is not None and found and found != subject_id:
            path = "serviceReferralId" if draft.service_referral_id else "participantId"
            more = [Violation(path, _SAME_PERSON)]
        return found or subject_id, [*wrong, *more]

    def _of_referral(self, draft: Draft, before: Enrolment | None) -> tuple[str, list[Violation]]:
        wanted = draft.service_referral_id
        if before is not None and before.service_referral_id:
            return before.subject_id, [] if wanted == before.service_referral_id else [_SAME_REFERRAL]
        pair = self.known.named.get(wanted)
        if pair is None:
            return "", [Violation("serviceReferralId", OWN_REFERRAL)]
        return pair[0].subject_id, [_ASKED_NO_MORE] if pair[0].is_over else []

    def _of_participant(self, draft: Draft, before: Enrolment | None) -> tuple[str, list[Violation]]:
        if before is not None and draft.participant_id == before.participant_id:
            return before.subject_id, []
        found = self.provider.subject_of(draft.participant_id)
        return found, [] if found else [Violation("participantId", OWN_PARTICIPANT)]

    def _enrolled(self, sent: Sent, subject_id: str) -> Enrolment:
        draft, enrolment_id = sent.draft, self.mint("enr")
        request = self.known.named[draft.service_referral_id][0] if draft.service_referral_id else None
        has_record = bool(draft.record_id)
        new = Enrolment(
            id=enrolment_id,
            subject_id=subject_id,
            agency_id=self.provider.agency_id,
            agency_kind=self.provider.agency_kind,
            service_id=draft.service_id or (request.service_id if request else ""),
            service_referral_id=draft.service_referral_id,
            participant_id=request.participant_id if request else draft.participant_id,
            system=draft.system if has_record else EXCHANGE,
            record_id=draft.record_id if has_record else enrolment_id,
            source_version=draft.source_version,
            digest=sent.digest,
            status=draft.status,
            started_at=draft.started_at,
            ended_at=draft.ended_at,
            changed_at=self.now,
        )
        return self._noted(sent, new, follows=True)

    def _corrected(self, sent: Sent, before: Enrolment) -> Enrolment:
        draft = sent.draft
        after = enrolments.corrected(before, draft, sent.digest, draft.service_id or before.service_id, self.now)
        return self._noted(sent, after, follows=not before.service_referral_id)

    def _noted(self, sent: Sent, after: Enrolment, *, follows: bool) -> Enrolment:
        key = sent.key or after.id
        known = self.known.enrolments.get(key)
        # However often it comes in one go, it is stored once, as the next version.
        after = replace(after, version=1 if known is None else known.version + 1)
        self.held[key] = after
        if sent.digest not in self._earlier(after):
            self.contents.add((after.id, sent.digest))
        self._follow(after, takes=follows)
        return after

    def _follow(self, enrolment: Enrolment, *, takes: bool) -> None:
        """Keep the answer in step; a second enrolment takes it over, an older one no longer moves it."""
        pair = self.known.asked.get(enrolment.service_referral_id)
        if pair is None:
            return
        before = self.answers.get(enrolment.service_referral_id, pair[1])
        if takes or before.enrollment_id == enrolment.id:
            after = answers.following(before, enrolment, self.now)
            if after is not before:
                self.answers[enrolment.service_referral_id] = replace(after, version=pair[1].version + 1)
