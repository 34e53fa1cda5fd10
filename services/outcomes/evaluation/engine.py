"""A report from frames: the order in which everything else here is called."""

from __future__ import annotations

from services.outcomes.evaluation.canonical import sha256
from services.outcomes.evaluation.compared import door_effects
from services.outcomes.evaluation.figures import groups
from services.outcomes.evaluation.populations import T0_RULES
from services.outcomes.evaluation.read import Study, study
from services.outcomes.evaluation.report import Group, Report
from services.outcomes.evaluation.request import Inputs, Request
from services.outcomes.evaluation.windows import FEED_RULE
from services.outcomes.evaluation.wording import (
    COMPLETION,
    EXPLORATORY,
    LINKAGE,
    REFERENCE,
    REFERENCE_LABEL,
    SAME_GROUP,
    UNSUPPRESSED,
)
from services.outcomes.evaluation.words import DOORS


def evaluate(inputs: Inputs, request: Request) -> Report:
    """Return the report, unsuppressed. Raises InputError for frames that are not as `frames.py` documents them."""
    found = study(inputs, request)
    counted = groups(found, request)
    return _report(inputs, request, found, counted)


def _report(inputs: Inputs, request: Request, found: Study, counted: tuple[Group, ...]) -> Report:
    definition, population = request.definition, request.population
    return Report(
        definition_id=definition.id,
        definition_version=definition.version,
        sha256=sha256(definition, population, request.window, FEED_RULE),
        rule=definition.rule,
        prespecified=definition.frozen_on <= request.as_of.date(),
        population=population.id,
        population_label=population.label,
        t0_rules=tuple((door, T0_RULES[door]) for door in DOORS if any(each.door == door for each in counted)),
        window_id=request.window.id,
        window=request.window.text,
        as_of=request.as_of,
        link_threshold=definition.link_threshold,
        observed=found.after.observed,
        dropped=found.after.dropped,
        dropped_for_effects=tuple(each for each in found.both.dropped if each not in found.after.dropped),
        groups=counted,
        effects=door_effects(found, request),
        removed=inputs.removed,
        reference_label=REFERENCE_LABEL,
        reference=REFERENCE,
        suppression=UNSUPPRESSED,
        notes=_notes(request),
    )


def _notes(request: Request) -> tuple[str, ...]:
    notes = [LINKAGE, SAME_GROUP]
    if request.population.id == "COMPLETERS":
        notes.append(COMPLETION)
    if request.definition.frozen_on > request.as_of.date():
        notes.append(EXPLORATORY)
    return tuple(notes)
