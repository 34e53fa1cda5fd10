"""Links and what they name: which study ids are one person, and which justice events are his."""

from __future__ import annotations

import polars as pl
from sqlalchemy import Connection, and_, select

from services.outcomes.models import JUSTICE_EVENTS, LINKS
from services.outcomes.persons import joined
from services.outcomes.pieces import frame

# From this score on a link is certain enough to say that two records are one person's.
CERTAIN = 0.95
PRIOR_ARRESTS = "prior_arrests"
"""Covariate known at t0: arrests in the 24 months before it."""

_LEVELS = {"FELONY": "F", "GROSS_MISDEMEANOR": "GM", "MISDEMEANOR": "M"}


def believed_links(connection: Connection, agency_id: str) -> pl.DataFrame:
    """Return the links that are believed: record, study id, target, `score` (null: a person confirmed it), certain."""
    table = LINKS.c
    query = select(table.record_id, table.study_id, table.target, table.score, table.is_confirmed)
    found = frame(connection, query.where(table.agency_id == agency_id, ~table.is_withdrawn))
    score = pl.when(~pl.col("is_confirmed")).then(pl.col("score").fill_null(1.0))
    return found.with_columns(score=score).with_columns(certain=pl.col("score").fill_null(1.0) >= CERTAIN)


def same_persons(links: pl.DataFrame) -> pl.DataFrame:
    """Return (study_id, person) of the study ids that stand for another's person."""
    shared = (
        links.filter("certain")
        .group_by("record_id")
        .agg(pl.col("study_id").unique())
        .filter(pl.col("study_id").list.len() > 1)
    )
    same = joined(shared.get_column("study_id").to_list())
    return pl.DataFrame(sorted(same.items()), schema={"study_id": pl.String, "person": pl.String}, orient="row")


def of_person(rows: pl.DataFrame, persons: pl.DataFrame) -> pl.DataFrame:
    """Replace study ids by those that stand for the person."""
    return (
        rows.join(persons, on="study_id", how="left")
        .with_columns(study_id=pl.coalesce("person", "study_id"))
        .drop("person")
    )


def linked_events(connection: Connection, agency_id: str, persons: pl.DataFrame, people: pl.Series) -> pl.DataFrame:
    """Return the justice events linked to these people, each with the best score of its links."""
    event, link = JUSTICE_EVENTS.c, LINKS.c
    named = and_(link.record_id == event.event_id, link.agency_id == event.agency_id, ~link.is_withdrawn)
    query = (
        select(
            event.event_id, link.study_id, event.kind, event.event_at, event.offence_at, event.warrant_kind,
            event.warrant_at, event.level, event.incident_key, event.booking_key, event.source_agency_id, link.score,
            link.is_confirmed,
        )
        .join_from(JUSTICE_EVENTS, LINKS, named)
        .where(event.agency_id == agency_id, ~event.is_withdrawn, event.event_at.is_not(None), event.kind != "")
    )  # fmt: skip
    found = frame(
        connection, query, lambda piece: of_person(piece, persons).filter(pl.col("study_id").is_in(people.implode()))
    )
    confirmed = pl.col("is_confirmed")
    rows = found.select(
        "event_id",
        "study_id",
        "kind",
        time=pl.col("event_at"),
        offence_time=pl.col("offence_at"),
        warrant_kind=_word("warrant_kind"),
        warrant_time=pl.col("warrant_at"),
        level=_word("level").replace(_LEVELS),
        incident=pl.col("incident_key"),
        booking=pl.col("booking_key"),
        agency_id=pl.col("source_agency_id"),
        score=pl.when(~confirmed).then(pl.col("score").fill_null(1.0)),
    )
    # Nulls, which are confirmed, sort first: the best link of an event to a person counts.
    best = rows.sort("event_id", "study_id", "score", descending=[False, False, True], nulls_last=False)
    return best.unique(["event_id", "study_id"], keep="first", maintain_order=True)


def with_prior(people: pl.DataFrame, events: pl.DataFrame) -> pl.DataFrame:
    """Add how many arrests each row's person had in the 24 months before its t0."""
    rows = people.with_row_index("row")
    arrests = events.filter(pl.col("kind") == "ARREST", pl.col("score").fill_null(1.0) >= CERTAIN)
    before = rows.select("row", "study_id", "t0").join(arrests.select("study_id", "time"), on="study_id")
    recent = before.filter(pl.col("time") < pl.col("t0"), pl.col("time") >= pl.col("t0").dt.offset_by("-24mo"))
    counts = recent.group_by("row").agg(pl.len().cast(pl.Int64).alias(PRIOR_ARRESTS))
    return rows.join(counts, on="row", how="left").with_columns(pl.col(PRIOR_ARRESTS).fill_null(0)).drop("row")


def _word(column: str) -> pl.Expr:
    return pl.when(pl.col(column) != "").then(pl.col(column))
