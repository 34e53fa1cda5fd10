"""Judges a referral's facts by its site's pack."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from services.referral.screening.checks import CHECKS
from services.referral.screening.facts import ScreeningFacts
from services.referral.screening.moment import Moment
from services.referral.screening.result import RESULTS, Effect, Finding, Reason, Screening, worst
from services.shared.sites.pack import Rule, Site


def screen(pack: Site, facts: ScreeningFacts, now: datetime) -> Screening:
    """Judge the facts by every rule that the pack has for this door; `now` is aware.

    The result is the worst of what the reasons say, ELIGIBLE when there are none. Every rule that is not met gives at
    least one reason, every rule that is met gives its name. Equal facts give equal answers, whoever the person is.
    """
    moment = Moment(pack, now)
    by_rule = {rule.name: _reasons(rule, facts, moment) for rule in pack.rules_for(facts.door)}
    reasons = [*_pack_reasons(facts, moment), *(each for found in by_rule.values() for each in found)]
    # The sort is stable: among equals the pack's order stays.
    reasons.sort(key=lambda reason: RESULTS.index(reason.effect))
    return Screening(
        result=worst(reason.effect for reason in reasons),
        reasons=tuple(reasons),
        passed=tuple(name for name, found in by_rule.items() if not found),
        policy_id=pack.policy.id,
        policy_version=pack.policy.version,
    )


def _reasons(rule: Rule[object], facts: ScreeningFacts, moment: Moment) -> list[Reason]:
    check = CHECKS[rule.kind]
    return [
        Reason(
            rule=rule.name,
            text=_text(rule, finding, moment.site),
            input=finding.input,
            limit=finding.limit,
            quotes=check.quotes,
            restricted=rule.basis == "history check",
            effect=finding.effect,
        )
        for finding in check.judge(rule, facts, moment)
    ]


def _text(rule: Rule[object], finding: Finding, site: Site) -> str:
    endings: Mapping[Effect, str] = {
        "PRESUMPTIVELY_INELIGIBLE": site.policy.presumption,
        "NEEDS_INFO": f"Still needed: {rule.asks}.",
        "PROGRAMME_REVIEW": "The programme office looks at this.",
    }
    return f"{rule.words} {endings[finding.effect]}"


def _pack_reasons(facts: ScreeningFacts, moment: Moment) -> list[Reason]:
    """What no rule can say, since it is about the pack: the door, and the time in which its policy holds."""
    policy = moment.site.policy
    today = moment.now.astimezone(moment.site.zone).date()
    open_doors = [door for door, is_open in moment.site.doors.items() if is_open]
    reasons = []
    if facts.door not in open_doors:
        text = "This door is closed at this site."
        reasons.append(_about_pack("door", text, facts.door, f"one of {', '.join(open_doors)}"))
    if today < policy.effective_from or (policy.effective_to is not None and today >= policy.effective_to):
        text = "The site has no policy for this day. The programme office looks at this."
        until = f" and before {policy.effective_to}" if policy.effective_to else ""
        reasons.append(_about_pack("policy_in_effect", text, f"{today}", f"from {policy.effective_from}{until}"))
    return reasons


def _about_pack(rule: str, text: str, given: str, limit: str) -> Reason:
    return Reason(
        rule=rule, text=text, input=given, limit=limit, quotes="REFERRAL", restricted=False, effect="PROGRAMME_REVIEW"
    )
