"""Tests of nas_tf.search_loop."""

import dataclasses
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from nas_tf import core
from nas_tf import search_loop
from nas_tf import storage
from nas_tf.evaluators import tabular
from nas_tf.evaluators.budget import Budget
from nas_tf.graphs import CellGraphs

NUM_CELLS = 50
CELLS = CellGraphs(
    np.zeros((NUM_CELLS, 2, 2), np.uint8),
    np.zeros((NUM_CELLS, 2), np.int8),
    np.full(NUM_CELLS, 2, np.int8),
).with_keys(np.arange(NUM_CELLS, dtype=np.uint64) + 7)
VALIDATION = np.random.default_rng(0).random((NUM_CELLS, 3))
TEST = VALIDATION.mean(axis=1) - 0.001


class Walk(core.Strategy):
    """Walks the pool in steps that depend on the accuracies seen so far."""

    def __init__(self, runs, batch=1, pause=0.0):
        self.position = np.tile(np.arange(batch), (runs, 1)) + np.arange(runs)[:, None]
        self.seen = np.zeros(runs)
        self.feedback = []
        self.pause = pause

    def suggest(self, count=None):
        return core.Suggestion(CELLS[self.position])

    def update(self, feedback):
        time.sleep(self.pause)
        self.feedback.append(feedback)
        values = np.where(feedback.feasible, feedback.validation_accuracy, 0.0).sum(axis=1)
        self.seen = np.where(feedback.active, self.seen + values, self.seen)
        steps = 1 + (self.seen * 1e6).astype(np.int64) % 5
        self.position = (self.position + steps[:, None]) % NUM_CELLS

    def state(self):
        return {"position": self.position, "seen": self.seen}

    def restore(self, state):
        self.position, self.seen = state["position"], state["seen"]


def evaluator(runs, pool=NUM_CELLS):
    return tabular.TabularEvaluator(
        CELLS.keys[:pool],
        VALIDATION[:pool],
        test_accuracy=TEST[:pool],
        cost_sec=np.full((pool, 3), 10.0),
        seeds=range(runs),
    )


def run(runs=3, queries=20, strategy=None, **options):
    strategy = strategy or Walk(runs)
    budget = options.pop("budget", None) or Budget(num_queries=queries)
    return search_loop.run_search(
        strategy, evaluator(runs), budget, num_runs=runs, **options
    )


def assert_same(first, second):
    for name in ("key", "validation_accuracy", "test_accuracy", "cost_sec"):
        np.testing.assert_array_equal(getattr(first, name), getattr(second, name))


class StopsAt:
    """A callback that ends the search after a number of queries."""

    def __init__(self, queries):
        self.queries = queries

    def __call__(self, queries, unused_values):
        if queries == self.queries:
            raise KeyboardInterrupt


def test_history_holds_what_was_measured():
    strategy = Walk(3)
    history = run(strategy=strategy).history
    assert history.key.shape == (3, 20) and history.key.dtype == np.uint64
    assert history.key[:, 0].tolist() == [7, 8, 9]
    index = (history.key - np.uint64(7)).astype(int)
    assert (history.validation_accuracy[..., None] == VALIDATION[index]).any(axis=-1).all()
    np.testing.assert_array_equal(history.test_accuracy, TEST[index])
    assert (history.cost_sec == 10.0).all()
    assert len(strategy.feedback) == 20


@pytest.mark.parametrize("batch", [1, 4, 7])
def test_the_query_that_reaches_the_cost_budget_is_the_last(batch):
    """Every query costs 10 s: the third ends a budget of 25 s, in the middle of a batch or not."""
    history = run(
        strategy=Walk(3, batch=batch), budget=Budget(num_queries=None, cost_budget_sec=25.0)
    ).history
    assert history.key.shape == (3, 3)
    assert history.cost_sec.tolist() == [[10.0] * 3] * 3


def test_trainings_at_fewer_epochs_are_nobodys_incumbent():
    class Halves(core.Evaluator):
        """Measures every second query at fewer epochs."""

        def evaluate(self, suggestion, query):
            found = evaluator(3).evaluate(suggestion, query)
            return dataclasses.replace(found, full_budget=query % 2 == 1)

    history = search_loop.run_search(Walk(3), Halves(), Budget(6), num_runs=3).history
    assert history.partial.tolist() == [[True, False] * 3] * 3
    assert np.isnan(history.validation_accuracy[:, ::2]).all()
    assert np.isnan(history.test_accuracy[:, ::2]).all()
    assert not np.isnan(history.validation_accuracy[:, 1::2]).any()
    assert (history.cost_sec == 10).all() and (history.incumbent()[:, -1] % 2 == 1).all()


