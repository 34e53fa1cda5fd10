"""Finds in a report what the exchange never carries, wherever it stands, also where nothing would be read."""

from __future__ import annotations

from lxml.etree import _Element as Element

from services.referral.rms.values import Problems
from services.referral.rms.xml import Node
from services.shared.never_carried import WISHES, by_name, by_shape

# Numbers of records and agencies, under these: they may look like anything.
_RECORD_IDS = frozenset(
    {"ActivityIdentification", "OrganizationORIIdentification", "DirectReportingCityIdentification"}
)


def never_carried(report: Node, problems: Problems) -> None:
    """Note every element that by its name or text must not come in (matrix, "Not carried at all").

    Paths are by position (`.../*[5]/*[1]`): an element's name is the sender's text too.
    """
    for element in report.element.iter():
        if problems.full:
            return
        if reason := _reason(element):
            problems.add(report.path + _position(element, report.element), WISHES[reason])


def _reason(element: Element) -> str | None:
    texts = [element.tail, *(str(value) for key, value in element.attrib.items() if _local(key) not in ("id", "ref"))]
    if not _is_record_id(element):
        texts.append(element.text)
    names = [_local(element.tag), *(_local(key) for key in element.attrib)]
    by_names = (by_name(name) for name in names)
    by_texts = (by_shape(text) for text in texts if text and not text.isspace())
    return next((reason for found in (by_names, by_texts) for reason in found if reason), None)


def _is_record_id(element: Element) -> bool:
    parent = element.getparent()
    return parent is not None and _local(element.tag) == "IdentificationID" and _local(parent.tag) in _RECORD_IDS


def _position(element: Element, top: Element) -> str:
    steps: list[str] = []
    while element is not top:
        parent = element.getparent()
        if parent is None:
            break
        steps.append(f"/*[{parent.index(element) + 1}]")
        element = parent
    return "".join(reversed(steps))


def _local(name: object) -> str:
    return str(name).rpartition("}")[2]
