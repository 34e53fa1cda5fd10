"""Between applying and saying: a crash, a consent that is away, and two at once lose nothing and say nothing twice."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from sqlalchemy import func, select

from services.casework.index.models import PENDING
from services.casework.index.worker import Worker
from services.shared.errors import unavailable
from tests.integration.casework.desk import Desk
from tests.integration.casework.linking import Linking, a_referral, an_event, referred, reported
from tests.unit.casework.registry import JAIL

NUMBERED = a_referral(local_ids=[(JAIL, "J-7")])


class KilledError(BaseException):
    """The end of the process, that nothing catches."""


def away() -> None:
    raise unavailable("told to be away")


def kill() -> None:
    raise KilledError


def marks(linking: Linking) -> int:
    """How many records wait."""
    with linking.desk.parts.db.read() as connection:
        return connection.execute(select(func.count()).select_from(PENDING)).scalar() or 0


def outbox_rows(linking: Linking) -> int:
    """How much was ever said."""
    with linking.desk.parts.db.read() as connection:
        return int(connection.exec_driver_sql("SELECT count(*) FROM outbox WHERE kind = 'event'").scalar() or 0)


def test_what_was_applied_before_a_crash_is_said_after_it(tmp_path: Path) -> None:
    before = Desk(tmp_path)
    Linking(before).hear(referred("ref_1", NUMBERED), reported("jev_1", an_event(local_id="J-7")))
    before.close()
    after = Desk(tmp_path)
    linking = Linking(after)
    linking.settle()
    assert linking.studies("ref_1") == linking.studies("jev_1") != set()
    assert marks(linking) == 0
    after.close()


def test_a_crash_between_sealing_and_storing_leaves_nothing_and_all_is_said_later(tmp_path: Path) -> None:
    before = Desk(tmp_path)
    first = Linking(before)
    first.hear(referred("ref_1"))
    before.recorder.meanwhile = kill
    with pytest.raises(KilledError):
        before.publishing.round()
    assert (marks(first), outbox_rows(first)) == (1, 0)
    before.close()
    after = Desk(tmp_path)
    linking = Linking(after)
    linking.settle()
    assert (marks(linking), outbox_rows(linking)) == (0, 1)
    after.close()


def test_a_second_round_has_nothing_to_say(linking: Linking) -> None:
    linking.tell(referred("ref_1"), reported("jev_1"))
    said = len(linking.said())
    linking.hear(referred("ref_1"), reported("jev_1"), referred("ref_1", version=2))
    linking.settle()
    assert len(linking.said()) == said


def test_while_consent_is_away_marks_stay(linking: Linking) -> None:
    linking.hear(referred("ref_1"))
    linking.desk.recorder.meanwhile = away
    assert linking.desk.publishing.round() == 0
    assert marks(linking) == 1
    linking.settle()
    assert len(linking.studies("ref_1")) == 1


def test_an_answer_stands_while_consent_is_away_and_is_said_later(linking: Linking) -> None:
    linking.tell(referred("ref_1"), reported("jev_1"))
    match = linking.task("ref_1", "jev_1")
    linking.desk.recorder.meanwhile = away
    linking.confirm(match)
    assert linking.studies("jev_1") == linking.studies("ref_1")


def test_one_that_cannot_be_said_holds_nobody_up(linking: Linking) -> None:
    linking.hear(referred("ref_1"), referred("ref_2", a_referral(given="Besta")))
    linking.desk.recorder.meanwhile = away
    assert linking.desk.publishing.round() == 1
    assert linking.studies("ref_1") == set()
    assert len(linking.studies("ref_2")) == 1


def test_what_changes_while_keys_are_leased_is_said_anew(linking: Linking) -> None:
    linking.tell(referred("ref_1", NUMBERED))
    linking.hear(reported("jev_1", an_event(local_id="J-7")))
    corrected = reported("jev_1", an_event(given="Besta", local_id="J-8"), version=2)
    linking.desk.recorder.meanwhile = lambda: linking.hear(corrected)
    linking.settle()
    assert linking.studies("jev_1", 0.0) == set()
    assert marks(linking) == 0


def test_two_processes_say_it_once(linking: Linking) -> None:
    linking.hear(referred("ref_1"))
    other = type(linking.desk.publishing)(linking.desk.parts)
    linking.desk.recorder.meanwhile = other.round
    linking.settle()
    assert outbox_rows(linking) == 1
    assert marks(linking) == 0


def test_the_worker_says_it_when_it_is_told_to_look(linking: Linking) -> None:
    worker = Worker(linking.desk.publishing)
    worker.start()
    try:
        linking.hear(referred("ref_1"))
        worker.nudge()
        until = time.monotonic() + 10
        while marks(linking) and time.monotonic() < until:
            time.sleep(0.01)
    finally:
        worker.stop()
    assert len(linking.studies("ref_1")) == 1
