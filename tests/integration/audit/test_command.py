from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from services.audit import handlers
from services.command.audit import audit
from tests.integration.audit.desk import AREA_KEY, KEY, ORIGIN, SUBJECT, a_desk, a_disclosure, an_access

ENTRIES = 12


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """An exchange's folder whose ledger has 12 entries, signed after each."""
    with a_desk(tmp_path) as desk:
        for number in range(ENTRIES):
            handlers.append(desk, "gateway", [a_disclosure(f"{number}")])
            (tmp_path / f"{number + 1}.note").write_text(desk.signer.newest().note)
    form = PublicFormat.SubjectPublicKeyInfo
    (tmp_path / "ledger.pub").write_bytes(KEY.public_key().public_bytes(Encoding.PEM, form))
    (tmp_path / "area.key").write_bytes(AREA_KEY)
    (tmp_path / "config").mkdir()
    lines = [
        'address = "127.0.0.1:0"',
        f'database_url = "sqlite:///{tmp_path / "audit.db"}"',
        'assertion_key = "../gateway.pub"',
        'area_key = "../area.key"',
        'ledger_key = "../ledger.key"',
        "[tls]",
        'ca = "a"',
        'cert = "b"',
        'key = "c"',
    ]
    (tmp_path / "config" / "audit.toml").write_text("\n".join(lines))
    return tmp_path


def run(*arguments: object) -> Result:
    return CliRunner().invoke(audit, [str(each) for each in arguments])


def exported(data: Path) -> Path:
    file = data / "ledger.jsonl"
    result = run("export", "--data", data, "--output", file)
    assert result.exit_code == 0, result.output
    return file


def verdict(*arguments: object, code: int = 1) -> dict[str, object]:
    result = run("verify", "--json", *arguments)
    assert result.exit_code == code, result.output
    told: dict[str, object] = json.loads(result.output)
    assert told["ok"] is (code == 0)
    return told


def test_an_export_holds_against_every_checkpoint_and_the_key(data: Path) -> None:
    file = exported(data)
    for number in (1, 5, ENTRIES):
        told = verdict(file, "--checkpoint", data / f"{number}.note", "--public-key", data / "ledger.pub", code=0)
        assert (told["reason"], told["entries"], told["vouched"]) == ("HELD", ENTRIES, ENTRIES)
    assert verdict(file, code=0)["reason"] == "HELD_UNWITNESSED"


def test_an_export_names_no_person(data: Path) -> None:
    assert SUBJECT.encode() not in exported(data).read_bytes()


def test_an_export_tells_what_it_wrote(data: Path) -> None:
    with a_desk(data) as desk:
        handlers.append(desk, "gateway", [an_access("unsigned")])
    file = data / "ledger.jsonl"
    result = run("export", "--data", data, "-o", file, "--json")
    assert json.loads(result.output) == {"file": str(file), "origin": ORIGIN, "entries": ENTRIES, "unsigned": 1}
    assert "1 newer ones are not signed yet" in run("export", "--data", data, "-o", file).output


def test_a_flipped_byte_a_dropped_entry_and_a_cut_tail_are_found(data: Path) -> None:
    file = exported(data)
    lines = file.read_bytes().splitlines(keepends=True)
    copy = data / "copy.jsonl"
    place = next(number for number, line in enumerate(lines) if b'"index":5,' in line)
    flipped = bytearray(lines[place])
    flipped[60] = ord("A") if flipped[60] != ord("A") else ord("B")
    copy.write_bytes(b"".join([*lines[:place], bytes(flipped), *lines[place + 1 :]]))
    assert verdict(copy)["firstBadEntry"] == 5
    copy.write_bytes(b"".join([*lines[:place], *lines[place + 1 :]]))
    assert verdict(copy)["firstBadEntry"] == 5
    copy.write_bytes(b"".join(lines[:-4]))
    assert verdict(copy, code=0)["reason"] == "HELD_UNWITNESSED"
    told = verdict(copy, "--checkpoint", data / f"{ENTRIES}.note")
    assert (told["reason"], told["firstBadEntry"]) == ("TRUNCATED", ENTRIES - 2)


def test_a_broken_ledger_is_told_in_words_with_what_to_do(data: Path) -> None:
    file = exported(data)
    file.write_bytes(file.read_bytes().replace(b'"index":3,', b'"index":4,'))
    result = run("verify", file)
    assert result.exit_code == 1
    assert "BROKEN at entry 3" in result.output
    assert "ask the witnesses" in result.output


def test_an_export_beside_a_writing_exchange_is_of_one_state(data: Path) -> None:
    stop = threading.Event()
    with a_desk(data) as desk:

        def write() -> None:
            number = 0
            while not stop.is_set():
                handlers.append(desk, "gateway", [an_access(f"beside/{number}")])
                desk.signer.newest()
                number += 1

        thread = threading.Thread(target=write)
        thread.start()
        try:
            for _ in range(3):
                assert verdict(exported(data), code=0)["ok"]
        finally:
            stop.set()
            thread.join(30)


def test_an_export_works_without_a_configuration(data: Path) -> None:
    url = f"sqlite:///{data / 'audit.db'}"
    file = data / "ledger.jsonl"
    missing = ("export", "--data", data / "nowhere", "--output", file)
    assert run(*missing, "--database-url", url, "--public-key", data / "ledger.pub").exit_code == 0
    result = run(*missing)
    assert result.exit_code == 1
    assert "--data" in result.output


@pytest.mark.parametrize(
    ("url", "key", "code", "word"),
    [
        ("sqlite:///{data}/none.db", "ledger.pub", 1, "no audit database"),
        ("sqlite:///{data}/area.key", "ledger.pub", 1, "can't be read"),
        ("nonsense", "ledger.pub", 2, "no database URL"),
        ("sqlite:///{data}/audit.db", "area.key", 2, "no PEM file"),
    ],
)
def test_an_export_that_cannot_be_says_why_and_leaves_nothing(
    data: Path, url: str, key: str, code: int, word: str
) -> None:
    before = set(data.iterdir())
    result = run("export", "--database-url", url.format(data=data), "--public-key", data / key, "-o", data / "file")
    assert (result.exit_code, word in result.output) == (code, True), result.output
    assert {path.name for path in set(data.iterdir()) - before} <= {"audit.db-wal", "audit.db-shm"}


def test_an_export_of_nothing_signed_says_so(tmp_path: Path, data: Path) -> None:
    empty = data / "empty"
    empty.mkdir()
    with a_desk(empty):
        pass
    url = f"sqlite:///{empty / 'audit.db'}"
    result = run("export", "--database-url", url, "--public-key", data / "ledger.pub", "-o", data / "file")
    assert result.exit_code == 1
    assert "Nothing is signed yet" in result.output


def test_a_wrong_use_of_verify_is_no_verdict(data: Path) -> None:
    file = exported(data)
    (data / "bytes").write_bytes(b"\xff\xfe\xff")
    for arguments in (
        (data / "nowhere",),
        (file, "--checkpoint", data / "nowhere"),
        (file, "--checkpoint", data / "bytes"),
        (file, "--public-key", data / "area.key"),
    ):
        assert run("verify", *arguments).exit_code == 2
