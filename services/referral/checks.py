"""What the fields of a draft must say together, and what its site, its sender and the time say of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from lead.referral.v1 import referral_pb2 as pb

from services.referral.convert import DOORS, NOT_REPORTED, UNITS
from services.referral.draft import EXCHANGE, NIBRS
from services.referral.fields import TEXTS
from services.referral.moves import POLICE
from services.referral.screening.person import birth_span
from services.shared.errors import Violation
from services.shared.sharing.assertion import Caller
from services.shared.sites import Site
from services.shared.sites.rules import Observation
from services.shared.wire import moment

# What any site's rules may ask of an officer (lead-program.md 2.2); a pack may add facts of its own.
_JUDGEMENTS = frozenset({"amenable", "exploits_minors", "promotes_prostitution", "for_profit"})
_EARLIEST_BIRTH = date(1900, 1, 1)
_MISSING = "must be given"


@dataclass(frozen=True, slots=True)
class Setting:
    """What drafts are checked against: who sends, the packs, the ORIs of the sender's agency, the time."""

    caller: Caller
    sites: Mapping[str, Site]
    oris: frozenset[str]
    now: datetime

    def site(self, site_id: str) -> Site | None:
        """Return the pack of one of the sender's own sites."""
        return self.sites.get(site_id) if site_id in self.caller.site_ids else None


Check = Callable[[pb.ReferralDraft, Setting], Iterator[Violation]]


def where(draft: pb.ReferralDraft, setting: Setting) -> Iterator[Violation]:
    """The site is one of the sender's; its door is open and admits him."""
    site, door = setting.site(draft.site_id), DOORS.word(draft.door)
    if site is None:
        yield Violation("siteId", "a site that your agency takes part in")
    if not draft.door:
        yield Violation("door", _MISSING)
    if site is None or not door:
        return
    doors = [f"DOOR_{each}" for each in site.doors if _may_refer(site, each, setting.caller)]
    if f"DOOR_{door}" not in doors:
        yield Violation("door", f"a door through which you may refer at this site: {', '.join(doors) or 'none'}")


def _may_refer(site: Site, door: str, caller: Caller) -> bool:
    # Outside of the police only the COMMUNITY door stands open, whatever a pack says (contract, who submits).
    if caller.role not in POLICE and door != "COMMUNITY":
        return False
    return caller.role in site.referrers_for(door)


def source(draft: pb.ReferralDraft, setting: Setting) -> Iterator[Violation]:
    """A system names its record; a person may leave the source out, and then the exchange is it."""
    given = {name: bool(getattr(draft.source, name)) for name in ("system", "record_id", "version")}
    if setting.caller.role == "police_rms" or any(given.values()):
        paths = {"system": "source.system", "record_id": "source.recordId", "version": "source.version"}
        yield from (Violation(paths[name], _MISSING) for name, is_given in given.items() if not is_given)
    if draft.source.system in (EXCHANGE, NIBRS):
        yield Violation("source.system", "a name of your own system")


def ori(draft: pb.ReferralDraft, setting: Setting) -> Iterator[Violation]:
    """The ORI is one of the sender's agency, which must say which if it has several."""
    given = draft.agency_ori.strip().upper()
    if given and given not in setting.oris:
        yield Violation("agencyOri", "an ORI of your own agency")
    if not given and len(setting.oris) > 1:
        yield Violation("agencyOri", _MISSING)


def incident(draft: pb.ReferralDraft, setting: Setting) -> Iterator[Violation]:
    """Whether an arrest needs an incident number is the site's to say: some write no report."""
    site = setting.site(draft.site_id)
    if site is None or draft.door != pb.DOOR_ARREST_DIVERSION or draft.incident_number:
        return
    if site.charging.incident_number_required:
        yield Violation("incidentNumber", _MISSING)


def named(draft: pb.ReferralDraft, _setting: Setting) -> Iterator[Violation]:
    """Somebody is referred, by a name; what a system knows him by needs its agency."""
    if not (draft.person.given_name.strip() or draft.person.family_name.strip()):
        yield Violation("person.familyName", "must be given, or person.givenName")
    for place, local in enumerate(draft.person.local_ids):
        yield from _needed(f"person.localIds[{place}]", {"agencyId": local.agency_id, "id": local.id})


