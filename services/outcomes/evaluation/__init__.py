"""How outcomes are counted: definitions as data, estimators, and what of a figure may be made public.

Pure: frames in, frozen values out. Definitions, requests and reports cost nothing to import; what computes (polars,
lifelines, statsmodels) is imported when the first report is made, so that a process that only serves starts lean.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from services.outcomes.evaluation.funnel_public import to_public_funnel
from services.outcomes.evaluation.public import to_public, to_public_together

if TYPE_CHECKING:
    import polars as pl

    from services.outcomes.evaluation.funnel_report import Funnel
    from services.outcomes.evaluation.report import Report
    from services.outcomes.evaluation.request import Inputs, Request

__all__ = ["evaluate", "funnel", "to_public", "to_public_funnel", "to_public_together"]


def evaluate(inputs: Inputs, request: Request) -> Report:
    """Return the report that is asked for, unsuppressed. Raises InputError for frames that are not as documented."""
    report: Report = import_module("services.outcomes.evaluation.engine").evaluate(inputs, request)
    return report


def funnel(referrals: pl.DataFrame | pl.LazyFrame, time_zone: str = "UTC") -> Funnel:
    """Return the steps from referral to intake by door and month of the time zone, unsuppressed.

    The frame is documented in `funnel_counts.py`. Raises InputError as `evaluate`.
    """
    counted: Funnel = import_module("services.outcomes.evaluation.funnel_counts").counted(referrals, time_zone)
    return counted
