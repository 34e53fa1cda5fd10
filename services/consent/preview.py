"""Who would see what, before anybody signs. No IO.

The same policy as the decision, asked for each recipient, source and purpose that a draft names, with the programme's
own conditions (represented, addressed, community door) taken as true: what stays closed even then no signature opens.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from services.consent.domain import TPO_PURPOSES, Draft
from services.consent.policy.compile import Policy
from services.consent.policy.facts import Fact
from services.consent.registry import Agency, Registry
from services.shared.sharing.need import mask, need, words
from services.shared.sharing.purposes import MATRIX_ROLES, NO_ROLE, is_allowed

_ASSUMED = frozenset({Fact.REPRESENTED, Fact.ADDRESSED, Fact.COMMUNITY})
_ROLE_OF_KIND: Mapping[str, str] = {
    kind: matrix for (_, kind), matrix in MATRIX_ROLES.items() if kind and matrix != NO_ROLE
}


@dataclass(frozen=True)
class View:
    """What one recipient would see of one source for one purpose, in category words and in a sentence."""

    recipient: Agency
    source: Agency
    purpose: str
    opens: tuple[str, ...]
    stays_closed: tuple[str, ...]
    words: str


def views(policy: Policy, registry: Registry, draft: Draft) -> tuple[View, ...]:
    """Return a view for each recipient, source and purpose; agencies that aren't registered are left out."""
    return tuple(
        _view(policy, draft, recipient, source, purpose)
        for recipient in _agencies(registry, draft.recipient_agency_ids)
        for source in _agencies(registry, draft.source_agency_ids)
        for purpose in draft.purposes
        if recipient != source and is_allowed(_ROLE_OF_KIND.get(recipient.kind, NO_ROLE), purpose)
    )


def notes(registry: Registry, draft: Draft) -> tuple[str, ...]:
    """Return advice in words on what a signature would mean."""
    return tuple(_notes(registry, draft))


def _agencies(registry: Registry, ids: tuple[str, ...]) -> Iterator[Agency]:
    return (agency for one in ids if (agency := registry.agencies.get(one)) is not None)


def _view(policy: Policy, draft: Draft, recipient: Agency, source: Agency, purpose: str) -> View:
    role = _ROLE_OF_KIND.get(recipient.kind, NO_ROLE)
    named = mask(draft.categories)
    granted = 0
    if draft.type != "TPO" or (purpose in TPO_PURPOSES):
        masks = policy.masks(role, purpose, source.kind, False, _ASSUMED)
        granted = masks.consent & named
    opens = tuple(word for word in words(named) if not need(word, word, source.kind, source.part2) & ~granted)
    closed = tuple(word for word in words(named) if word not in opens)
    return View(recipient, source, purpose, opens, closed, _sentence(recipient, source, purpose, opens))


def _sentence(recipient: Agency, source: Agency, purpose: str, opens: tuple[str, ...]) -> str:
    what = ", ".join(opens) if opens else "nothing more"
    return f"{recipient.name} would see from {source.name}, for {purpose}: {what}."


def _notes(registry: Registry, draft: Draft) -> Iterator[str]:
    for source in _agencies(registry, draft.source_agency_ids):
        if source.part2 == "NO" or source.kind in ("police", "prosecutor", "defender", "program_office"):
            continue
        if "SUD_PRESENCE" in draft.categories:
            yield (
                f"{source.name} counts as an addiction-treatment programme: whoever hears from it learns that the "
                "person is known there. This release says so by naming SUD_PRESENCE."
            )
        else:
            yield (
                f"{source.name} counts as an addiction-treatment programme: nothing of it is released unless the "
                "release also names SUD_PRESENCE, since anything from it says that the person is known there."
            )