def age(draft: pb.ReferralDraft, setting: Setting) -> Iterator[Violation]:
    """A birth date is one; who is surely under the site's age is refused unless it has a juvenile track.

    A partial date that leaves it open is for the screening: NEEDS_INFO (contract, Rules).
    """
    text = draft.person.birth_date
    if not text or TEXTS["Person.birth_date"].wrong(text):
        return
    span, today = birth_span(text), setting.now.date()
    if span is None or span[0] > today or span[0] < _EARLIEST_BIRTH:
        yield Violation("person.birthDate", "a date of the calendar from 1900 on that is not in the future")
        return
    site = setting.site(draft.site_id)
    if site is not None and not site.juvenile_track and _years(span[0], _day(draft, setting, site)) < site.min_age:
        yield Violation("person.birthDate", f"of somebody who is at least {site.min_age}, the least age at this site")


def _day(draft: pb.ReferralDraft, setting: Setting, site: Site) -> date:
    # The screening takes ages at the same time.
    try:
        return (moment(draft, "incident_time") or setting.now).astimezone(site.zone).date()
    except (ValueError, OverflowError):
        # No time, or none that this zone has a day for; it is refused by itself.
        return setting.now.astimezone(site.zone).date()


def _years(born: date, on: date) -> int:
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day))


def answers(draft: pb.ReferralDraft, setting: Setting) -> Iterator[Violation]:
    """Observations and attestations answer questions that are asked here, each once."""
    site, door = setting.site(draft.site_id), DOORS.word(draft.door)
    judged = {rule.params.fact for rule in site.rules if isinstance(rule.params, Observation)} if site else set()
    observed = [each.name for each in draft.observations]
    yield from _words(observed, _JUDGEMENTS | judged, "observations", "name")
    yield from _answered("observations", [each.answer for each in draft.observations])
    attested = [each.rule for each in draft.attestations]
    if site is not None and door:
        yield from _words(attested, frozenset(site.attested_rules(door)), "attestations", "rule")
    yield from _answered("attestations", [each.answer for each in draft.attestations])


def _words(given: list[str], known: frozenset[str], path: str, name: str) -> Iterator[Violation]:
    times = Counter(given)
    for place, word in enumerate(given):
        if word not in known:
            yield Violation(f"{path}[{place}].{name}", f"one of {', '.join(sorted(known)) or 'none at this door'}")
        elif times[word] > 1:
            yield Violation(f"{path}[{place}].{name}", "given once")


def _answered(path: str, given: Iterable[int]) -> Iterator[Violation]:
    yield from (Violation(f"{path}[{place}].answer", _MISSING) for place, answer in enumerate(given) if not answer)


def quantities(draft: pb.ReferralDraft, _setting: Setting) -> Iterator[Violation]:
    """An amount is above zero and has a unit; what is unknown is left out, never zero."""
    for place, charge in enumerate(draft.charges[:500]):
        for number, substance in enumerate(charge.substances[:20]):
            path = f"charges[{place}].substances[{number}]"
            yield from _quantity(substance, path)


def _quantity(substance: pb.Substance, path: str) -> Iterator[Violation]:
    text, unit = substance.quantity, UNITS.word(substance.unit)
    if not text or TEXTS["Substance.quantity"].wrong(text):
        return
    if Decimal(text) <= 0:
        yield Violation(f"{path}.quantity", "a decimal number above 0 and below 100000; left out if unknown")
    if unit == NOT_REPORTED:
        yield Violation(f"{path}.quantity", "left out where the unit is not reported")
    elif not substance.unit:
        yield Violation(f"{path}.unit", _MISSING)


def _needed(path: str, values: Mapping[str, str]) -> Iterator[Violation]:
    yield from (Violation(f"{path}.{name}", _MISSING) for name, value in values.items() if not value)


DRY: tuple[Check, ...] = (where, ori, age, answers, quantities)
"""What a dry run is checked for: it needs no name, no source and no incident number."""
WHOLE: tuple[Check, ...] = (*DRY, source, incident, named)
"""What a referral is checked for."""
OF_INCIDENT: tuple[Check, ...] = (*DRY, incident, named)
"""What a referral made of an incident is checked for: its source is the incident."""
