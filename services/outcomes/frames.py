"""The store as frames for the evaluation: people, their linked events, feeds, and the referrals of the funnel.

Imported when the first report is made: polars is heavy. Everything is read in one transaction, as it was opened for one
evaluator.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import polars as pl
from sqlalchemy import Connection, and_, or_, select

from services.outcomes.convert import gaps_from_json
from services.outcomes.evaluation.frames import TIME
from services.outcomes.evaluation.request import Inputs
from services.outcomes.linked import believed_links, linked_events, of_person, same_persons, with_prior
from services.outcomes.models import ENTRIES, FEEDS, HANDOFFS, INTAKES, JUSTICE_EVENTS, LINKS, REFERRALS
from services.outcomes.pieces import frame

_OFFERED = ("ACCEPTED", "DECLINED")


@dataclass(frozen=True, slots=True)
class Gathered:
    """What a site's reports are counted from.

    `not_found` entries name an index event that no link has found in a feed.
    """

    people: pl.DataFrame
    events: pl.DataFrame
    feeds: pl.DataFrame
    # The referrals that stand, linked or not, with intake and hand-off: the funnel.
    referrals: pl.DataFrame
    not_found: int
    # When the first comparison was registered; None where there is none.
    registered_at: datetime | None

    @property
    def inputs(self) -> Inputs:
        """What the evaluation takes."""
        return Inputs(self.people, self.events, self.feeds)

    def unlinked(self, as_of: datetime) -> int:
        """Return how many referrals have no study id yet and cannot be followed."""
        sent = self.referrals.filter(pl.col("referral_at") <= as_of)
        return sent.join(self.people, on="referral_id", how="anti").height

    def funnel(self, as_of: datetime) -> pl.DataFrame:
        """Return the referrals that came until then as the funnel takes them, with what had happened by then."""
        sent = self.referrals.filter(pl.col("referral_at") <= as_of)
        # Of a hand-off only its minutes are known here; where they are not, it took place all the same.
        minutes = pl.duration(minutes=pl.col("minutes"))
        start = pl.coalesce("offer_at", "referral_at")
        declined, offered = pl.col("state") == "DECLINED", pl.col("offer_outcome").is_in(_OFFERED)
        by_person = pl.col("offer_outcome") == "DECLINED"
        return sent.select(
            "door",
            referred_at=pl.col("referral_at"),
            eligible=(pl.col("screening_result") == "ELIGIBLE") | pl.col("is_overridden"),
            offered=offered & (pl.col("offer_at").fill_null(pl.col("referral_at")) <= as_of),
            approved=_approved() & (pl.col("approve_at").fill_null(pl.col("referral_at")) <= as_of),
            called_at=pl.when(pl.col("minutes").is_not_null()).then(start),
            handed_off_at=pl.when("handed_off").then(pl.coalesce(start + minutes, start)),
            intake_time=pl.when(pl.col("intake_at") <= as_of).then("intake_at"),
            intake_clock_days="intake_clock_days",
            declined=declined | by_person,
            decline_reason=pl.when(by_person).then(pl.lit("BY_PERSON")).when(declined).then(pl.lit("BY_PROGRAMME")),
        )


def gathered(connection: Connection, agency_id: str, site_id: str, clock_days: int | None) -> Gathered:
    """Read all of a site that was opened for an evaluator.

    `clock_days` is the site's intake clock of the arrest door: a comparison reaches the landmark when it would have run
    out.
    """
    links = believed_links(connection, agency_id)
    persons = same_persons(links)
    referrals = _referrals(connection, agency_id, site_id)
    followed = _followed(referrals, links, persons)
    entries, not_found, registered_at = _compared(connection, agency_id, site_id, clock_days, persons)
    people = pl.concat([followed, entries]).sort("study_id", "t0", "arm", "door", "referral_id", nulls_last=True)
    events = linked_events(connection, agency_id, persons, people.get_column("study_id").unique())
    return Gathered(
        people=with_prior(people, events),
        events=events,
        feeds=_feeds(connection, agency_id, site_id),
        referrals=referrals,
        not_found=not_found,
        registered_at=registered_at,
    )


def _referrals(connection: Connection, agency_id: str, site_id: str) -> pl.DataFrame:
    """Return the referrals of a site that stand, with the first intake of each one's subject."""
    table = REFERRALS.c
    # Taken back before anything was offered or approved, it was a mistake; later, it counts, whatever happened next.
    begun = or_(table.approve_at.is_not(None), table.offer_outcome.in_(_OFFERED))
    stands = or_(table.state != "WITHDRAWN", begun)
    here = and_(table.agency_id == agency_id, table.site_id == site_id, table.door != "", stands)
    found = frame(
        connection,
        select(
            table.referral_id, table.subject_id, table.site_id, table.door, table.incident_at, table.referral_at,
            table.incident_key, table.screening_result, table.is_overridden, table.offer_at, table.offer_outcome,
            table.approve_at, table.state, table.intake_clock_days,
        ).where(here),
    )  # fmt: skip
    intakes = frame(
        connection, select(INTAKES.c.subject_id, INTAKES.c.intake_at).where(INTAKES.c.agency_id == agency_id)
    )
    first = intakes.group_by("subject_id").agg(pl.col("intake_at").min())
    measured = _handoffs(connection, agency_id).with_columns(handed_off=pl.lit(True))
    whole = found.join(first, on="subject_id", how="left").join(measured, on="subject_id", how="left")
    return whole.with_columns(pl.col("handed_off").fill_null(False)).sort("referral_id")


