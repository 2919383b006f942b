"""The only search loop: suggest, evaluate, update, record, checkpoint.

Shapes: R runs, B suggestions a round, Q queries a run.
"""

import contextlib
import dataclasses
import json
import os
import pathlib
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import tqdm
from absl import logging

from nas_tf import core
from nas_tf import storage

UNFINISHED = "unfinished_history.npz"  # beside a checkpoint, after an error

_SHOW_BAR_AFTER_SEC = 2.0
_STRATEGY_PREFIX = "strategy_"


class Budget(Protocol):
    """What each run may spend; `evaluators.budget.Budget` is one."""

    num_queries: int | None

    def active(self, num_queries: int, cost_sec: np.ndarray) -> np.ndarray:
        """Returns bool [R]: the run may make another query."""

    def batch_size(self, num_queries: int, suggested: int) -> int:
        """Returns how many of `suggested` cells a run may still query."""


class Logger(Protocol):
    """Takes scalars, for instance to TensorBoard."""

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        """Logs values at a number of queries."""


@dataclasses.dataclass(frozen=True)
class Checkpoint:
    """Where and how often a search is saved.

    Attributes:
        path: an `.npz` file.
        settings: whatever decides the trace, by name: a checkpoint is taken up only by a search
            with the same settings. Values are JSON.
        interval_sec: seconds between two checkpoints; a search that is over before the first
            leaves none.
    """

    path: str | os.PathLike
    settings: Mapping[str, Any]
    interval_sec: float = 30.0


@dataclasses.dataclass(frozen=True)
class SearchResult:
    """What a search leaves.

    Attributes:
        history: every query.
        search_sec: wall-clock seconds of the loop, those before an interruption included.
    """

    history: core.History
    search_sec: float


def run_search(
    strategy: core.Strategy,
    evaluator: core.Evaluator,
    budget: Budget,
    *,
    num_runs: int,
    checkpoint: Checkpoint | None = None,
    logger: Logger | None = None,
    callbacks: Sequence[Callable[[int, Mapping[str, float]], None]] = (),
    progress: bool = False,
) -> SearchResult:
    """Searches until every run's budget is spent.

    A run that has spent its cost budget before the others is recorded no further. A search that
    was killed goes on from its checkpoint and ends with the same history, bit for bit. SIGTERM and
    SIGINT are held until the query under way is done and saved.

    An error of strategy, evaluator or callback loses no query that was recorded: the error's
    `history` has them, and so has a file (`read_history`) where there is a checkpoint.

    Args:
        strategy: suggests cells for R runs; fresh.
        evaluator: measures them; one that has a method `check_budget` is asked before.
        budget: decides how long each run lasts.
        num_runs: R.
        checkpoint: where to save and resume; None does neither.
        logger: gets, at every query, means over the runs: `incumbent_validation_accuracy`,
            `incumbent_test_accuracy`, `validation_accuracy` of the query, `cost_sec` so far.
        callbacks: called with the number of queries and the same scalars.
        progress: show a bar if the search takes more than a moment.

    Raises:
        core.ConfigError: the checkpoint belongs to other settings or cannot be written, or the
            evaluator refuses the budget.
        core.NasError: the search was interrupted by a signal.
    """
    if hasattr(evaluator, "check_budget"):
        evaluator.check_budget(budget)
    record = _Record(num_runs)
    if checkpoint is not None:
        _resume(checkpoint, strategy, record)
    saved = time.monotonic()
    started = saved - record.search_sec
    with _signals_held(checkpoint is not None) as signals, _bar(progress, budget, record) as bar:
        while (active := record.active(budget)).any():
            with _history_kept(checkpoint, strategy, record):
                _query(strategy, evaluator, budget, record, active)
                record.search_sec = time.monotonic() - started
                _report(strategy, record, logger, callbacks, bar)
            if checkpoint and (signals or time.monotonic() - saved >= checkpoint.interval_sec):
                _save(checkpoint, strategy, record)
                saved = time.monotonic()
            if signals:
                break
    return SearchResult(record.history(), record.search_sec)


def read_history(path: str | os.PathLike) -> core.History:
    """Returns the history of a checkpoint, or of what an error left beside it.

    Raises:
        core.DataError: the file is missing, damaged or holds no history.
    """
    saved = storage.read_npz(path)
    try:
        names = [field.name for field in dataclasses.fields(core.History)]
        return core.History(**{name: saved[name] for name in names})
    except KeyError as error:
        raise core.DataError(f"{path}: no history of a search ({error} is missing)") from error


