from __future__ import annotations

from pathlib import Path

from services.command.demo.sweep import holds_any, sweep

CANARIES = {"Visibla", "1987-03-21", "Zoë Sample"}


def test_a_fact_is_found_anywhere_in_a_file_and_told_by_the_files_name(tmp_path: Path) -> None:
    (tmp_path / "clean.log").write_bytes(b'{"event":"relay.published"}')
    (tmp_path / "leaky.db").write_bytes(b"\0\xff\x10Visibla\0")
    swept = sweep(sorted(tmp_path.iterdir()), CANARIES)
    assert (swept.files, swept.size, swept.found) == (2, 38, ("leaky.db",))


def test_a_fact_is_found_as_json_writes_it() -> None:
    assert holds_any(b'{"name":"Zo\\u00eb Sample"}', CANARIES)
    assert holds_any('{"name":"Zoë Sample"}'.encode(), CANARIES)


def test_an_empty_fact_is_in_nothing() -> None:
    assert not holds_any(b"anything", {""})
