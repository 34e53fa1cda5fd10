"""Sentences that stand in reports exactly so (evaluation.md, "Estimates" and "Published reference")."""

from __future__ import annotations

NO_COMPARISON = "No comparison group: this is not an effect."
TOO_FEW = "Not estimated: too few people in one of the arms, or none of them alike."
NOT_ESTIMABLE = "Not estimated: the arms or the covariates leave no estimate."
EFFECT_SUPPRESSED = "Suppressed: a count behind it is under 11."
COMPLETION = "Selected on completion: neither a risk of everyone who was offered the programme nor an effect."

REFERENCE_LABEL = "Published reference"
REFERENCE = (
    "Seattle, 203 LEAD and 115 comparison people, non-randomised, calendar window from two years before the "
    "programme's start to July 2014: 60% lower odds of arrest at 6 months; 58% lower odds of arrest and 39% lower odds "
    "of a felony charge over the longer window; no significant effect on non-warrant arrests. Odds, not risk; there is "
    "no published 24-month counterpart."
)

SUPPRESSION = (
    "Cells under 11 and their complements are suppressed, counts rounded to 5, percentages taken from rounded counts, "
    "curves coarsened by the same rule."
)
UNSUPPRESSED = "Not suppressed: for the programme office and the evaluator alone."
LINKAGE = "Linked by identifiers known at t0 alone, in all arms alike."
EXPLORATORY = "The definition was frozen after the as-of date: exploratory."
SAME_GROUP = "Before and after in one group is never an effect."