def _query(strategy, evaluator, budget: Budget, record: "_Record", active: np.ndarray) -> None:
    """Makes one round of queries."""
    suggestion = strategy.suggest()
    batch = budget.batch_size(record.num_queries, suggestion.cells.shape[1])
    suggestion = dataclasses.replace(suggestion, cells=suggestion.cells[:, :batch])
    evaluation = evaluator.evaluate(suggestion, record.num_queries)
    record.settled = False
    strategy.update(evaluation.feedback(active))
    record.add(evaluation, budget)
    record.settled = True


def _report(strategy, record: "_Record", logger, callbacks, bar: tqdm.tqdm) -> None:
    """Tells everybody who wants to know how far the search is.

    A strategy may say more of itself: `metrics()` returns numbers by name.
    """
    values = record.summary()
    if hasattr(strategy, "metrics"):
        values |= strategy.metrics()
    if logger is not None:
        logger.scalars(record.num_queries, values)
    for callback in callbacks:
        callback(record.num_queries, values)
    best = f"{values['incumbent_validation_accuracy']:.4f}"
    bar.set_postfix(best_validation_accuracy=best, refresh=False)
    bar.update(record.num_queries - bar.n)


def _bar(progress: bool, budget: Budget, record: "_Record") -> tqdm.tqdm:
    return tqdm.tqdm(
        desc="search",
        unit="query",
        total=budget.num_queries,
        initial=record.num_queries,
        delay=_SHOW_BAR_AFTER_SEC,
        disable=not progress,
    )


@contextlib.contextmanager
def _history_kept(
    checkpoint: Checkpoint | None, strategy: core.Strategy, record: "_Record"
) -> Iterator[None]:
    """Keeps the queries made so far when an error ends the search, and says where they are."""
    try:
        yield
    except Exception as error:
        if not record.num_queries:
            raise
        error.history = record.history()
        place = _keep(checkpoint, strategy, record)
        note = f"the {record.num_queries} queries made before are in {place}"
        if not isinstance(error, core.NasError):
            error.add_note(note)
            raise
        told = type(error)(f"{error}; {note}")  # a user sees one line
        told.history = error.history
        raise told from error


def _keep(checkpoint: Checkpoint | None, strategy: core.Strategy, record: "_Record") -> object:
    """Saves the queries made so far and returns where they are.

    After an error in the midst of `update` the strategy's state is not to be gone on from: the last
    checkpoint stays, and the history goes to a file of its own beside it.
    """
    if checkpoint is None:
        return "the error's `history`"
    if record.settled:
        _save(checkpoint, strategy, record)
        return checkpoint.path
    path = pathlib.Path(checkpoint.path).with_name(UNFINISHED)
    storage.write_npz(path, **dataclasses.asdict(record.history()))
    return path


@contextlib.contextmanager
def _signals_held(hold: bool) -> Iterator[list[int]]:
    """Collects SIGTERM and SIGINT and delivers the first at the end; a second acts at once.

    A signal that the process ignores stays ignored.

    Raises:
        core.NasError: a signal came and its own handler returned.
    """
    received: list[int] = []
    before = {}

    def release() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def handle(number, unused_frame) -> None:
        received.append(number)
        release()

    if hold and threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGINT):
            if signal.getsignal(number) is not signal.SIG_IGN:
                before[number] = signal.signal(number, handle)
    try:
        yield received
    finally:
        release()
    if received:
        signal.raise_signal(received[0])
        raise core.NasError("the search was interrupted; the same command goes on with it")


def _save(checkpoint: Checkpoint, strategy: core.Strategy, record: "_Record") -> None:
    history = dataclasses.asdict(record.history())
    state = {_STRATEGY_PREFIX + name: value for name, value in strategy.state().items()}
    storage.write_npz(
        checkpoint.path,
        settings=np.array(_encode(checkpoint.settings)),
        search_sec=np.float64(record.search_sec),
        **history,
        **state,
    )


