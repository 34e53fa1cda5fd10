"""Derives past decisions again, and asks another version of the matrix about them. No IO.

A stored decision is equal when its policy, asked with its stored inputs, gives the same categories by the same rows,
and when each release, at the version it was cited in, gives what was noted of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from services.consent.derive import Basis, Granted, Ground, derive, visible
from services.consent.domain import Consent
from services.consent.policy.compile import Policy
from services.shared.sharing.need import words


@dataclass(frozen=True)
class Cited:
    """A release that was known when a decision was made, and its version then."""

    consent_id: str
    version: int


@dataclass(frozen=True)
class Past:
    """A decision as it was written down. `basis` is None where it can't be derived again, and `lacks` says why."""

    decision_id: str
    at: datetime
    policy_version: str
    request_id: str
    agency_id: str
    source_agency_id: str
    record_id: str
    visible: int
    cited: tuple[Cited, ...] = ()
    basis: Basis | None = None
    grounds: tuple[Ground, ...] = ()
    lacks: str = ""


@dataclass(frozen=True)
class Replay:
    """What came of deriving a decision again: EQUAL, UNEQUAL or NOT_REPLAYABLE; `why` is empty when it is equal."""

    past: Past
    outcome: str
    grounds: tuple[Ground, ...] = ()
    why: tuple[str, ...] = ()


def replayed(past: Past, policy: Policy | None, releases: Mapping[str, Consent]) -> Replay:
    """Derive a decision again, under the policy of its version; None when that one is not known any more.

    `releases` are those cited, as they stand now, with all that was ever taken back; one that is gone is believed.
    """
    if past.basis is None:
        return Replay(past, "NOT_REPLAYABLE", why=(past.lacks,))
    if policy is None or policy.version != past.policy_version:
        return Replay(past, "NOT_REPLAYABLE", why=(f"no policy of version {past.policy_version} is stored",))
    grounds = derive(policy, past.basis)
    why = (*_otherwise_granted(past, past.basis, releases), *_otherwise_decided(past, grounds))
    return Replay(past, "UNEQUAL" if why else "EQUAL", grounds, why)


def under(past: Past, policy: Policy) -> tuple[int, int] | None:
    """Return the categories that another policy would have shown more, and less; None when it can't be asked."""
    if past.basis is None:
        return None
    then = visible(derive(policy, past.basis))
    return then & ~past.visible, past.visible & ~then


def at_version(consent: Consent, version: int) -> Consent:
    """Return a release as it was at an earlier version: without what was taken back later."""
    first = consent.version - len(consent.revocations)
    return replace(consent, version=version, revocations=consent.revocations[: max(0, version - first)])


def _otherwise_granted(past: Past, basis: Basis, releases: Mapping[str, Consent]) -> Iterator[str]:
    noted = {one.consent_id: one for one in basis.granted}
    for cited in past.cited:
        release = releases.get(cited.consent_id)
        if release is None or basis.barred:
            continue
        if _granted(past, basis, at_version(release, cited.version)) != noted.get(cited.consent_id):
            yield f"{cited.consent_id} at version {cited.version} does not give what was noted of it"
    for consent_id in sorted(noted.keys() - {one.consent_id for one in past.cited}):
        yield f"{consent_id} was noted as giving something, and not as known"


def _granted(past: Past, basis: Basis, release: Consent) -> Granted | None:
    serves = release.serves(past.agency_id, basis.agency_kind, past.source_agency_id, basis.purpose)
    if not release.covers(past.at) or not serves:
        return None
    return Granted(release.consent_id, release.version, release.granted(past.agency_id))


def _otherwise_decided(past: Past, grounds: tuple[Ground, ...]) -> Iterator[str]:
    if (now := visible(grounds)) != past.visible:
        yield f"stored as showing {_said(past.visible)}; the policy shows {_said(now)}"
    if [_by(one) for one in grounds] != [_by(one) for one in past.grounds]:
        yield f"stored as resting on {_rows(past.grounds)}; the policy rests it on {_rows(grounds)}"


def _by(ground: Ground) -> Ground:
    # The law of a row is a note on it, and is not written down with each decision.
    return replace(ground, law="")


def _rows(grounds: tuple[Ground, ...]) -> str:
    return ", ".join(f"row {one.row} for {_said(one.categories)}" for one in grounds) or "nothing"


def _said(mask: int) -> str:
    return " ".join(words(mask)) or "nothing"
