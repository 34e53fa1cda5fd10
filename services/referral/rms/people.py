"""From a report to its candidates: one per arrestee, otherwise one per subject."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from services.referral.rms import codes
from services.referral.rms.candidate import Candidate, IncidentTime, NaturalKey, Offence, Role, Substance, Victims
from services.referral.rms.values import Problems, a_date, age, code, incident_time, quantity, some
from services.referral.rms.xml import Node

# The most that a NIBRS report may hold of each.
_OFFENCES = 10
PEOPLE = 99
_VICTIMS = 999
_OFFENCE_WISH = "an offence code of the NIBRS table"


@dataclass(frozen=True)
class _Facts:
    """What is the same for everybody in the report."""

    time: IncidentTime | None
    offences: tuple[Offence, ...]
    substances: tuple[Substance, ...]
    victims: Victims | None


def candidates(report: Node, key: NaturalKey, problems: Problems) -> tuple[Candidate, ...]:
    """Return the people of a report who could be referred, in the report's order.

    A subject with sequence 00 is nobody known (NIBRS element 36), so it is no candidate.
    """
    facts = _facts(report, key, problems)
    people = _by_id(some(report, "nc:Person", 2 * _VICTIMS, problems), problems)
    arrestees = some(report, "j:Arrestee", PEOPLE, problems)
    if not arrestees and key.report_category == codes.GROUP_B:
        problems.add(f"{report.path}/j:Arrestee", "at least one arrestee")
    if arrestees:
        _by_id(arrestees, problems)
        arrests = _arrests(report, problems)
        found = [_arrestee(node, key, facts, arrests, problems) for node in arrestees]
    else:
        found = [_subject(node, key, facts, problems) for node in some(report, "j:Subject", PEOPLE, problems)]
    aged = tuple(_aged(person, node, people, problems) for person, node in found if person)
    _unique(aged, report, problems)
    return aged


def sequence(arrestee: Node, problems: Problems) -> int:
    """Return an arrestee's sequence number (element 40); 0, with a violation, when it has none."""
    number = _number(arrestee, "j:ArrestSequenceID")
    if not number:
        problems.add(f"{arrestee.path}/j:ArrestSequenceID", "a sequence number from 1 to 999")
    return number or 0


def _facts(report: Node, key: NaturalKey, problems: Problems) -> _Facts:
    offences = tuple(
        offence for node in some(report, "j:Offense", _OFFENCES, problems) for offence in _offences(node, problems)
    )
    substances = [_substance(node, problems) for node in some(report, "nc:Substance", PEOPLE, problems)]
    group_a = key.report_category == codes.GROUP_A
    if group_a and not offences:
        problems.add(f"{report.path}/j:Offense/nibrs:OffenseUCRCode", _OFFENCE_WISH)
    incident = report.first("nc:Incident")
    return _Facts(
        incident_time(incident, problems) if incident and group_a else None,
        tuple(sorted(set(offences))),
        # The order in the file means nothing, so it must not make another version.
        tuple(sorted(substances, key=lambda one: (one.drug_code or "", one.unit_code or "", one.quantity or 0))),
        _victims(report, problems) if group_a else None,
    )


def _offences(node: Node, problems: Problems) -> list[Offence]:
    letters = [
        code(activity, codes.ACTIVITIES.keys() | codes.OTHER_ACTIVITIES, problems, "a NIBRS type of criminal activity")
        for activity in some(node, "nibrs:CriminalActivityCategoryCode", 10, problems)
    ]
    activities = tuple(sorted({codes.ACTIVITIES[letter] for letter in letters if letter in codes.ACTIVITIES}))
    nodes = some(node, "nibrs:OffenseUCRCode", 1, problems)
    if not nodes:
        problems.add(f"{node.path}/nibrs:OffenseUCRCode", _OFFENCE_WISH)
    found = [code(each, codes.OFFENCES, problems, _OFFENCE_WISH) for each in nodes]
    return [Offence(one, codes.OFFENCES[one], activities) for one in found if one]


def _substance(node: Node, problems: Problems) -> Substance:
    kind = node.first("j:DrugCategoryCode")
    drug = code(kind, codes.DRUGS, problems, "a NIBRS drug type code") if kind else ""
    words = codes.DRUGS.get(drug, "drug type not reported")
    measure = node.first("nc:SubstanceQuantityMeasure")
    amount = quantity(measure, problems) if measure else None
    if amount is None:
        return Substance(drug or None, words)
    return Substance(drug or None, words, amount[0], amount[1], codes.UNITS[amount[1]])


