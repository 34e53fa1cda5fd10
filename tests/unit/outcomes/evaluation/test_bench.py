from __future__ import annotations

import pytest

from services.command.bench import outcomes


@pytest.mark.slow
def test_each_size_is_measured_in_a_process_of_its_own() -> None:
    steps: list[None] = []
    found = outcomes.measure(lambda: steps.append(None), sizes=(200, 400))
    assert len(steps) == 2
    assert [what.split(",")[1].strip() for what in found] == ["200 people and 2", "400 people and 4"]
    for each in found.values():
        assert each.ours > 0
        assert each.baseline > 0
        assert each.peak_mb > 50


def test_a_size_that_does_not_come_to_its_end_is_no_figure() -> None:
    with pytest.raises(RuntimeError, match="did not come to its end"):
        outcomes.measure(lambda: None, sizes=(-1,))
