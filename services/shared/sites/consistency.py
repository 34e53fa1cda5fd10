"""What the parts of a pack must say about each other, once each of them is well formed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

from services.shared.errors import Violation
from services.shared.sites.pack import Site
from services.shared.sites.rules import HISTORY_KINDS, PROGRAMME_KINDS, MaxQuantity, Offences
from services.shared.sites.words import DOORS, level_word


def contradictions(site: Site, site_id: str) -> list[Violation]:
    """Name every place where the pack contradicts itself or its file name."""
    found = [Violation("id", "must be the name of the file")] if site.id != site_id else []
    for check in _CHECKS:
        found += check(site)
    return found


def _doors(site: Site) -> Iterator[Violation]:
    for door in DOORS:
        if door not in site.doors:
            yield Violation(f"doors.{door}", "is missing")
        is_open, may_refer = site.doors.get(door, False), site.referrers.get(door)
        if is_open and not may_refer:
            yield Violation(f"referrers.{door}", "must name at least one role, since the door is open")
        if not is_open and may_refer:
            yield Violation(f"referrers.{door}", "must be absent, since the door is closed")
        if not is_open and door in site.clocks.intake_days:
            yield Violation(f"clocks.intake_days.{door}", "must be absent, since the door is closed")


def _policy(site: Site) -> Iterator[Violation]:
    policy = site.policy
    if policy.effective_to is not None and policy.effective_to <= policy.effective_from:
        yield Violation("policy.effective_to", "must be after effective_from")
    if bool(site.approvals.any_of) == bool(site.approvals.all_of):
        yield Violation("approvals", "must name either any_of or all_of")


def _names(site: Site) -> Iterator[Violation]:
    times = Counter(rule.name for rule in site.rules)
    for place, rule in enumerate(site.rules):
        if times[rule.name] > 1:
            yield Violation(f"rules[{place}].name", "must be unique in the pack")


# Whether a history check stands behind an answer decides who may read it, so the kind fixes the basis.
_BASIS = {
    **dict.fromkeys(HISTORY_KINDS, "history check"),
    **dict.fromkeys(PROGRAMME_KINDS, "programme records"),
    "officer_judgement": "observation",
}


def _bases(site: Site) -> Iterator[Violation]:
    for place, rule in enumerate(site.rules):
        basis = _BASIS.get(rule.kind, "incident data")
        if rule.basis != basis:
            yield Violation(f"rules[{place}].basis", f'must be "{basis}" for this kind')
        if rule.kind in PROGRAMME_KINDS and rule.failing != "PROGRAMME_REVIEW":
            yield Violation(f"rules[{place}].failing", "must be PROGRAMME_REVIEW for this kind")
        if not rule.doors:
            yield Violation(f"rules[{place}].doors", "must name at least one door")


def _drugs(site: Site) -> Iterator[Violation]:
    for place, rule in enumerate(site.rules):
        if isinstance(rule.params, MaxQuantity):
            for key in ("drugs", "exempt"):
                for item, name in enumerate(getattr(rule.params, key)):
                    if name not in site.drugs:
                        yield Violation(f"rules[{place}].params.{key}[{item}]", "must be a key of drugs")


def _offences(site: Site) -> Iterator[Violation]:
    for place, rule in enumerate(site.rules):
        params = rule.params
        if isinstance(params, Offences):
            if not (params.codes or params.statutes or params.levels or params.activities):
                yield Violation(f"rules[{place}].params", "must name codes, statutes, levels or activities")
            yield from _levels(params.levels, f"rules[{place}].params.levels")


def _routes(site: Site) -> Iterator[Violation]:
    for place, route in enumerate(site.routing.rules):
        if not (route.levels or route.books):
            yield Violation(f"routing.rules[{place}]", "must name levels or books")
        yield from _levels(route.levels, f"routing.rules[{place}].levels")


def _levels(levels: tuple[str, ...], path: str) -> Iterator[Violation]:
    for place, level in enumerate(levels):
        if level_word(level) != level:
            yield Violation(f"{path}[{place}]", "must be a charge level")


_CHECKS: tuple[Callable[[Site], Iterator[Violation]], ...] = (
    _doors,
    _policy,
    _names,
    _bases,
    _drugs,
    _offences,
    _routes,
)
