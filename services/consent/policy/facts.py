"""The facts a rule may ask for, each with its reason.

Scope facts are kept by `consent`, stated and closed by the area that owns them. All are false until stated. Widening
facts are conditions of a permit; narrowing facts withhold what would be shown without them.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Fact(StrEnum):
    """A boolean about (caller, subject, record). The value is the name of its attribute in the Cedar context."""

    OWN_SITE = "own_site"
    ROUTED = "routed"
    OWN_INCIDENT = "own_incident"
    REPRESENTED = "represented"
    DISPATCHED = "dispatched"
    ADDRESSED = "addressed"
    NAMED_RECIPIENT = "named_recipient"
    TAKING_AGENCY = "taking_agency"
    SELF = "self"
    COMMUNITY = "community"
    SAFETY = "safety"
    HELD = "held"
    EMPLOYED_BY_JUSTICE = "employed_by_justice"


WHY: Mapping[Fact, str] = {
    Fact.OWN_SITE: "the record belongs to the site that the caller's programme office runs (rows 3, 7)",
    Fact.ROUTED: "a charge of the incident is routed to the caller's office (row 4)",
    Fact.OWN_INCIDENT: "the caller's agency reported the incident (row 5)",
    Fact.REPRESENTED: "an active release names the caller's defender agency (row 8)",
    Fact.DISPATCHED: "the caller's agency was sent to this hand-off, and its window is open (row 9)",
    Fact.ADDRESSED: "a service referral is addressed to the caller's agency (row 11)",
    Fact.NAMED_RECIPIENT: "the release names the caller's agency (rows 31, 32)",
    Fact.TAKING_AGENCY: "the caller's agency took the release (rows 31, 32)",
    Fact.SELF: "the record is about the caller (rows 32, 33)",
    Fact.COMMUNITY: "the record is a referral through the COMMUNITY door (row 42)",
    Fact.SAFETY: "the participant's safety flag is set: where the person is found stays hidden (row 12)",
    Fact.HELD: "a law-enforcement hold on this entry runs, 45 CFR 164.528(a)(2) (row 33)",
    Fact.EMPLOYED_BY_JUSTICE: "the caller is also employed by police or prosecutor (row 36)",
}

NARROWING: frozenset[Fact] = frozenset({Fact.SAFETY, Fact.HELD, Fact.EMPLOYED_BY_JUSTICE})
WIDENING: frozenset[Fact] = frozenset(Fact) - NARROWING
