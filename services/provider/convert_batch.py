"""What became of a file, on the wire."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from lead.provider.v1 import provider_service_pb2 as pb

from services.provider.handlers.batch import Result
from services.provider.words import OUTCOMES
from services.shared.wire import filled


def batch_to_wire(results: Sequence[Result]) -> pb.BatchEnrollmentsResponse:
    """Return the results, one per row in its order, and how many there are of each outcome."""
    counts = Counter(each.outcome for each in results)
    return pb.BatchEnrollmentsResponse(
        results=[_result(each) for each in results],
        created=counts["CREATED"],
        unchanged=counts["UNCHANGED"],
        replaced=counts["REPLACED"],
        stale=counts["STALE"],
        rejected=counts["REJECTED"],
    )


def _result(result: Result) -> pb.BatchResult:
    violations = [pb.BatchViolation(path=each.path, wish=each.wish) for each in result.violations]
    return filled(
        pb.BatchResult(violations=violations),
        line=result.line,
        record_key=result.record_key,
        outcome=OUTCOMES.number(result.outcome),
        enrollment_id=result.enrolment_id,
    )