def test_a_strategy_never_sees_test_accuracy():
    strategy = Walk(3)
    run(strategy=strategy)
    for feedback in strategy.feedback:
        for value in vars(feedback).values():
            if isinstance(value, np.ndarray) and value.dtype == np.float64:
                assert not np.isin(value, TEST).any()


def test_runs_are_independent_of_the_study():
    study = run(runs=3).history
    alone = search_loop.run_search(
        Walk(1), evaluator(1), Budget(num_queries=20), num_runs=1
    ).history
    np.testing.assert_array_equal(study.key[:1], alone.key)
    np.testing.assert_array_equal(study.validation_accuracy[:1], alone.validation_accuracy)


def test_cost_ends_each_run_on_its_own():
    """Run 1 walks over cells outside the table for a while, which cost nothing."""
    strategy = Walk(2)
    strategy.position = np.array([[0], [45]])
    history = search_loop.run_search(
        strategy, evaluator(2, pool=45), Budget(cost_budget_sec=35.0), num_runs=2
    ).history
    assert history.cost_sec.sum(axis=1).tolist() == [40.0, 40.0]
    assert history.key.shape[1] > 4
    assert (history.key[0, 4:] == 0).all() and np.isnan(history.validation_accuracy[0, 4:]).all()
    assert (history.cost_sec[0, 4:] == 0).all() and (history.key[1] != 0).all()
    assert [f.active.tolist() for f in strategy.feedback[3:5]] == [[True, True], [False, True]]


def test_batches_are_cut_to_the_budget():
    history = run(queries=10, strategy=Walk(3, batch=4)).history
    assert history.key.shape == (3, 10)
    assert history.key[0, :4].tolist() == [7, 8, 9, 10]


def test_scalars_reach_logger_and_callbacks():
    class Logger:
        def __init__(self):
            self.steps = []

        def scalars(self, step, values):
            self.steps.append((step, dict(values)))

    logger, called = Logger(), []
    callback = lambda step, values: called.append((step, dict(values)))  # noqa: E731
    history = run(logger=logger, callbacks=[callback]).history
    assert logger.steps == called
    assert [step for step, _ in called] == list(range(1, 21))
    last, best = called[-1][1], history.incumbent()[:, -1]
    rows = np.arange(3)
    assert last == {
        "incumbent_validation_accuracy": pytest.approx(
            history.validation_accuracy[rows, best].mean()
        ),
        "incumbent_test_accuracy": pytest.approx(history.test_accuracy[rows, best].mean()),
        "validation_accuracy": pytest.approx(history.validation_accuracy[:, -1].mean()),
        "cost_sec": 200.0,
    }


def test_the_bar_shows_the_incumbent(capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    run(queries=25, strategy=Walk(3, pause=0.1), progress=True)
    shown = capsys.readouterr().err
    assert "search" in shown and "25/25" in shown and "best_validation_accuracy=0." in shown
    run(queries=2, progress=True)
    assert capsys.readouterr().err == ""  # too short for a bar


@pytest.mark.parametrize("stop", [1, 7, 19, 20])
def test_interrupted_and_resumed_equals_uninterrupted(tmp_path, stop):
    checkpoint = search_loop.Checkpoint(tmp_path / "search.npz", {"seed": 0}, interval_sec=0)
    with pytest.raises(KeyboardInterrupt):
        run(checkpoint=checkpoint, callbacks=[StopsAt(stop)])
    resumed = run(checkpoint=checkpoint)
    assert_same(resumed.history, run().history)
    assert_same(run(checkpoint=checkpoint).history, resumed.history)


@pytest.mark.parametrize(
    "settings, refused",
    [
        ({"seed": 0, "eta": 3}, None),  # a new setting at its default
        ({}, None),  # an old one that was at its default
        ({"eta": 3}, None),
        ({"seed": 0, "eta": 4}, "saved with eta=3, this search has eta=4"),
        ({"seed": 1}, "saved with seed=0, this search has seed=1"),
        ({"seed": 0, "other": None}, "saved with other=None, this search has other=None"),
    ],
)
def test_settings_that_one_side_lacks_count_as_their_defaults(tmp_path, settings, refused):
    path = tmp_path / "search.npz"
    run(queries=7, checkpoint=search_loop.Checkpoint(path, {"seed": 0}, interval_sec=0))
    checkpoint = search_loop.Checkpoint(path, settings, 0, defaults={"eta": 3, "seed": 0})
    if refused:
        with pytest.raises(core.ConfigError, match=refused):
            run(checkpoint=checkpoint)
    else:
        assert_same(run(checkpoint=checkpoint).history, run().history)


def test_a_short_search_leaves_no_checkpoint(tmp_path):
    run(checkpoint=search_loop.Checkpoint(tmp_path / "search.npz", {}))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "settings,message",
    [
        ({"seed": 1, "lr": 0.1}, "saved with seed=0, this search has seed=1"),
        ({"seed": 0, "lr": 0.2}, "saved with lr=0.1, this search has lr=0.2"),
        ({"seed": 0}, "saved with lr=0.1, this search has lr=None"),
        ({"seed": 0, "lr": 0.1, "q": [1]}, r"saved with q=None, this search has q=\[1\]"),
    ],
)
def test_a_checkpoint_of_other_settings_is_refused(tmp_path, settings, message):
    path = tmp_path / "search.npz"
    run(checkpoint=search_loop.Checkpoint(path, {"seed": 0, "lr": 0.1}, interval_sec=0))
    before = path.read_bytes()
    with pytest.raises(core.ConfigError, match=message):
        run(checkpoint=search_loop.Checkpoint(path, settings, interval_sec=0))
    assert path.read_bytes() == before


