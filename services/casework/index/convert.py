"""Matches as the wire has them."""

from __future__ import annotations

from lead.casework.v1 import casework_pb2 as pb
from lead.options.v1 import words_pb2
from lead.options.v1.options_pb2 import Reference

from services.casework.convert import MATCH_RULES, MATCH_STATES, MATCH_USES
from services.casework.index.people import Match
from services.casework.index.tokens import Named
from services.shared.wire import filled, stamp


def match_to_wire(match: Match) -> pb.PersonMatch:
    """Return a match with both sides; it hangs on the record that was found."""
    message = pb.PersonMatch(
        reference=_reference(match, match.found_subject_id, match.found_agency_id, match.found_id),
        known=_side(match, match.known, match.known_subject_id, match.known_agency_id, match.known_id),
        found=_side(match, match.found, match.found_subject_id, match.found_agency_id, match.found_id),
        score=match.score,
    )
    if match.decided_at is not None:
        message.reference.changes.add(category=words_pb2.CATEGORY_STAFF, time=stamp(match.decided_at))
    return filled(
        message,
        id=match.id,
        site_id=match.site_id,
        state=MATCH_STATES.number(match.state),
        rule=MATCH_RULES.number(match.rule),
        use=MATCH_USES.number(match.use),
        create_time=match.created_at,
        decided_time=match.decided_at,
        decided_by=match.decided_by,
        etag=match.etag,
    )


def _side(match: Match, named: Named | None, subject_id: str, agency_id: str, record_id: str) -> pb.MatchedPerson:
    named = named or Named()
    return filled(
        pb.MatchedPerson(reference=_reference(match, subject_id, agency_id, record_id)),
        agency_id=agency_id,
        given_name=named.given_name,
        family_name=named.family_name,
        birth_date=named.birth_date,
        # Names are kept of the side that was heard last; of a referral the office reads them there.
        referral_id=record_id if record_id.startswith("ref_") else "",
    )


def _reference(match: Match, subject_id: str, agency_id: str, record_id: str) -> Reference:
    changed = Reference.Change(category=words_pb2.CATEGORY_IDENTITY, time=stamp(match.decided_at or match.created_at))
    return Reference(subject_id=subject_id, source_agency_id=agency_id, record_id=record_id, changes=[changed])
