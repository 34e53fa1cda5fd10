"""Rules of reading, each shown on a sample of the package's own with one thing changed."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import pytest

from services.referral.rms.candidate import Action, Age, Candidate, IncidentTime, Item, Role, Victims, content_digest
from services.referral.rms.nibrs import read

SAMPLES = Path(__file__).parents[3] / "services/command/sample"
INCIDENT = (SAMPLES / "nibrs_incident.xml").read_text()
ARREST = (SAMPLES / "nibrs_arrest.xml").read_text()
OWN = frozenset({"zz0000100 "})
REPORT = "/nibrs:Submission/nibrs:Report[1]"


def changed(text: str, *changes: tuple[str, str]) -> str:
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    return text


def between(text: str, start: str, end: str) -> str:
    return text[text.index(start) : text.rindex(end) + len(end)]


def items(text: str, today: date | None = None) -> tuple[Item, ...]:
    return read(text.encode(), caller_ori=OWN, today=today).items


def accepted(text: str) -> tuple[Candidate, ...]:
    (item,) = items(text)
    assert not item.rejected, item.violations
    return item.candidates


def wrong(text: str, today: date | None = None) -> list[str]:
    (item,) = items(text, today)
    assert item.reason == "INVALID_REPORT"
    assert (item.key, item.action, item.candidates) == (None, None, ())
    return [violation.path.removeprefix(REPORT) for violation in item.violations]


def subjects_only(*sequences: str) -> str:
    people = "".join(
        f'<j:Subject s:id="S{n}"><nc:RoleOfPerson s:ref="PersonArrestee1"/>'
        f"<j:SubjectSequenceNumberText>{sequence}</j:SubjectSequenceNumberText></j:Subject>"
        for n, sequence in enumerate(sequences)
    )
    return changed(INCIDENT, (between(INCIDENT, '<j:Arrestee s:id="', "</j:ArrestSubjectAssociation>"), people))


def test_the_sample_incident_has_two_candidates_with_drug_quantity_and_time() -> None:
    first, second = accepted(INCIDENT)
    assert (first.role, first.key.sequence, first.incident_number) == (Role.ARRESTEE, "arrestee-1", "26S-000101")
    assert first.incident_time == IncidentTime(date(2026, 2, 27), 21)
    assert (first.age, second.age) == (Age(34, 34), Age(25, 30))
    assert (first.codes, second.codes) == (("35A",), ("35A", "35B"))
    (substance,) = first.substances
    assert (substance.drug_code, substance.quantity, substance.unit) == ("L", Decimal("1.2"), "gram")
    assert first.offences[0].activities == ("possessing or concealing",)
    assert first.victims == Victims(1, any_person=False)
    assert first.arrest_date == date(2026, 2, 27)


def test_the_corrected_sample_replaces_the_same_keys_with_other_content() -> None:
    (item,) = items((SAMPLES / "nibrs_incident_corrected.xml").read_text())
    before = accepted(INCIDENT)
    assert item.action is Action.REPLACE
    assert [one.key for one in item.candidates] == [one.key for one in before]
    assert content_digest(item.candidates[0]) != content_digest(before[0])


@pytest.mark.parametrize(
    ("name", "action", "number"),
    [
        ("nibrs_incident_deleted.xml", Action.DELETE, "26S-000101"),
        ("nibrs_zero.xml", Action.ZERO, "2026-01"),
        ("nibrs_arrest.xml", Action.UPSERT, "26A-000301"),
    ],
)
def test_the_other_samples_do_what_they_are_called(name: str, action: Action, number: str) -> None:
    (item,) = items((SAMPLES / name).read_text())
    assert item.key is not None
    assert (item.action, item.key.number) == (action, number)
    assert len(item.candidates) == (1 if action is Action.UPSERT else 0)


def test_a_group_b_arrest_knows_no_incident_and_says_nothing_of_victims() -> None:
    (person,) = accepted(ARREST)
    assert (person.incident_number, person.incident_time, person.victims, person.codes) == (None, None, None, ("90J",))


def test_subjects_are_candidates_only_where_nobody_was_arrested() -> None:
    assert [one.key.sequence for one in accepted(subjects_only("1", "02"))] == ["subject-1", "subject-2"]


def test_an_unknown_offender_is_no_candidate() -> None:
    assert accepted(subjects_only("00")) == ()


def test_two_people_with_one_sequence_number_are_refused() -> None:
    assert wrong(subjects_only("1", "01")) == [""]


def test_an_arrestee_without_an_arrest_is_refused() -> None:
    text = changed(INCIDENT, ('<nc:Activity s:ref="Arrest2"/>', '<nc:Activity s:ref="Arrest9"/>'))
    assert wrong(text) == ["/j:ArrestSubjectAssociation[2]", "/j:Arrestee[2]"]


@pytest.mark.parametrize(
    ("amount", "unit"), [("1.2", "XX"), ("None", "XX"), ("0", "XX"), ("", "GM"), ("1.2", "")], ids=str
)
def test_an_unreported_quantity_is_none_and_never_zero(amount: str, unit: str) -> None:
    text = changed(INCIDENT, (">1.2<", f">{amount}<"), (">GM<", f">{unit}<"))
    assert [(one.drug_code, one.quantity, one.unit) for one in accepted(text)[0].substances] == [("L", None, None)]


@pytest.mark.parametrize("amount", ["-1", "0", "0.000", "1e3", "NaN", "1,5", "9999999999", "٣"])
def test_an_absurd_quantity_is_refused(amount: str) -> None:
    path = "/nc:Substance[1]/nc:SubstanceQuantityMeasure/nc:MeasureDecimalValue"
    assert wrong(changed(INCIDENT, (">1.2<", f">{amount}<"))) == [path]


@pytest.mark.parametrize(
    ("element", "age"),
    [
        ("<nc:MeasureIntegerValue>99</nc:MeasureIntegerValue>", Age(99, None)),
        ("<nc:MeasureIntegerValue>00</nc:MeasureIntegerValue>", None),
        ("<nc:MeasureIntegerValue>07</nc:MeasureIntegerValue>", Age(7, 7)),
        ("<nc:MeasureValueText>UNKNOWN</nc:MeasureValueText>", None),
        ("<nc:MeasureValueText>NN</nc:MeasureValueText>", Age(0, 0)),
        ("<nc:MeasureValueText>NB</nc:MeasureValueText>", Age(0, 0)),
        ("<nc:MeasureValueText>BB</nc:MeasureValueText>", Age(0, 0)),
        ("<nc:MeasureValueText>BABY</nc:MeasureValueText>", Age(0, 0)),
        ("", None),
    ],
)
def test_an_age_is_kept_as_written_and_the_codes_are_understood(element: str, age: Age | None) -> None:
    text = changed(INCIDENT, ("<nc:MeasureIntegerValue>34</nc:MeasureIntegerValue>", element))
    assert accepted(text)[0].age == age


def test_a_range_of_ages_the_wrong_way_round_is_refused() -> None:
    path = "/nc:Person[2]/nc:PersonAgeMeasure/nc:MeasureIntegerRange"
    assert wrong(changed(INCIDENT, (">30<", ">20<"))) == [path]


def test_a_birth_date_or_a_name_in_the_file_is_not_kept() -> None:
    extra = "<nc:PersonBirthDate><nc:Date>1991-05-04</nc:Date></nc:PersonBirthDate><nc:PersonName>Testa</nc:PersonName>"
    text = changed(INCIDENT, ('<nc:Person s:id="PersonArrestee1">', '<nc:Person s:id="PersonArrestee1">' + extra))
    assert accepted(text) == accepted(INCIDENT)


def test_a_day_without_an_hour_stays_a_day_and_a_report_date_says_so() -> None:
    text = changed(
        INCIDENT,
        ("<nc:DateTime>2026-02-27T21:00:00</nc:DateTime>", "<nc:Date>2026-02-27</nc:Date>"),
        (">false</cjis:IncidentReportDateIndicator>", ">true</cjis:IncidentReportDateIndicator>"),
    )
    assert accepted(text)[0].incident_time == IncidentTime(date(2026, 2, 27), None, is_report_date=True)


def test_an_incidents_time_is_the_sites_unless_the_file_wrote_an_offset() -> None:
    site = timezone(timedelta(hours=-8))
    assert IncidentTime(date(2026, 2, 27), 21).begins(site) == datetime(2026, 2, 28, 5, tzinfo=UTC)
    text = changed(INCIDENT, ("T21:00:00", "T21:00:00+01:00"))
    written = accepted(text)[0].incident_time
    assert written is not None
    assert written.begins(site) == datetime(2026, 2, 27, 20, tzinfo=UTC)


@pytest.mark.parametrize("moment", ["2026-02-30T10:00:00", "0001-01-01T10:00:00", "yesterday", "2026-02-27T24:00:00"])
def test_a_moment_that_cannot_be_is_refused(moment: str) -> None:
    assert wrong(changed(INCIDENT, ("2026-02-27T21:00:00", moment))) == ["/nc:Incident/nc:ActivityDate/nc:DateTime"]


def test_a_date_in_the_future_is_refused_with_a_days_grace() -> None:
    assert not items(INCIDENT, today=date(2026, 2, 26))[0].rejected
    paths = wrong(INCIDENT, today=date(2026, 2, 25))
    arrests = [f"/j:Arrest[{number}]/nc:ActivityDate/nc:Date" for number in (1, 2)]
    assert paths == ["/nc:Incident/nc:ActivityDate/nc:DateTime", *arrests]


def test_every_unknown_code_is_named_at_once() -> None:
    text = changed(
        INCIDENT,
        ("<nibrs:OffenseUCRCode>35A<", "<nibrs:OffenseUCRCode>99X<"),
        (">P</nibrs:CriminalActivityCategoryCode>", ">Z</nibrs:CriminalActivityCategoryCode>"),
        (">L</j:DrugCategoryCode>", ">Q</j:DrugCategoryCode>"),
        (">GM<", ">GRAMS<"),
        (">S</j:VictimCategoryCode>", ">9</j:VictimCategoryCode>"),
        (">35B</nibrs:ChargeUCRCode>", ">drugs</nibrs:ChargeUCRCode>"),
    )
    paths = set(wrong(text))
    assert {
        "/j:Offense[1]/nibrs:OffenseUCRCode[1]",
        "/j:Offense[1]/nibrs:CriminalActivityCategoryCode[1]",
        "/nc:Substance[1]/j:DrugCategoryCode",
        "/nc:Substance[1]/nc:SubstanceQuantityMeasure/j:SubstanceUnitCode",
        "/j:Victim[1]/j:VictimCategoryCode",
        "/j:Arrest[2]/j:ArrestCharge[1]/nibrs:ChargeUCRCode[1]",
    } <= paths


def test_gang_activity_is_valid_and_not_kept() -> None:
    text = changed(INCIDENT, (">P</nibrs:CriminalActivityCategoryCode>", ">J</nibrs:CriminalActivityCategoryCode>"))
    assert accepted(text)[0].offences[0].activities == ()


def test_more_offences_than_nibrs_allows_are_refused() -> None:
    offence = between(INCIDENT, "<j:Offense s:id", "</j:Offense>")
    assert "/j:Offense" in wrong(changed(INCIDENT, (offence, offence * 5_001)))


@pytest.mark.parametrize(
    ("old", "new", "path"),
    [
        (">I</nibrs:Report", ">M</nibrs:Report", "/nibrs:ReportHeader/nibrs:ReportActionCategoryCode"),
        ("GROUP A INCIDENT REPORT", "GROUP C", "/nibrs:ReportHeader/nibrs:NIBRSReportCategoryCode"),
        (">26S-000101<", "><", "/nc:Incident/nc:ActivityIdentification/nc:IdentificationID"),
        (">26S-000101<", ">26S\t1<", "/nc:Incident/nc:ActivityIdentification/nc:IdentificationID"),
    ],
)
def test_a_header_that_cannot_be_followed_is_named(old: str, new: str, path: str) -> None:
    assert path in wrong(changed(INCIDENT, (old, new)))


def test_an_incident_keeps_its_key_when_assaulted_officers_are_added() -> None:
    text = changed(INCIDENT, ("GROUP A INCIDENT REPORT", "GROUP A INCIDENT REPORT_LEOKA"))
    assert items(text)[0].key == items(INCIDENT)[0].key


def test_the_order_of_drugs_and_the_way_to_write_a_number_make_no_new_version() -> None:
    drug = between(INCIDENT, "<nc:Substance>", "</nc:Substance>")
    other = changed(drug, (">L<", ">D<"), (">1.2<", ">100<"))
    one = accepted(changed(INCIDENT, (drug, drug + other)))[0]
    two = accepted(changed(INCIDENT, (drug, changed(other, (">100<", ">100.00<")) + drug)))[0]
    assert content_digest(one) == content_digest(two)


@pytest.mark.parametrize(("old", "new"), [(">1.2<", ">1.21<"), (">34<", ">35<"), (">35A</nibrs:Ch", ">13A</nibrs:Ch")])
def test_a_change_in_what_is_kept_is_a_new_version(old: str, new: str) -> None:
    first, second = accepted(INCIDENT)[0], accepted(changed(INCIDENT, (old, new)))[0]
    assert first.key == second.key
    assert content_digest(first) != content_digest(second)


def test_one_bad_report_does_not_lose_the_others() -> None:
    report = between(INCIDENT, "<nibrs:Report>", "</nibrs:Report>")
    foreign = changed(report, ("ZZ0000100", "ZZ0000200"))
    bad = changed(report, (">35B<", ">35Z<"))
    found = items(changed(INCIDENT, (report, report + foreign + bad + report)))
    assert [item.reason for item in found] == ["", "ORI_NOT_YOURS", "INVALID_REPORT", ""]
    assert [item.path for item in found] == [f"/nibrs:Submission/nibrs:Report[{n}]" for n in (1, 2, 3, 4)]
    assert found[2].violations[0].path.startswith("/nibrs:Submission/nibrs:Report[3]/j:Arrest[2]/")
    assert found[0].candidates == found[3].candidates


def test_a_group_b_delete_without_arrestees_takes_the_whole_arrest_away() -> None:
    text = changed(
        ARREST, (">A</nibrs:ReportAction", ">D</nibrs:ReportAction"), ("<j:ArrestSequenceID>1</j:ArrestSequenceID>", "")
    )
    (item,) = items(text)
    assert item.key is not None
    assert (item.action, item.key.sequence) == (Action.DELETE, "")


@pytest.mark.parametrize(
    "extra",
    [
        "<j:PersonFBIIdentification><nc:IdentificationID>1</nc:IdentificationID></j:PersonFBIIdentification>",
        "<j:Anything><nc:IdentificationID>123456AB7</nc:IdentificationID></j:Anything>",
        "<x:note xmlns:x='urn:x'>SID WA12345678</x:note>",
        "<x:note xmlns:x='urn:x' informant='no'/>",
        "<x:note xmlns:x='urn:x'/>tested HIV positive",
    ],
)
def test_what_is_never_carried_rejects_the_report_and_is_not_quoted(extra: str) -> None:
    (item,) = items(changed(INCIDENT, ("<nc:Incident>", extra + "<nc:Incident>")))
    assert (item.reason, item.candidates) == ("NEVER_CARRIED", ())
    assert all(violation.path.startswith(REPORT + "/*[2]") for violation in item.violations)
    assert not any(word in repr(item) for word in ("123456AB7", "WA12345678", "PersonFBI"))