def _resume(checkpoint: Checkpoint, strategy: core.Strategy, record: "_Record") -> None:
    """Takes a checkpoint up if there is a sound one.

    Raises:
        core.ConfigError: it belongs to other settings.
    """
    path = pathlib.Path(checkpoint.path)
    if not path.exists():
        return
    try:
        saved = storage.read_npz(path)
        settings = json.loads(str(saved["settings"]))
    except (core.DataError, KeyError, json.JSONDecodeError) as error:
        logging.warning("%s is damaged (%s); the search starts anew", path, error)
        return
    _check_settings(path, settings, json.loads(_encode(checkpoint.settings)))
    prefix = len(_STRATEGY_PREFIX)
    strategy.restore(
        {name[prefix:]: value for name, value in saved.items() if name.startswith(_STRATEGY_PREFIX)}
    )
    record.restore(saved, float(saved["search_sec"]))


def _check_settings(path, saved: Mapping[str, Any], current: Mapping[str, Any]) -> None:
    """Raises ConfigError naming the first setting that differs."""
    for name in [*current, *(name for name in saved if name not in current)]:
        if name not in saved or name not in current or saved[name] != current[name]:
            raise core.ConfigError(
                f"{path} was saved with {name}={saved.get(name)!r}, this search has "
                f"{name}={current.get(name)!r}; use the same settings or another --output_dir"
            )


def _encode(settings: Mapping[str, Any]) -> str:
    return json.dumps(dict(settings), default=str)


def _mean(values: np.ndarray) -> float:
    """Averages the finite values; NaN if there are none."""
    finite = values[np.isfinite(values)]
    return float(finite.mean()) if finite.size else float("nan")


class _Record:
    """The books of a search.

    Attributes:
        columns: arrays [R], one a query, for every array of the history.
        search_sec: wall-clock seconds spent so far.
        settled: the strategy has learned from these queries, no more and no fewer.
    """

    def __init__(self, num_runs: int):
        self.columns = {field.name: [] for field in dataclasses.fields(core.History)}
        self.search_sec = 0.0
        self.settled = True
        self._spent_sec = np.zeros(num_runs)
        self._best_validation = np.full(num_runs, -np.inf)
        self._best_test = np.full(num_runs, np.nan)

    @property
    def num_queries(self) -> int:
        """Queries made by each run."""
        return len(self.columns["key"])

    def active(self, budget: Budget) -> np.ndarray:
        """Returns bool [R]: the run may make another query."""
        return budget.active(self.num_queries, self._spent_sec)

    def add(self, evaluation: core.Evaluation, budget: Budget) -> None:
        """Appends the answers [R, B] of every run up to the one that spends its budget.

        Accuracies at fewer than the full epochs are the strategy's affair: they are not recorded,
        so that they are nobody's incumbent. Their cost is.
        """
        for key, validation, test, cost in zip(
            evaluation.cells.keys.T,
            evaluation.validation_accuracy.T,
            evaluation.test_accuracy.T,
            evaluation.cost_sec.T,
        ):
            active = self.active(budget)
            if not active.any():
                break
            counts = active & evaluation.full_budget
            self._add_column(
                key=np.where(active, key, np.uint64(0)),
                validation_accuracy=np.where(counts, validation, np.nan),
                test_accuracy=np.where(counts, test, np.nan),
                cost_sec=np.where(active, cost, 0.0),
                partial=active & (not evaluation.full_budget),
            )

    def restore(self, history: Mapping[str, np.ndarray], search_sec: float) -> None:
        """Goes on from a saved history, arrays [R, Q]."""
        columns = [list(history[name].T) for name in self.columns]
        for values in zip(*columns, strict=True):
            self._add_column(**dict(zip(self.columns, values)))
        self.search_sec = search_sec

    def history(self) -> core.History:
        """Returns every query, [R, Q]."""
        return core.History(**{name: np.stack(c, axis=1) for name, c in self.columns.items()})

    def summary(self) -> dict[str, float]:
        """Returns means over the runs, or over those that have the number in question."""
        return {
            "incumbent_validation_accuracy": _mean(self._best_validation),
            "incumbent_test_accuracy": _mean(self._best_test),
            "validation_accuracy": _mean(self.columns["validation_accuracy"][-1]),
            "cost_sec": _mean(self._spent_sec),
        }

    def _add_column(self, **column: np.ndarray) -> None:
        for name, values in column.items():
            self.columns[name].append(values)
        better = column["validation_accuracy"] > self._best_validation
        self._best_validation = np.where(
            better, column["validation_accuracy"], self._best_validation
        )
        self._best_test = np.where(better, column["test_accuracy"], self._best_test)
        self._spent_sec = self._spent_sec + column["cost_sec"]
