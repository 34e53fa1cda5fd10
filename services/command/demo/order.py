"""The parts of the story, in the order in which they are told."""

from __future__ import annotations

from services.command.demo.chapters import (
    accounting,
    arrests,
    batches,
    consent,
    handoff,
    incidents,
    intake,
    ledger,
    live,
    outcomes,
    providers,
    review,
    revoke,
    screening,
    sight,
    stream,
    traces,
)
from services.command.demo.claim import Chapter

CHAPTERS: tuple[tuple[str, Chapter], ...] = (
    ("1 · An RMS streams its referrals", stream.play),
    ("2 · Screening explains itself", screening.play),
    ("3 · The warm hand-off", handoff.play),
    ("4 · A release, checked and previewed", consent.play),
    ("5 · Intake, and a release that comes late", intake.play),
    ("6 · The prosecutor decides per charge", review.play),
    ("7 · Who sees what", sight.play),
    ("8 · The release is taken back", revoke.play),
    ("9 · The participant's own statement", accounting.play),
    ("10 · The ledger, checked without us", ledger.play),
    ("12 · An RMS file", incidents.play),
    ("13 · The loop of each kind of provider", providers.play),
    ("14 · The same file twice", batches.play),
    ("15 · An arrest feed that tells police nothing", arrests.play),
    ("16 · What became of the people", outcomes.play),
    ("17 · Live, cut and resumed", live.cut),
    ("18 · A release taken back in mid-stream", live.revoked),
    # Last, so that its search for personal facts has everybody's.
    ("11 · One request, followed all the way", traces.play),
)