def _victims(report: Node, problems: Problems) -> Victims:
    kinds = []
    for victim in some(report, "j:Victim", _VICTIMS, problems):
        node = victim.first("j:VictimCategoryCode")
        kinds.append(code(node, codes.VICTIM_KINDS, problems, "a NIBRS type of victim") if node else "")
    return Victims(len(kinds), any(kind in codes.VICTIM_PERSONS for kind in kinds))


def _arrests(report: Node, problems: Problems) -> dict[str, list[Node]]:
    """Return each arrestee's arrests, by the s:id of the arrestee."""
    by_id = _by_id(some(report, "j:Arrest", PEOPLE, problems), problems)
    found: dict[str, list[Node]] = {}
    for link in some(report, "j:ArrestSubjectAssociation", _VICTIMS, problems):
        activity, subject = link.first("nc:Activity"), link.first("j:Subject")
        arrest = by_id.get(activity.attribute("s:ref")) if activity else None
        arrestee = subject.attribute("s:ref") if subject else ""
        if arrest is None or not arrestee:
            problems.add(link.path, "s:ref of an arrest and of an arrestee of this report")
        elif arrest not in (own := found.setdefault(arrestee, [])):
            own.append(arrest)
    return found


def _arrestee(
    node: Node, key: NaturalKey, facts: _Facts, arrests: dict[str, list[Node]], problems: Problems
) -> tuple[Candidate | None, Node]:
    number = sequence(node, problems)
    own = arrests.get(node.attribute("s:id"), [])
    if not own:
        problems.add(node.path, "an arrest, joined by j:ArrestSubjectAssociation")
    charged = sorted({one for arrest in own for one in _charges(arrest, problems)})
    days = [day for arrest in own if (day := _arrest_date(arrest, problems))]
    base = _candidate(key, f"arrestee-{number}", Role.ARRESTEE, facts)
    return replace(base, arrest_codes=tuple(charged), arrest_date=min(days, default=None)), node


def _charges(arrest: Node, problems: Problems) -> list[str]:
    nodes = [
        charge
        for each in some(arrest, "j:ArrestCharge", _OFFENCES, problems)
        for charge in some(each, "nibrs:ChargeUCRCode", 1, problems)
    ]
    if not nodes:
        problems.add(f"{arrest.path}/j:ArrestCharge/nibrs:ChargeUCRCode", _OFFENCE_WISH)
    return [found for node in nodes if (found := code(node, codes.OFFENCES, problems, _OFFENCE_WISH))]


def _arrest_date(arrest: Node, problems: Problems) -> date | None:
    node = arrest.first("nc:ActivityDate", "nc:Date")
    return a_date(node, problems) if node else None


def _subject(node: Node, key: NaturalKey, facts: _Facts, problems: Problems) -> tuple[Candidate | None, Node]:
    number = _number(node, "j:SubjectSequenceNumberText")
    if number is None:
        problems.add(f"{node.path}/j:SubjectSequenceNumberText", "a sequence number, 00 for an unknown offender")
    return (_candidate(key, f"subject-{number}", Role.SUBJECT, facts) if number else None), node


def _candidate(key: NaturalKey, person: str, role: Role, facts: _Facts) -> Candidate:
    return Candidate(
        key=replace(key, sequence=person),
        role=role,
        incident_number=key.number if key.report_category == codes.GROUP_A else None,
        incident_time=facts.time,
        arrest_date=None,
        offences=facts.offences,
        arrest_codes=(),
        substances=facts.substances,
        age=None,
        victims=facts.victims,
    )


def _aged(person: Candidate, node: Node, people: dict[str, Node], problems: Problems) -> Candidate:
    role = node.first("nc:RoleOfPerson")
    described = people.get(role.attribute("s:ref")) if role else None
    if role and described is None:
        problems.add(role.path, "s:ref of a person of this report")
    return replace(person, age=age(described, problems)) if described else person


def _by_id(nodes: list[Node], problems: Problems) -> dict[str, Node]:
    found: dict[str, Node] = {}
    for node in nodes:
        name = node.attribute("s:id")
        if not name or name in found:
            problems.add(node.path, "an s:id of its own")
        found[name] = node
    return found


def _number(node: Node, name: str) -> int | None:
    text = node.text(name)
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 3 else None


def _unique(people: tuple[Candidate, ...], report: Node, problems: Problems) -> None:
    if len({person.key for person in people}) < len(people):
        problems.add(report.path, "a sequence number of its own for each person")
