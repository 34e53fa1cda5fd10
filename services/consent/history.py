"""The decision log and the policies, as they are stored: both directions side by side, and the queries on them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from itertools import islice
from typing import Any

from sqlalchemy import Connection, insert, select

from services.consent import store
from services.consent.derive import Basis, Granted, Ground
from services.consent.domain import Consent
from services.consent.models import CONSENTS, DECISIONS, POLICIES
from services.consent.policy.compile import Policy, PolicyError
from services.consent.policy.facts import Fact
from services.consent.replay import Cited, Past, Replay, replayed

ROUTING_KEYS = "routing_keys"
"""In the inputs of what is no decision: how many routing keys went out at once."""

_ROUTING = "no decision: routing keys for live delivery"
_BEFORE = "recorded before revision 0002, without all of its inputs"
_TORN = "its inputs are not what this release can read"
_FETCHED, _TOGETHER = 500, 100


def inputs_to_json(basis: Basis) -> dict[str, Any]:
    """Return what a decision follows from besides asker, record and facts, which have columns of their own."""
    row = asdict(basis)
    for name in ("role", "purpose", "facts"):
        del row[name]
    row["granted"] = [[one.consent_id, one.version, one.categories] for one in basis.granted]
    return row


def ground_to_json(ground: Ground) -> dict[str, Any]:
    """Return what some categories rest on; the law is a note on the row."""
    row = asdict(ground)
    del row["law"]
    return row


def decisions(connection: Connection, *, request_id: str = "", decision_id: str = "", limit: int = 0) -> Iterator[Past]:
    """Yield stored decisions, the newest first: of one request, a single one, or all up to `limit` (0 for no limit)."""
    table = DECISIONS
    query = select(table).order_by(table.c.at.desc(), table.c.decision_id.desc())
    if request_id:
        query = query.where(table.c.request_id == request_id)
    if decision_id:
        query = query.where(table.c.decision_id == decision_id)
    if limit:
        query = query.limit(limit)
    for row in connection.execute(query.execution_options(yield_per=_FETCHED)).mappings():
        yield past_from_row(row)


def past_from_row(row: Mapping[Any, Any]) -> Past:
    """Return a stored decision; one that lacks inputs, or holds what is no input, comes without basis."""
    try:
        basis, grounds, lacks = _derivable(row)
    except (KeyError, TypeError, ValueError):
        basis, grounds, lacks = None, (), _TORN
    return Past(
        decision_id=row["decision_id"],
        at=row["at"],
        policy_version=row["policy_version"],
        request_id=row["request_id"],
        agency_id=row["asker"].get("agency", ""),
        source_agency_id=row["record"].get("source", ""),
        record_id=row["record"].get("record", ""),
        visible=row["visible"],
        cited=tuple(Cited(one["id"], one["version"]) for one in row["consents"]),
        basis=basis,
        grounds=grounds,
        lacks=lacks,
    )


def _derivable(row: Mapping[Any, Any]) -> tuple[Basis | None, tuple[Ground, ...], str]:
    inputs = row["inputs"]
    if inputs is None:
        return None, (), _BEFORE
    if ROUTING_KEYS in inputs:
        return None, (), _ROUTING
    granted = tuple(Granted(*one) for one in inputs["granted"])
    asked = {"role": row["asker"]["role"], "purpose": row["asker"]["purpose"]}
    facts = frozenset(Fact(word) for word in row["facts"])
    basis = Basis(**{**inputs, **asked, "facts": facts, "granted": granted})
    return basis, tuple(Ground(law="", **one) for one in row["rulings"]), ""


def releases(connection: Connection, consent_ids: Iterable[str]) -> dict[str, Consent]:
    """Return these releases as they stand, by id; one that was destroyed is absent."""
    found = store.consents_where(connection, CONSENTS.c.consent_id.in_(sorted(set(consent_ids))))
    return {one.consent_id: one for one in found}


def replays(connection: Connection, pasts: Iterable[Past], policies: Mapping[str, Policy]) -> Iterator[Replay]:
    """Derive stored decisions again, in their order; `policies` are those of this release, by version."""
    known: dict[str, Policy | None] = dict(policies)
    rest = iter(pasts)
    while some := list(islice(rest, _TOGETHER)):
        cited = releases(connection, (one.consent_id for past in some for one in past.cited))
        for past in some:
            if past.policy_version not in known:
                known[past.policy_version] = policy(connection, past.policy_version)
            yield replayed(past, known[past.policy_version], cited)


def keep_policy(connection: Connection, policy: Policy) -> None:
    """Store this version of the matrix, unless it is there."""
    if connection.execute(select(POLICIES.c.version).where(POLICIES.c.version == policy.version)).first() is None:
        values = {"version": policy.version, "text": policy.text, "schema": policy.schema_text}
        connection.execute(insert(POLICIES).values(values))


def policy(connection: Connection, version: str) -> Policy | None:
    """Return a stored version of the matrix; None when it is not there or its text is not that of the version any more.

    A version is a digest of text, schema and the purposes that roles may name.
    """
    row = connection.execute(select(POLICIES).where(POLICIES.c.version == version)).one_or_none()
    if row is None:
        return None
    try:
        found = Policy(row.text, row.schema)
    except PolicyError:
        return None
    return found if found.version == version else None