@pytest.mark.parametrize("damage", ["truncated", "overwritten", "foreign"])
def test_a_damaged_checkpoint_is_replaced_with_a_warning(tmp_path, damage, caplog):
    path = tmp_path / "search.npz"
    checkpoint = search_loop.Checkpoint(path, {"seed": 0}, interval_sec=0)
    expected = run(checkpoint=checkpoint).history
    if damage == "foreign":
        storage.write_npz(path, other=np.zeros(3))
    else:
        content = path.read_bytes()
        half = len(content) // 2
        path.write_bytes(content[:half] if damage == "truncated" else content[:half] + b"x" * half)
    with caplog.at_level("WARNING", logger="absl"):
        found = run(checkpoint=checkpoint).history
    assert "is damaged" in caplog.text and str(path) in caplog.text
    assert_same(found, expected)


class Fails(Walk):
    """Raises an error at query 7, while it suggests or while it learns."""

    def __init__(self, runs, error, where):
        super().__init__(runs)
        self.error, self.where = error, where

    def suggest(self):
        if self.where == "suggest" and len(self.feedback) == 7:
            raise self.error
        return super().suggest()

    def update(self, feedback):
        if self.where == "update" and len(self.feedback) == 7:
            raise self.error
        super().update(feedback)


@pytest.mark.parametrize("where, name", [
    ("suggest", "search.npz"), ("update", search_loop.UNFINISHED),
])
def test_an_error_of_a_strategy_loses_no_history(tmp_path, where, name):
    checkpoint = search_loop.Checkpoint(tmp_path / "search.npz", {}, interval_sec=1000)
    strategy = Fails(3, core.ConfigError("the pool has been queried"), where)
    with pytest.raises(core.ConfigError) as error:
        run(strategy=strategy, checkpoint=checkpoint)
    assert str(error.value) == (
        f"the pool has been queried; the 7 queries made before are in {tmp_path / name}"
    )
    expected = run(queries=7).history
    assert_same(search_loop.read_history(tmp_path / name), expected)
    assert_same(error.value.history, expected)
    assert_same(run(checkpoint=checkpoint).history, run().history)  # goes on, or begins anew


def test_other_errors_keep_their_type_and_traceback(tmp_path):
    class Evaluator(core.Evaluator):
        def evaluate(self, suggestion, query):
            if query == 5:
                raise ZeroDivisionError("a training failed")
            return evaluator(3).evaluate(suggestion, query)

    checkpoint = search_loop.Checkpoint(tmp_path / "search.npz", {}, interval_sec=1000)
    with pytest.raises(ZeroDivisionError, match="^a training failed") as error:
        search_loop.run_search(Walk(3), Evaluator(), Budget(9), num_runs=3, checkpoint=checkpoint)
    path = tmp_path / "search.npz"
    assert error.value.__notes__ == [f"the 5 queries made before are in {path}"]
    assert_same(search_loop.read_history(path), run(queries=5).history)


def test_without_a_checkpoint_the_error_has_the_history():
    strategy = Fails(3, core.NasError("diverged"), "suggest")
    with pytest.raises(core.NasError, match="7 queries .* are in the error's `history`$") as error:
        run(strategy=strategy)
    assert_same(error.value.history, run(queries=7).history)


