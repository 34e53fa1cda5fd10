"""Screening: the facts of a referral against the rules of its site, explained by rule, input, limit and policy version.

Pure: it reads no store and no index, so its answer cannot depend on whether the person is known. What only the
programme knows is never evaluated here; such rules always answer PROGRAMME_REVIEW (contract.md). Nothing is denied by
a rule alone: the worst result is a presumption (lead-program.md section 2.2).
"""

from __future__ import annotations

from services.referral.screening.facts import Charge, ScreeningFacts, Substance, Victim
from services.referral.screening.result import RESULTS, Reason, Result, Screening, worst
from services.referral.screening.screen import screen

__all__ = [
    "RESULTS",
    "Charge",
    "Reason",
    "Result",
    "Screening",
    "ScreeningFacts",
    "Substance",
    "Victim",
    "screen",
    "worst",
]