def _handoffs(connection: Connection, agency_id: str) -> pl.DataFrame:
    """Return (subject_id, minutes) of each subject's first hand-off; its id tells which was first."""
    table = HANDOFFS.c
    query = select(table.handoff_id, table.subject_id, table.minutes).where(table.agency_id == agency_id)
    found = frame(connection, query).sort("handoff_id")
    return found.group_by("subject_id").agg(pl.col("minutes").first())


def _followed(referrals: pl.DataFrame, links: pl.DataFrame, persons: pl.DataFrame) -> pl.DataFrame:
    """Return the people frame of those who were referred: a row for each referral that has a study id."""
    named = links.filter(pl.col("target") == "REFERRAL", "certain").select(referral_id="record_id", study_id="study_id")
    arrested = pl.coalesce("incident_at", "referral_at")
    rows = referrals.join(of_person(named, persons).unique(), on="referral_id")
    return rows.select(
        "study_id",
        "site_id",
        "door",
        arm=pl.lit("LEAD"),
        t0=pl.when(pl.col("door") == "ARREST_DIVERSION").then(arrested).otherwise("referral_at"),
        eligible=pl.col("screening_result") == "ELIGIBLE",
        offered=pl.col("offer_outcome").is_in(_OFFERED),
        approved=_approved(),
        overridden=pl.col("is_overridden"),
        intake_time=pl.col("intake_at"),
        intake_clock_days=pl.col("intake_clock_days"),
        index_incident=pl.col("incident_key"),
        index_event_id=pl.lit(None, pl.String),
        referral_id=pl.col("referral_id"),
    ).drop_nulls("t0")


def _compared(
    connection: Connection, agency_id: str, site_id: str, clock_days: int | None, persons: pl.DataFrame
) -> tuple[pl.DataFrame, int, datetime | None]:
    """Return the people frame of those who were registered, how many were not found, and the first registration."""
    entries = frame(
        connection, select(ENTRIES.c.id, ENTRIES.c.arm, ENTRIES.c.created_at).where(ENTRIES.c.site_id == site_id)
    )
    link, event = LINKS.c, JUSTICE_EVENTS.c
    named = and_(event.event_id == link.record_id, event.agency_id == link.agency_id, ~event.is_withdrawn)
    query = (
        select(link.entry_id, link.study_id, event.event_id, event.event_at, event.incident_key)
        .join_from(LINKS, JUSTICE_EVENTS, named)
        .where(link.agency_id == agency_id, link.entry_id != "", ~link.is_withdrawn, event.event_at.is_not(None))
    )
    found = entries.join(of_person(frame(connection, query), persons), left_on="id", right_on="entry_id")
    rows = found.select(
        "study_id",
        site_id=pl.lit(site_id),
        door=pl.lit("ARREST_DIVERSION"),
        arm=pl.col("arm"),
        t0=pl.col("event_at"),
        eligible=pl.lit(True),
        offered=pl.lit(False),
        approved=pl.lit(False),
        overridden=pl.lit(False),
        intake_time=pl.lit(None, TIME),
        intake_clock_days=pl.lit(clock_days, pl.Int64),
        index_incident=pl.col("incident_key"),
        index_event_id=pl.col("event_id"),
        referral_id=pl.lit(None, pl.String),
    )
    first: Any = found.get_column("created_at").min()
    return rows, entries.height - found.get_column("id").n_unique(), first


def _feeds(connection: Connection, agency_id: str, site_id: str) -> pl.DataFrame:
    table = FEEDS.c
    query = select(table.feed_agency_id, table.complete_from, table.complete_through, table.gaps, table.site_ids)
    rows = [
        (row.feed_agency_id, site_id, row.complete_from, row.complete_through, gaps_from_json(row.gaps))
        for row in connection.execute(query.where(table.agency_id == agency_id).order_by(table.feed_agency_id))
        if site_id in row.site_ids
    ]
    gap = pl.Struct({"start": TIME, "end": TIME})
    times: dict[str, Any] = {"complete_from": TIME, "complete_through": TIME, "gaps": pl.List(gap)}
    return pl.DataFrame(rows, schema={"agency_id": pl.String, "site_id": pl.String, **times}, orient="row")


def _approved() -> pl.Expr:
    return pl.col("approve_at").is_not_null() | (pl.col("state") == "APPROVED")