def test_an_error_before_the_first_query_is_as_it_was(tmp_path):
    strategy = Fails(3, core.NasError("diverged"), "suggest")
    strategy.feedback = [None] * 7
    checkpoint = search_loop.Checkpoint(tmp_path / "search.npz", {})
    with pytest.raises(core.NasError, match="^diverged$"):
        run(strategy=strategy, checkpoint=checkpoint)
    assert list(tmp_path.iterdir()) == []


def test_a_file_without_history(tmp_path):
    storage.write_npz(tmp_path / "other.npz", key=np.zeros(3))
    with pytest.raises(core.DataError, match="no history of a search"):
        search_loop.read_history(tmp_path / "other.npz")


def test_a_budget_that_never_ends_is_refused_before():
    free = tabular.TabularEvaluator(
        CELLS.keys, VALIDATION, test_accuracy=TEST, cost_sec=0 * VALIDATION, seeds=range(3)
    )
    strategy = Walk(3)
    with pytest.raises(core.ConfigError, match="^cost_budget_sec=35: every training"):
        search_loop.run_search(strategy, free, Budget(cost_budget_sec=35.0), num_runs=3)
    assert strategy.feedback == []


_JOB = """
import sys
sys.path[:0] = [{directory!r}, {root!r}]
import numpy as np
import test_search_loop as t
checkpoint = t.search_loop.Checkpoint({path!r}, {{"seed": 0}}, interval_sec={interval})
tell = lambda step, values: print(step, flush=True)
history = t.run(strategy=t.Walk(3, pause=0.02), checkpoint=checkpoint, callbacks=[tell]).history
np.savez({result!r}, **history.arrays())
"""


@pytest.mark.parametrize("number,interval", [(signal.SIGKILL, 0), (signal.SIGTERM, 1000)])
def test_killed_process_resumes_with_the_same_trace(tmp_path, request, number, interval):
    """SIGKILL leaves the last checkpoint; SIGTERM and SIGINT write one first."""
    code = _JOB.format(
        directory=str(request.path.parent),
        root=str(request.config.rootpath),
        path=str(tmp_path / "search.npz"),
        result=str(tmp_path / "result.npz"),
        interval=interval,
    )
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as job:
        for line in job.stdout:
            if line.strip() == "8":
                os.kill(job.pid, number)  # and read on, so that it can go on writing
    assert job.returncode == -number
    assert not (tmp_path / "result.npz").exists()
    second = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert 8 <= int(second.stdout.split()[0]) <= 12
    assert_same(core.History.from_arrays(storage.read_npz(tmp_path / "result.npz")), run().history)


def test_interrupt_by_the_keyboard_is_an_interrupt(tmp_path):
    path = tmp_path / "search.npz"
    strike = lambda step, values: step == 5 and signal.raise_signal(signal.SIGINT)  # noqa: E731
    # Python's own handler, which a process started in the background may lack.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    checkpoint = search_loop.Checkpoint(path, {}, interval_sec=1000)
    try:
        with pytest.raises(KeyboardInterrupt):
            run(checkpoint=checkpoint, callbacks=[strike])
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)
    assert storage.read_npz(path)["key"].shape == (3, 5)
    assert_same(run(checkpoint=checkpoint).history, run().history)


def test_a_signal_whose_handler_returns_ends_the_search_all_the_same(tmp_path):
    checkpoint = search_loop.Checkpoint(tmp_path / "search.npz", {}, interval_sec=1000)
    strike = lambda step, values: step == 5 and signal.raise_signal(signal.SIGINT)  # noqa: E731
    before = signal.signal(signal.SIGINT, lambda number, frame: None)
    try:
        with pytest.raises(core.NasError, match="interrupted; the same command goes on"):
            run(checkpoint=checkpoint, callbacks=[strike])
    finally:
        signal.signal(signal.SIGINT, before)
    assert_same(run(checkpoint=checkpoint).history, run().history)


def test_an_ignored_signal_stays_ignored(tmp_path):
    checkpoint = search_loop.Checkpoint(tmp_path / "search.npz", {}, interval_sec=1000)
    strike = lambda step, values: step == 5 and signal.raise_signal(signal.SIGINT)  # noqa: E731
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        found = run(checkpoint=checkpoint, callbacks=[strike]).history
    finally:
        signal.signal(signal.SIGINT, before)
    assert_same(found, run().history)


def test_time_before_an_interruption_counts(tmp_path):
    checkpoint = search_loop.Checkpoint(tmp_path / "search.npz", {}, interval_sec=0)
    with pytest.raises(KeyboardInterrupt):
        run(strategy=Walk(3, pause=0.05), checkpoint=checkpoint, callbacks=[StopsAt(10)])
    assert run(checkpoint=checkpoint).search_sec >= 0.4
