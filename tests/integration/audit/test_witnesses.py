from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from sqlalchemy import delete, select, update

from services.audit import handlers, store
from services.audit.checkpoint import parse_and_verify
from services.audit.merkle import Frontier, LedgerError
from services.audit.models import CHECKPOINTS, ENTRIES, HEAD, NODES
from services.audit.witness import Witness
from services.shared.errors import Code, LeadError
from tests.integration.audit.desk import KEY, a_database, a_desk, a_ledger, an_access
from tests.support.clock import FakeClock


def two(folder: Path) -> tuple[Witness, ...]:
    return Witness(folder / "north"), Witness(folder / "south")


def test_each_witness_gets_each_checkpoint_and_the_newest_under_one_name(tmp_path: Path) -> None:
    clock = FakeClock()
    with a_desk(tmp_path, witnesses=two(tmp_path), clock=clock) as desk:
        for key in "ab":
            handlers.append(desk, "gateway", [an_access(key)])
            clock.advance(1)
            desk.signer.tick()
    for name in ("north", "south"):
        folder = tmp_path / name
        assert {path.name for path in folder.iterdir()} == {"checkpoint-1.note", "checkpoint-2.note", "latest.note"}
        assert (folder / "latest.note").read_text() == (folder / "checkpoint-2.note").read_text()
        signed = parse_and_verify((folder / "latest.note").read_text(), KEY.public_key())
        assert (signed.size, signed.time) == (2, clock.now())


def test_nothing_is_signed_anew_while_the_ledger_stands_still(tmp_path: Path) -> None:
    clock = FakeClock()
    with a_desk(tmp_path, clock=clock) as desk:
        handlers.append(desk, "gateway", [an_access("a")])
        first = desk.signer.newest()
        clock.advance(60)
        desk.signer.tick()
        assert desk.signer.newest() == first


def test_a_witness_out_of_reach_keeps_no_other_from_its_checkpoint_and_gets_it_later(tmp_path: Path) -> None:
    (tmp_path / "north").write_text("in the way")
    with a_desk(tmp_path, witnesses=two(tmp_path)) as desk:
        handlers.append(desk, "gateway", [an_access("a")])
        desk.signer.tick()
        assert (tmp_path / "south" / "checkpoint-1.note").exists()
        (tmp_path / "north").unlink()
        desk.signer.tick()
    assert (tmp_path / "north" / "checkpoint-1.note").exists()


def test_a_checkpoint_that_was_signed_before_a_crash_still_reaches_the_witnesses(tmp_path: Path) -> None:
    with a_desk(tmp_path) as desk:
        handlers.append(desk, "gateway", [an_access("a")])
        signed = desk.signer.newest()
    with a_desk(tmp_path, witnesses=two(tmp_path)) as desk:
        desk.signer.tick()
    assert (tmp_path / "north" / "latest.note").read_text() == signed.note


def test_a_ledger_restored_from_before_a_witnessed_checkpoint_takes_nothing_and_signs_nothing(tmp_path: Path) -> None:
    witnesses = two(tmp_path)
    with a_desk(tmp_path, witnesses=witnesses) as desk:
        handlers.append(desk, "gateway", [an_access("a")])
        desk.signer.tick()
    shutil.copy(tmp_path / "audit.db", tmp_path / "backup")
    with a_desk(tmp_path, witnesses=witnesses) as desk:
        handlers.append(desk, "gateway", [an_access("b")])
        desk.signer.tick()
    shutil.copy(tmp_path / "backup", tmp_path / "audit.db")
    kept = (tmp_path / "north" / "latest.note").read_text()
    with a_desk(tmp_path, witnesses=witnesses) as desk:
        with pytest.raises(LedgerError, match="WITNESSED_MORE"):
            desk.ledger.open()
        with pytest.raises(LeadError) as refused:
            handlers.append(desk, "gateway", [an_access("c")])
        assert refused.value.code is Code.UNAVAILABLE
        desk.signer.tick()
        assert not desk.ledger.is_open()
    assert (tmp_path / "north" / "latest.note").read_text() == kept


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"not a note"])
def test_what_others_leave_in_a_witness_folder_does_not_stop_the_ledger(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "north").mkdir()
    (tmp_path / "north" / "latest.note").write_bytes(content)
    with a_desk(tmp_path, witnesses=two(tmp_path)) as desk:
        assert handlers.append(desk, "gateway", [an_access("a")]) == [0]


@pytest.mark.parametrize(
    "damage",
    [
        delete(ENTRIES).where(ENTRIES.c.place == 6),
        delete(NODES).where(NODES.c.level == 1, NODES.c.place == 2),
        update(ENTRIES).where(ENTRIES.c.place == 6).values(leaf_hash=bytes(32)),
        update(NODES).where(NODES.c.level == 2).values(hash=bytes(32)),
        update(HEAD).values(frontier=Frontier().to_bytes()),
        delete(HEAD),
    ],
)
def test_a_damaged_ledger_is_not_gone_on_with(tmp_path: Path, damage: object) -> None:
    with a_desk(tmp_path) as desk:
        handlers.append(desk, "gateway", [an_access(f"{number}") for number in range(7)])
        with desk.db.write() as connection:
            connection.execute(damage)  # type: ignore[call-overload]
    with a_desk(tmp_path) as desk, pytest.raises(LedgerError, match="DAMAGED"):
        desk.ledger.open()


def test_a_ledger_that_contradicts_its_own_last_checkpoint_is_not_gone_on_with(tmp_path: Path) -> None:
    with a_desk(tmp_path) as desk:
        handlers.append(desk, "gateway", [an_access("a"), an_access("b")])
        desk.signer.tick()
        with desk.db.write() as connection:
            for table in (ENTRIES, NODES, HEAD):
                connection.execute(delete(table))
    with a_desk(tmp_path) as desk, pytest.raises(LedgerError, match="DAMAGED"):
        desk.ledger.open()


def test_two_writers_never_fork_the_ledger(tmp_path: Path) -> None:
    db = a_database(tmp_path)
    one, other = a_ledger(db), a_ledger(db)
    assert one.append("gateway", [an_access("a")]) == [0]
    assert other.append("gateway", [an_access("b")]) == [1]
    # The first has a stale idea of the ledger: it refuses once, looks again, and then goes on.
    with pytest.raises(LedgerError, match="FOREIGN_WRITER"):
        one.append("gateway", [an_access("c")])
    assert one.append("gateway", [an_access("c")]) == [2]
    for ledger in (one, other):
        ledger.close()
    with db.read() as connection:
        assert store.length(connection) == store.head(connection).size == 3
        assert connection.execute(select(CHECKPOINTS.c.size)).all() == []
    db.engine.dispose()


def test_a_closed_ledger_takes_nothing(tmp_path: Path) -> None:
    with a_desk(tmp_path) as desk:
        handlers.append(desk, "gateway", [an_access("a")])
        desk.ledger.close()
        with pytest.raises(LedgerError, match="CLOSED"):
            desk.ledger.append("gateway", [an_access("b")])
