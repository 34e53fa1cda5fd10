from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.audit.entry import MAX_ENTRY_BYTES
from services.audit.merkle import Frontier, LedgerError, leaf_hash
from services.audit.sequencer import Sequencer
from tests.unit.audit.fake_store import PATIENCE, FakeStore
from tests.unit.audit.naive import a_tree, mth, some_entries


@pytest.fixture
def store() -> Iterator[FakeStore]:
    store = FakeStore()
    yield store
    store.release()


def test_entries_get_their_indices_in_order(store: FakeStore) -> None:
    with Sequencer(store.append_batch, Frontier()) as sequencer:
        assert sequencer.append([b"a", b"b"]) == [0, 1]
        assert sequencer.append([b"c"]) == [2]
    assert [row.entry for row in store.rows] == [b"a", b"b", b"c"]
    assert [row.leaf_hash for row in store.rows] == [leaf_hash(b"a"), leaf_hash(b"b"), leaf_hash(b"c")]


def test_a_sequencer_goes_on_where_the_ledger_ended(store: FakeStore) -> None:
    entries = some_entries(6)
    with Sequencer(store.append_batch, Frontier()) as sequencer:
        sequencer.append(entries[:5])
    with Sequencer(store.append_batch, store.frontier()) as sequencer:
        assert sequencer.append(entries[5:]) == [5]
        assert sequencer.frontier.root() == mth(entries) == store.frontier().root()


def test_nothing_is_answered_before_it_is_durable(store: FakeStore) -> None:
    with Sequencer(store.append_batch, Frontier()) as sequencer:
        store.hold()
        pending = sequencer.submit([b"a"])
        store.wait_until_entered()
        assert not pending.done()
        assert sequencer.frontier == Frontier()
        store.release()
        assert pending.result(PATIENCE) == [0]
        assert sequencer.frontier.size == 1


def test_all_that_waits_is_committed_at_once(store: FakeStore) -> None:
    with Sequencer(store.append_batch, Frontier()) as sequencer:
        store.hold()
        first = sequencer.submit([b"a"])
        store.wait_until_entered()
        waiting = [sequencer.submit([entry, entry]) for entry in some_entries(20)]
        store.release()
        assert first.result(PATIENCE) == [0]
        assert [each.result(PATIENCE)[0] for each in waiting] == list(range(1, 41, 2))
    assert store.batches == [1, 40]


def test_a_batch_is_bounded_and_a_request_is_never_split(store: FakeStore) -> None:
    with Sequencer(store.append_batch, Frontier(), max_batch=4) as sequencer:
        store.hold()
        pending = [sequencer.submit([b"first"])]
        store.wait_until_entered()
        pending += [sequencer.submit([b"x"] * count) for count in (2, 2, 1, 9, 3, 2)]
        store.release()
        assert [each.result(PATIENCE)[0] for each in pending] == [0, 1, 3, 5, 6, 15, 18]
    assert store.batches == [1, 4, 1, 9, 3, 2]


def test_a_store_failure_fails_exactly_the_waiters_of_its_batch(store: FakeStore) -> None:
    with Sequencer(store.append_batch, Frontier()) as sequencer:
        sequencer.append([b"a"])
        before = sequencer.frontier
        store.wait_until_entered()
        store.fail_before.append(OSError("disk of Testa Sample is full"))
        store.hold()
        unlucky = sequencer.submit([b"b"])
        store.wait_until_entered()
        lucky = [sequencer.submit([b"c"]), sequencer.submit([b"d"])]
        assert sequencer.frontier == before
        store.release()
        error = unlucky.exception(PATIENCE)
        assert isinstance(error, LedgerError)
        assert (error.reason, "Testa" in str(error)) == ("NOT_DURABLE", False)
        assert [each.result(PATIENCE) for each in lucky] == [[1], [2]]
    assert [row.entry for row in store.rows] == [b"a", b"c", b"d"]
    assert sequencer.frontier.root() == mth([b"a", b"c", b"d"])


def test_every_waiter_of_a_failed_batch_gets_an_error_of_its_own(store: FakeStore) -> None:
    with Sequencer(store.append_batch, Frontier()) as sequencer:
        store.hold()
        sequencer.submit([b"a"])
        store.wait_until_entered()
        pending = [sequencer.submit([b"b"]), sequencer.submit([b"c"])]
        store.fail_before.extend([OSError(), OSError()])
        store.release()
        errors = [each.exception(PATIENCE) for each in pending]
    assert errors[0] is not errors[1]
    assert sequencer.frontier == Frontier()


def test_even_an_exit_in_the_store_leaves_nobody_hanging(store: FakeStore) -> None:
    with Sequencer(store.append_batch, Frontier()) as sequencer:
        store.fail_before.append(SystemExit())
        with pytest.raises(LedgerError, match="NOT_DURABLE"):
            sequencer.append([b"a"])
        assert sequencer.append([b"b"]) == [0]


def test_a_commit_whose_answer_got_lost_is_counted(store: FakeStore) -> None:
    with Sequencer(store.append_batch, Frontier(), reload=store.frontier) as sequencer:
        store.fail_after.append(ConnectionError())
        with pytest.raises(LedgerError, match="NOT_DURABLE"):
            sequencer.append([b"a", b"b"])
        assert sequencer.append([b"c"]) == [2]
        assert sequencer.frontier.root() == mth([b"a", b"b", b"c"])


def test_while_the_fate_of_a_batch_is_unknown_nothing_is_appended(store: FakeStore) -> None:
    reading = [OSError(), None]

    def reload() -> Frontier:
        if error := reading.pop(0):
            raise error
        return store.frontier()

    with Sequencer(store.append_batch, Frontier(), reload=reload) as sequencer:
        store.fail_after.append(ConnectionError())
        for entry in (b"a", b"b"):
            with pytest.raises(LedgerError, match="NOT_DURABLE"):
                sequencer.append([entry])
        assert len(store.rows) == 1
        assert sequencer.append([b"c"]) == [1]
        assert sequencer.append([b"d"]) == [2]


