"""The rule that limits an amount: so much of a drug and no more."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from services.referral.screening.facts import Charge, ScreeningFacts, Substance
from services.referral.screening.moment import Moment
from services.referral.screening.offences import covers_code, covers_statute
from services.referral.screening.result import Finding, failing, needs_info
from services.referral.screening.units import amount_in, written
from services.shared.sites.pack import Rule, Site
from services.shared.sites.rules import MaxQuantity


@dataclass(frozen=True, slots=True)
class _Heap:
    """What there is of one drug: its amount in the rule's unit, as written, and whether it is sure to count."""

    amount: Decimal
    text: str
    counts: bool


def max_quantity(rule: Rule[MaxQuantity], facts: ScreeningFacts, moment: Moment) -> Iterator[Finding]:
    """Unknown amounts and incomparable units leave the rule open; they are never zero."""
    params = rule.params
    limit = f"{'at most' if params.inclusive else 'less than'} {params.limit} {params.unit}"
    if _is_silent(params, facts):
        yield needs_info("no drug listed", limit)
    yield from (needs_info(text, limit) for text in dict.fromkeys(_open(params, facts, moment.site)))
    for heaps in _weighings(params, _heaps(params, facts, moment.site)):
        sure = [heap for heap in heaps if heap.counts]
        if _exceeds(params, sure):
            yield failing(rule.failing, _sum_of(sure), limit)
        elif _exceeds(params, heaps):
            yield needs_info(f"{_sum_of(heaps)}, drug not known", limit)


def _is_silent(params: MaxQuantity, facts: ScreeningFacts) -> bool:
    """Whether there is a drug offence without a word about the drug."""
    if any(not charge.substances and _is_drug_offence(params, charge) for charge in facts.charges):
        return True
    drug_incident = any(covers_code(params.drug_codes, code) for code in facts.incident_codes)
    return drug_incident and not any(charge.substances for charge in facts.charges)


def _is_drug_offence(params: MaxQuantity, charge: Charge) -> bool:
    return covers_code(params.drug_codes, charge.offense_code) or covers_statute(params.drug_statutes, charge.statute)


def _open(params: MaxQuantity, facts: ScreeningFacts, site: Site) -> Iterator[str]:
    """Amounts that cannot be compared with the limit, as written."""
    for charge in facts.charges:
        for substance in charge.substances:
            if _counts(params, substance, site) is not False and _amount(params, substance) is None:
                yield written(substance.quantity, substance.unit)


def _heaps(params: MaxQuantity, facts: ScreeningFacts, site: Site) -> list[_Heap]:
    """One heap per drug. Two charges over the same seizure both list it, so across charges the largest counts."""
    largest: dict[str, list[Substance]] = {}
    for charge in facts.charges:
        for drug, listed in _by_drug(params, charge, site).items():
            if _total(params, listed) > _total(params, largest.get(drug, [])):
                largest[drug] = listed
    return [
        _Heap(
            _total(params, listed),
            " + ".join(written(each.quantity, each.unit) for each in listed),
            _counts(params, listed[0], site) is True,
        )
        for listed in largest.values()
    ]


def _by_drug(params: MaxQuantity, charge: Charge, site: Site) -> dict[str, list[Substance]]:
    """The measurable substances of a charge that count or may count, by drug."""
    listed: dict[str, list[Substance]] = defaultdict(list)
    for substance in charge.substances:
        if _counts(params, substance, site) is not False and _amount(params, substance) is not None:
            listed[_spelled(substance.drug)].append(substance)
    return listed


def _counts(params: MaxQuantity, substance: Substance, site: Site) -> bool | None:
    """Whether the limit is about this drug; None when the drug is unknown to the pack and so may be any."""
    classes = {name for name, words in site.drugs.items() if _spelled(substance.drug) in map(_spelled, words)}
    if classes & set(params.exempt):
        return False
    if not params.drugs:
        return True
    return bool(classes & set(params.drugs)) if classes else None


def _weighings(params: MaxQuantity, heaps: list[_Heap]) -> list[list[_Heap]]:
    return [heaps] if params.weighed == "TOGETHER" else [[heap] for heap in heaps]


def _exceeds(params: MaxQuantity, heaps: Iterable[_Heap]) -> bool:
    total = sum((heap.amount for heap in heaps), Decimal(0))
    return total > params.limit if params.inclusive else total >= params.limit


def _total(params: MaxQuantity, listed: Iterable[Substance]) -> Decimal:
    return sum((_amount(params, each) or Decimal(0) for each in listed), Decimal(0))


def _amount(params: MaxQuantity, substance: Substance) -> Decimal | None:
    return amount_in(params.unit, substance.quantity, substance.unit)


def _sum_of(heaps: Iterable[_Heap]) -> str:
    return " + ".join(heap.text for heap in heaps)


@lru_cache(maxsize=4096)
def _spelled(drug: str | None) -> str:
    return " ".join((drug or "").casefold().replace("_", " ").split())
