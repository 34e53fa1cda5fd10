"""Reads a NIBRS submission: one or several reports, each judged by itself.

    items = read(data, caller_ori=frozenset({"ZZ0000100"})).items

A Group A report is an incident, a Group B report one arrest; both may be sent, replaced and deleted. A Zero Report says
that a month had nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date

from services.referral.rms import codes
from services.referral.rms.candidate import Action, Import, Item, NaturalKey
from services.referral.rms.people import PEOPLE, candidates, sequence
from services.referral.rms.values import Problems, some
from services.referral.rms.withheld import never_carried
from services.referral.rms.xml import Node, reports

# NIBRS allows 12 characters; systems in the field write a few more.
_NUMBER = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9 ./_-]{0,38}[A-Za-z0-9])?")
_MONTH = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])")
_ORI = ("j:OrganizationAugmentation", "j:OrganizationORIIdentification", "nc:IdentificationID")
_ID = ("nc:ActivityIdentification", "nc:IdentificationID")
_ACTIONS = {"I": Action.UPSERT, "A": Action.UPSERT, "R": Action.REPLACE, "D": Action.DELETE}


def read(data: bytes, *, caller_ori: frozenset[str], today: date | None = None) -> Import:
    """Return what each report of a submission wants, in order.

    `caller_ori`: the ORIs of the caller's agency; a report of any other is rejected with `ORI_NOT_YOURS`. `today`:
    dates more than a day later are refused; None takes any. A report that can't be read is one rejected item, and the
    others stand. Raises LeadError INVALID_ARGUMENT when the file as a whole can't be read (`xml.reports`).
    """
    own = frozenset(ori.strip().upper() for ori in caller_ori)
    return Import(tuple(item for report in reports(data) for item in _items(report, own, today)))


def _items(report: Node, own: frozenset[str], today: date | None) -> Iterator[Item]:
    ori = report.first("nibrs:ReportHeader", "nibrs:ReportingAgency", *_ORI)
    if ori is None or ori.text().upper() not in own:
        problems = Problems()
        problems.add(_path(report, "nibrs:ReportHeader", "nibrs:ReportingAgency", *_ORI), "an ORI of your own agency")
        yield _rejected(report, "ORI_NOT_YOURS", problems)
        return
    problems = Problems(today)
    never_carried(report, problems)
    if problems.found:
        yield _rejected(report, "NEVER_CARRIED", problems)
        return
    found = list(_read(report, ori.text().upper(), problems))
    if problems.found:
        yield _rejected(report, "INVALID_REPORT", problems)
    else:
        yield from found


def _read(report: Node, ori: str, problems: Problems) -> Iterator[Item]:
    """Yield what the report wants; what is yielded counts only if there are no problems in the end."""
    category, action = _header(report, problems)
    number = _number(report, category, problems)
    key = NaturalKey(ori, category, number)
    if category == codes.ZERO:
        yield Item(report.path, key, Action.ZERO)
    elif action is Action.DELETE:
        yield from (Item(report.path, gone, action) for gone in _deleted(report, key, problems))
    elif category and action:
        yield Item(report.path, key, action, candidates(report, key, problems))


def _header(report: Node, problems: Problems) -> tuple[str, Action | None]:
    category = codes.category(report.text("nibrs:ReportHeader", "nibrs:NIBRSReportCategoryCode"))
    if category is None:
        problems.add(
            _path(report, "nibrs:ReportHeader", "nibrs:NIBRSReportCategoryCode"),
            f"{codes.GROUP_A}, {codes.GROUP_B} or {codes.ZERO}",
        )
    action = _ACTIONS.get(report.text("nibrs:ReportHeader", "nibrs:ReportActionCategoryCode"))
    if action is None:
        problems.add(_path(report, "nibrs:ReportHeader", "nibrs:ReportActionCategoryCode"), "I, A, R or D")
    return category or "", action


def _number(report: Node, category: str, problems: Problems) -> str:
    """Return what the report is known by; Group B reports are about one arrest, so all theirs must agree."""
    if category == codes.ZERO:
        month = ("nibrs:ReportHeader", "nibrs:ReportDate", "nc:YearMonthDate")
        return _one(report, month, _MONTH, "a month, YYYY-MM", problems)
    wish = "letters, digits and -./_ or blank between them, at most 40"
    if category == codes.GROUP_A:
        return _one(report, ("nc:Incident", *_ID), _NUMBER, wish, problems)
    numbers = {arrest.text(*_ID) for arrest in report.all("j:Arrest")}
    if len(numbers) > 1:
        problems.add(f"{report.path}/j:Arrest", "one arrest transaction number per report")
    return _one(report, ("j:Arrest", *_ID), _NUMBER, wish, problems)


def _one(report: Node, names: tuple[str, ...], form: re.Pattern[str], wish: str, problems: Problems) -> str:
    text = report.text(*names)
    if form.fullmatch(text):
        return text
    problems.add(_path(report, *names), wish)
    return ""


def _deleted(report: Node, key: NaturalKey, problems: Problems) -> list[NaturalKey]:
    """Return what a Delete takes away: the arrestees that a Group B report names, otherwise all that it was about."""
    if key.report_category == codes.GROUP_A:
        return [key]
    arrestees = some(report, "j:Arrestee", PEOPLE, problems)
    numbers = [sequence(node, problems) for node in arrestees if node.first("j:ArrestSequenceID")]
    return [replace(key, sequence=f"arrestee-{number}") for number in numbers] or [key]


def _rejected(report: Node, reason: str, problems: Problems) -> Item:
    return Item(report.path, reason=reason, violations=tuple(problems.found))


def _path(report: Node, *names: str) -> str:
    return "/".join((report.path, *names))
