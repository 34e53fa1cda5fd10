"""A report as the HTTP face answers it, for tests of what is made of it."""

from __future__ import annotations

from typing import Any


def a_report(**changes: Any) -> dict[str, Any]:
    """Return a report with two tables, two curves and a suppressed cell."""
    return {
        "title": "Arrests, everyone offered or approved: 6 calendar months, seattle",
        "facts": [
            {"name": "Definition", "value": "ARR_ALL, version 1"},
            {"name": "Population", "value": "ITT: everyone offered or approved"},
            {"name": "Suppression", "value": "Cells under 11 and their complements are suppressed."},
        ],
        "notes": ["No comparison group: this is not an effect."],
        "tables": [
            {
                "id": "events",
                "title": "Who had an event",
                "columns": ["Door", "Arm", "With event", "Risk", "95% from", "95% to"],
                "rows": [
                    _row("Arrest diversion", "LEAD", _count(60), *_risk(0.4, 0.333, 0.467)),
                    _row("Arrest diversion", "Comparison", {"text": "suppressed", "suppressed": True}, *_risk(None)),
                ],
            },
            {"id": "feeds", "title": "Feeds", "columns": ["Agency"], "rows": [_row("sample-police")]},
        ],
        "curves": [
            {"id": "a", "title": "Arrest diversion, LEAD", "points": [_point(30, 0.1), _point(180, 0.4)]},
            {"id": "b", "title": "Community, LEAD", "points": [_point(60, 0.05)]},
        ],
        "asOfTime": "2027-02-01T12:00:00Z",
        **changes,
    }


def _row(*cells: str | dict[str, Any]) -> dict[str, Any]:
    return {"cells": [{"text": each} if isinstance(each, str) else each for each in cells]}


def _count(number: int) -> dict[str, Any]:
    return {"text": str(number), "number": number}


def _risk(*numbers: float | None) -> list[dict[str, Any]]:
    if numbers == (None,):
        return [{"text": "–"}] * 3  # noqa: RUF001 - as the exchange writes it
    return [{"text": f"{each or 0:.1%}", "number": each} for each in numbers]


def _point(days: int, risk: float) -> dict[str, Any]:
    return {"days": days, "risk": risk, "low": risk * 0.8, "high": risk * 1.2}
