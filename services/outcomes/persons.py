"""One person behind several study ids: whoever shares a record for certain is the same (person index)."""

from __future__ import annotations

from collections.abc import Iterable


def joined(shared: Iterable[Iterable[str]]) -> dict[str, str]:
    """Return, for each study id of these sets, the id that stands for its person: the least, in whatever order.

    Each set holds the study ids that one record is linked to with certainty.
    """
    leader: dict[str, str] = {}

    def found(study_id: str) -> str:
        leader.setdefault(study_id, study_id)
        while leader[study_id] != study_id:
            # Halves the way for whoever asks next.
            leader[study_id] = leader[leader[study_id]]
            study_id = leader[study_id]
        return study_id

    for together in shared:
        leaders = sorted({found(each) for each in together})
        for other in leaders[1:]:
            leader[other] = leaders[0]
    return {study_id: found(study_id) for study_id in leader}
