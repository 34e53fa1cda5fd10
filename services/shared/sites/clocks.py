"""When a site's clocks run out. All times go in and come out as aware UTC."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

from services.shared.sites.pack import Site

# Matrix row 9: a case manager's view of an arrest referral ends 72 hours after the request, whatever the site says.
_ARREST_WINDOW = timedelta(hours=72)
_LAST_SECOND = time(23, 59, 59)


def due_time(site: Site, door: str, referral_time: datetime) -> datetime | None:
    """Return the end of the last local day on which the intake is in time; None when the door has no such deadline.

    The days are calendar days in the site's zone, so a change of daylight saving time neither adds nor takes an hour
    (lead-program.md section 4).
    """
    days = next((days for name, days in site.clocks.intake_days.items() if name == door), None)
    if days is None:
        return None
    last_day = referral_time.astimezone(site.zone).date() + timedelta(days=days)
    # Where the last second of a day comes twice, the later one ends the day.
    return datetime.combine(last_day, _LAST_SECOND, tzinfo=site.zone).replace(fold=1).astimezone(UTC)


def handoff_window_end(site: Site, door: str, requested: datetime) -> datetime:
    """Return when the hand-off's view of the person ends at the latest (matrix row 9)."""
    if door == "ARREST_DIVERSION":
        return requested + _ARREST_WINDOW
    return requested + timedelta(days=site.clocks.outreach_days)