def test_rows_of_another_writer_stop_the_sequencer(store: FakeStore) -> None:
    foreign, _ = a_tree([b"written by someone else"])
    with Sequencer(store.append_batch, Frontier(), reload=lambda: foreign) as sequencer:
        store.fail_before.append(OSError())
        with pytest.raises(LedgerError, match="NOT_DURABLE"):
            sequencer.append([b"a"])
        for _ in range(2):
            with pytest.raises(LedgerError, match="FOREIGN_WRITER"):
                sequencer.append([b"a"])
    assert store.rows == []


def test_too_many_waiting_entries_are_refused_and_the_rest_goes_on(store: FakeStore) -> None:
    with Sequencer(store.append_batch, Frontier(), max_waiting=3) as sequencer:
        store.hold()
        pending = [sequencer.submit([b"in the store"])]
        store.wait_until_entered()
        pending += [sequencer.submit([b"x"]), sequencer.submit([b"x", b"x"])]
        with pytest.raises(LedgerError, match="OVERLOADED"):
            sequencer.submit([b"one too many"])
        store.release()
        assert [each.result(PATIENCE) for each in pending] == [[0], [1], [2, 3]]
        assert sequencer.append([b"x"] * 5) == [4, 5, 6, 7, 8]


def test_a_caller_that_gives_up_leaves_its_entry_to_the_ledger(store: FakeStore) -> None:
    with Sequencer(store.append_batch, Frontier()) as sequencer:
        store.hold()
        with pytest.raises(TimeoutError):
            sequencer.append([b"a"], timeout=0)
        store.release()
        assert sequencer.append([b"b"]) == [1]


def test_a_request_cancelled_while_it_waits_is_left_out(store: FakeStore) -> None:
    with Sequencer(store.append_batch, Frontier()) as sequencer:
        store.hold()
        first = sequencer.submit([b"a"])
        store.wait_until_entered()
        cancelled, last = sequencer.submit([b"b"]), sequencer.submit([b"c"])
        assert cancelled.cancel()
        store.release()
        assert (first.result(PATIENCE), last.result(PATIENCE)) == ([0], [1])


def test_only_cancelled_requests_reach_no_store(store: FakeStore) -> None:
    with Sequencer(store.append_batch, Frontier()) as sequencer:
        store.hold()
        first = sequencer.submit([b"a"])
        store.wait_until_entered()
        assert sequencer.submit([b"b"]).cancel()
        store.release()
        first.result(PATIENCE)
    assert store.batches == [1]


def test_no_entries_are_no_request(store: FakeStore) -> None:
    with Sequencer(store.append_batch, Frontier()) as sequencer:
        assert sequencer.append([]) == []
    assert store.batches == []


def test_an_entry_has_a_largest_size(store: FakeStore) -> None:
    with Sequencer(store.append_batch, Frontier()) as sequencer:
        assert sequencer.append([bytes(MAX_ENTRY_BYTES)]) == [0]
        with pytest.raises(LedgerError, match="ENTRY_SIZE"):
            sequencer.append([b"small", bytes(MAX_ENTRY_BYTES + 1)])
    assert len(store.rows) == 1


def test_closing_commits_what_waits_and_refuses_the_rest(store: FakeStore) -> None:
    sequencer = Sequencer(store.append_batch, Frontier(), max_batch=1)
    store.hold()
    pending = [sequencer.submit([entry]) for entry in some_entries(4)]
    store.wait_until_entered()
    closer = threading.Thread(target=sequencer.close)
    closer.start()
    store.release()
    closer.join(PATIENCE)
    assert [each.result(0) for each in pending] == [[0], [1], [2], [3]]
    with pytest.raises(LedgerError, match="CLOSED"):
        sequencer.append([b"late"])
    sequencer.close()
    assert not sequencer._committer.is_alive()


def test_many_threads_get_dense_indices_that_name_their_own_entries(store: FakeStore) -> None:
    def work(worker: int) -> list[tuple[int, bytes]]:
        got: list[tuple[int, bytes]] = []
        for turn in range(20):
            entries = [f"{worker} {turn} {part}".encode() for part in range(1 + turn % 3)]
            got += zip(sequencer.append(entries), entries, strict=True)
        return got

    with Sequencer(store.append_batch, Frontier(), max_batch=7) as sequencer, ThreadPoolExecutor(8) as pool:
        got = sorted(pair for pairs in pool.map(work, range(8)) for pair in pairs)
    assert got == [(row.index, row.entry) for row in store.rows]
    assert [index for index, _ in got] == list(range(len(got)))
    assert sequencer.frontier.root() == mth([entry for _, entry in got])


@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from(["holds", "fails before", "fails after"])), max_size=12))
def test_whatever_fails_the_tree_is_that_of_the_rows(steps: list[tuple[int, str]]) -> None:
    store = FakeStore()
    with Sequencer(store.append_batch, Frontier(), reload=store.frontier) as sequencer:
        for count, fate in steps:
            failures = {"fails before": store.fail_before, "fails after": store.fail_after}
            if count and fate in failures:
                failures[fate].append(OSError())
                with pytest.raises(LedgerError, match="NOT_DURABLE"):
                    sequencer.append([b"x"] * count)
            else:
                start = len(store.rows)
                assert sequencer.append([b"x"] * count) == list(range(start, start + count))
                assert not count or sequencer.frontier == store.frontier()
    assert store.frontier().root() == mth([row.entry for row in store.rows])
