"""Reads single NIBRS values: dates, ages, quantities, codes. What is wrong is noted by path, never by what was sent."""

from __future__ import annotations

import re
from collections.abc import Container
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

from services.referral.rms import codes
from services.referral.rms.candidate import Age, IncidentTime
from services.referral.rms.xml import Node
from services.shared.errors import Violation

# A report with more is hopeless; the sender learns enough from these.
_MOST_VIOLATIONS = 100
_EARLIEST = date(1900, 1, 1)
_LARGEST = Decimal("999999999.999")

_ZONE = r"(Z|[+-](?:0[0-9]|1[0-4]):[0-5][0-9])?"
_DATE = re.compile(rf"([0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}){_ZONE}")
_DATE_TIME = re.compile(
    rf"([0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}})T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{{1,9}})?{_ZONE}"
)
_QUANTITY = re.compile(r"[0-9]{1,9}(\.[0-9]{1,6})?")
_YEARS = re.compile(r"[0-9]{1,2}")


@dataclass
class Problems:
    """Collects what is wrong in one report. `today` (None: unknown) bounds dates, with a day's grace for time zones."""

    today: date | None = None
    found: list[Violation] = field(default_factory=list)

    @property
    def full(self) -> bool:
        """Whether further ones would not be kept."""
        return len(self.found) >= _MOST_VIOLATIONS

    def add(self, path: str, wish: str) -> None:
        """Note a wrong value by where it stands and what would be right."""
        if not self.full:
            self.found.append(Violation(path, wish))


def some(parent: Node, name: str, most: int, problems: Problems) -> list[Node]:
    """Return the children called `name`, at most `most` of them; more is a violation."""
    nodes = parent.all(name)
    if len(nodes) > most:
        problems.add(f"{parent.path}/{name}", f"at most {most}")
    return nodes[:most]


def code(node: Node, table: Container[str], problems: Problems, wish: str) -> str:
    """Return the node's text if the table has it; otherwise note `wish` and return ""."""
    text = node.text()
    if text in table:
        return text
    problems.add(node.path, wish)
    return ""


def a_date(node: Node, problems: Problems) -> date | None:
    """Return an xs:date, without its zone; None and a violation when it is none, too early or in the future."""
    match = _DATE.fullmatch(node.text())
    day = _day(match[1]) if match else None
    return _plausible(day, node.path, problems)


def incident_time(incident: Node, problems: Problems) -> IncidentTime | None:
    """Return element 3 with the precision that the report has: the hour if it is there, otherwise the day."""
    reported = incident.text("cjis:IncidentAugmentation", "cjis:IncidentReportDateIndicator") in ("true", "1")
    written = incident.first("nc:ActivityDate", "nc:DateTime")
    if written:
        match = _DATE_TIME.fullmatch(written.text())
        day = _plausible(_day(match[1]) if match else None, written.path, problems)
        return IncidentTime(day, int(match[2]), _offset(match[3]), reported) if match and day else None
    written = incident.first("nc:ActivityDate", "nc:Date")
    if written is None:
        problems.add(f"{incident.path}/nc:ActivityDate", "the date, with the hour if it is known")
        return None
    day = a_date(written, problems)
    return IncidentTime(day, is_report_date=reported) if day else None


def quantity(measure: Node, problems: Problems) -> tuple[Decimal, str] | None:
    """Return an amount and its unit's code, or None when it is not reported: unit XX, no unit, or no amount.

    The amount beside XX is a filler and isn't read. A written zero is refused, since it can only be a filler too.
    """
    unit_node, amount_node = measure.first("j:SubstanceUnitCode"), measure.first("nc:MeasureDecimalValue")
    if unit_node is None or unit_node.text() in ("", codes.NOT_REPORTED):
        return None
    unit = code(unit_node, codes.UNITS, problems, "a NIBRS drug measurement code, XX for not reported")
    if amount_node is None or not amount_node.text():
        return None
    text = amount_node.text()
    amount = Decimal(text) if _QUANTITY.fullmatch(text) else Decimal(0)
    if not 0 < amount <= _LARGEST:
        problems.add(amount_node.path, "a number above 0 with at most 9 digits before the point, or unit XX")
        return None
    return (amount, unit) if unit else None


def age(person: Node, problems: Problems) -> Age | None:
    """Return the age as written, exact or a range; None when it is missing or said to be unknown."""
    measure = person.first("nc:PersonAgeMeasure")
    if measure and (span := measure.first("nc:MeasureIntegerRange")):
        return _age_range(span, problems)
    node = person.first("j:PersonAugmentation", "j:PersonAgeCode")
    if measure:
        node = measure.first("nc:MeasureIntegerValue") or measure.first("nc:MeasureValueText") or node
    return _age(node, problems) if node else None


def _age(node: Node, problems: Problems) -> Age | None:
    text = node.text().upper()
    if text in codes.AGE_WORDS:
        years = codes.AGE_WORDS[text]
        return Age(*years) if years else None
    if not _YEARS.fullmatch(text):
        problems.add(node.path, "years from 1 to 99, or a NIBRS age code")
        return None
    return Age(int(text), _upper(int(text)))


def _age_range(span: Node, problems: Problems) -> Age | None:
    low, high = span.text("nc:RangeMinimumIntegerValue"), span.text("nc:RangeMaximumIntegerValue")
    if not (_YEARS.fullmatch(low) and _YEARS.fullmatch(high) and int(low) <= int(high)):
        problems.add(span.path, "a minimum and a maximum from 0 to 99, the minimum not above the maximum")
        return None
    return Age(int(low), _upper(int(high))) if int(high) else None


def _upper(years: int) -> int | None:
    return None if years == codes.OLDEST else years


def _plausible(day: date | None, path: str, problems: Problems) -> date | None:
    if day is None or day < _EARLIEST:
        problems.add(path, "a date of the calendar, YYYY-MM-DD, from 1900 on, with THH:MM:SS where a time belongs")
        return None
    if problems.today and day > problems.today + timedelta(days=1):
        problems.add(path, "a date that is not in the future")
        return None
    return day


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _offset(zone: str | None) -> int | None:
    if zone is None:
        return None
    if zone == "Z":
        return 0
    minutes = int(zone[1:3]) * 60 + int(zone[4:6])
    return -minutes if zone[0] == "-" else minutes
