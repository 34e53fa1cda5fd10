"""`leadx policy replay`: past decisions, derived again from what was written down of them."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from services.command.policy.log import DATA, reading

if TYPE_CHECKING:
    from services.consent.derive import Ground
    from services.consent.replay import Replay

_KEYS = {"EQUAL": "equal", "UNEQUAL": "unequal", "NOT_REPLAYABLE": "notReplayable"}


@click.command()
@click.option("--request", "request_id", default="", help="All decisions of this request.")
@click.option("--decision", "decision_id", default="", help="This decision.")
@click.option("--all", "every", is_flag=True, help="Every stored decision; tells those that are not equal.")
@click.option("--limit", type=click.IntRange(min=1), help="With --all: only so many, the newest first.")
@DATA
@click.option("--json", "as_json", is_flag=True, help="Print the outcomes as JSON.")
def replay(request_id: str, decision_id: str, every: bool, limit: int | None, data: Path, as_json: bool) -> None:
    """Derive past decisions again and say whether they come out equal, by which rows.

    Each is derived under the policy of its own version, from the asker, the facts and the releases that were written
    down with it; the releases are looked up at the version that was cited. Reads the database of a running or a
    stopped exchange and changes nothing. Exit code 1 when one is unequal: then the log or a policy was changed.

    \b
    Examples:
      leadx policy replay --request req_0198c1e2-0000-7000-8000-000000000001
      leadx policy replay --all --limit 10000
    """
    if sum((bool(request_id), bool(decision_id), every)) != 1:
        raise click.UsageError("Name one of --request, --decision and --all.")
    with reading(data) as connection:
        from services.consent import history
        from services.consent.policy.compile import Policy

        shipped = Policy.load()
        pasts = history.decisions(connection, request_id=request_id, decision_id=decision_id, limit=limit or 0)
        told = _told(history.replays(connection, pasts, {shipped.version: shipped}), every, as_json)
    if not told.total():
        raise click.ClickException("No such decision is stored.")
    sys.exit(1 if told["UNEQUAL"] else 0)


def _told(found: Iterable[Replay], every: bool, as_json: bool) -> Counter[str]:
    """Print what came out, one by one; returns how many had each outcome."""
    counts: Counter[str] = Counter()
    shown: list[dict[str, Any]] = []
    for one in found:
        counts[one.outcome] += 1
        if every and one.outcome == "EQUAL":
            continue
        if as_json:
            shown.append(_as_json(one))
        elif not every or one.outcome == "UNEQUAL":
            click.echo("\n".join(_lines(one)))
    summary = {key: counts[outcome] for outcome, key in _KEYS.items()}
    if as_json:
        click.echo(json.dumps({**summary, "decisions": shown}))
    elif counts:
        click.echo(
            f"{summary['equal']} equal, {summary['unequal']} unequal, {summary['notReplayable']} cannot be replayed."
        )
    return counts


def _as_json(one: Replay) -> dict[str, Any]:
    past, basis = one.past, one.past.basis
    return {
        "decisionId": past.decision_id,
        "requestId": past.request_id,
        "time": past.at.isoformat(),
        "policyVersion": past.policy_version,
        "role": basis.role if basis else "",
        "purpose": basis.purpose if basis else "",
        "outcome": one.outcome,
        "why": list(one.why),
        "grounds": [_ground(each) for each in one.grounds],
    }


def _ground(ground: Ground) -> dict[str, Any]:
    from services.shared.sharing.need import words

    return {
        "row": ground.row,
        "rule": ground.rule,
        "law": ground.law,
        "categories": list(words(ground.categories)),
        "consentId": ground.consent_id,
        "consentVersion": ground.consent_version,
        "approvalId": ground.approval_id,
    }


def _lines(one: Replay) -> Iterable[str]:
    past, basis = one.past, one.past.basis
    who = f"{basis.role} of {past.agency_id or 'no agency'} for {basis.purpose}" if basis else "nobody"
    about = f"{past.record_id or 'any record'} of {past.source_agency_id or 'no agency'}"
    yield f"{past.decision_id}  {past.at.isoformat()}  {who}, {about}: {one.outcome}"
    yield from (f"  {each}" for each in one.why)
    for ground in one.grounds:
        told = _ground(ground)
        on = told["consentId"] and f" on {told['consentId']} version {told['consentVersion']}"
        on = on or (told["approvalId"] and f" on {told['approvalId']}")
        yield f"  row {told['row']} ({told['rule']}; {told['law']}){on}: {' '.join(told['categories'])}"
