"""Many referrals in the files of an exchange that does not run, written by what its areas write with.

Referral's rows and consent's facts about them are there as after a stream of as many records; nobody was told of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from lead.referral.v1 import referral_pb2 as pb

from services.command.bench.referrals import a_draft
from services.command.install import database_url
from services.command.layout import Layout
from services.consent import convert, scope
from services.referral import announce, records, store
from services.referral.domain import Referral
from services.referral.handlers.submit import submission
from services.referral.models import CIPHER
from services.shared.clock import Clock
from services.shared.db import Database, make_engine
from services.shared.ids import Ids
from services.shared.places import site_packs
from services.shared.sharing.assertion import Caller
from services.shared.sites import Site, load_sites

# Half of the rows are each agency's, half are routed to each office: so there are others' rows among everybody's.
AGENCIES = ("sample-police", "sample-sheriff")
_LEVELS = (pb.CHARGE_LEVEL_MISDEMEANOR, pb.CHARGE_LEVEL_FELONY)
_SYSTEM = "bench-seed"
_BATCH = 1000


class Seeds:
    """Fills one exchange. `count` says how many referrals it has put there."""

    def __init__(self, layout: Layout, clock: Clock) -> None:
        """Work in this folder, in which an exchange was started before."""
        self._layout, self._clock, self._ids, self.count = layout, clock, Ids(), 0
        CIPHER.load(layout.area_key("referral").read_bytes())
        site = load_sites(site_packs())["seattle"]
        self._models = [_model(site, agency, level, clock, self._ids) for level in _LEVELS for agency in AGENCIES]

    def grow(self, count: int) -> None:
        """Put in so many referrals that there are `count`."""
        with self._database("referral") as referrals, self._database("consent") as facts:
            while self.count < count:
                many = min(_BATCH, count - self.count)
                self._put(referrals, facts, [self._next(self.count + number) for number in range(many)])
                self.count += many

    def _put(self, referrals: Database, facts: Database, made: Sequence[Referral]) -> None:
        now = self._clock.now()
        changes: list[announce.Change] = [(None, each) for each in made]
        stated = [convert.fact_from_wire(each) for each in announce.statements(changes, now)]
        with facts.write() as connection:
            scope.take(connection, stated)
        with referrals.write() as connection:
            store.save(connection, changes, now)

    def _next(self, number: int) -> Referral:
        """Return a referral like one of the models, of a person and an incident of its own."""
        model = self._models[number % len(self._models)]
        draft = replace(
            model.draft,
            source=replace(model.draft.source, record_id=f"record-{number:08}"),
            incident_number=f"25-{number:06}",
            person=replace(model.draft.person, family_name=f"Sample {number}"),
        )
        return replace(model, id=self._ids.new("ref"), subject_id=self._ids.new("sub"), draft=draft)

    @contextmanager
    def _database(self, area: str) -> Iterator[Database]:
        engine = make_engine(database_url(self._layout.database(area)))
        try:
            yield Database(engine)
        finally:
            engine.dispose()


def _model(site: Site, agency: str, level: pb.ChargeLevel.ValueType, clock: Clock, ids: Ids) -> Referral:
    message, now = a_draft(0), clock.now()
    message.source.system, message.source.record_id, message.source.version = _SYSTEM, "model", 1
    message.charges[0].level = level
    caller = Caller("acc_sample", agency, "police", "police_rms", "DIVERSION_COORD", (site.id,))
    made = records.upserted(None, submission(message, caller, now), site, now, ids.new).after
    if made is None:
        raise RuntimeError("a new record becomes a referral")
    return made
