"""Effects as the public may see them."""

from __future__ import annotations

from dataclasses import replace

from services.outcomes.evaluation.report import Balance, DoorEffect, Effect, Estimate
from services.outcomes.evaluation.suppression import LEAST, rounded
from services.outcomes.evaluation.wording import EFFECT_SUPPRESSED

_DIGITS = 2


def public_effect(found: DoorEffect, counts_shown: bool) -> DoorEffect:
    """Return effects of which every count behind them is 11 or more, else the sentence that says so.

    Numbers of people are given only where the same numbers are shown with the groups.
    """
    if not found.effects:
        return found
    large = [each for each in found.effects if (each.smallest or 0) >= LEAST]
    return replace(
        found,
        sentence=None if large else EFFECT_SUPPRESSED,
        effects=tuple(_effect(each, counts_shown) for each in large),
        balance=tuple(_balance(each) for each in found.balance if (each.smallest or 0) >= LEAST) if large else (),
    )


def _effect(found: Effect, counts_shown: bool) -> Effect:
    lead, comparison = (rounded(each or 0) if counts_shown else None for each in (found.lead, found.comparison))
    return replace(
        found,
        odds_ratio=_coarse(found.odds_ratio),
        risk_difference=_coarse(found.risk_difference),
        lead=lead,
        comparison=comparison,
        smallest=None,
    )


def _coarse(found: Estimate) -> Estimate:
    low, high = (None if each is None else round(each, _DIGITS) for each in (found.low, found.high))
    return Estimate(round(found.value, _DIGITS), low, high)


def _balance(found: Balance) -> Balance:
    def coarse(value: float | None) -> float | None:
        return None if value is None else round(value, _DIGITS)

    return replace(
        found,
        lead=coarse(found.lead),
        comparison=coarse(found.comparison),
        difference=coarse(found.difference),
        difference_ate=coarse(found.difference_ate),
        difference_att=coarse(found.difference_att),
        smallest=None,
    )
