"""The only search loop: suggest, evaluate, update, record, checkpoint.

Shapes: R runs, B suggestions a round, Q queries a run.
"""

import contextlib
import dataclasses
import json
import math
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

from nas_tf import caching
from nas_tf import core
from nas_tf import storage
from nas_tf.pools.record import Budget, Record

UNFINISHED = "unfinished_history.npz"  # beside a checkpoint, after an error

_SHOW_BAR_AFTER_SEC = 2.0
_STRATEGY_PREFIX = "strategy_"


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
        defaults: what a setting is that one side does not name: a search goes on from a checkpoint
            that knew no such setting.
        interval_sec: seconds between two checkpoints; a search that is over before the first
            leaves none.
        at_end: the search leaves one when it is over, whenever that is.
    """

    path: str | os.PathLike
    settings: Mapping[str, Any]
    interval_sec: float = 30.0
    at_end: bool = False
    defaults: Mapping[str, Any] = dataclasses.field(default_factory=dict)


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
    title: str = "search",
) -> SearchResult:
    """Searches until every run's budget is spent.

    A run that has spent its cost budget before the others is recorded no further. A search that
    was killed goes on from its checkpoint and ends with the same history, bit for bit. SIGTERM and
    SIGINT are held until the query under way is done and saved, or was given up for them.

    An error of strategy, evaluator or callback loses no query that was recorded: the error's
    `history` has them, and so has a file (`read_history`) where there is a checkpoint.

    Args:
        strategy: suggests cells for R runs; fresh.
        evaluator: measures them; its `check_budget` is asked before.
        budget: decides how long each run lasts.
        num_runs: R.
        checkpoint: where to save and resume; None does neither.
        logger: gets, at every query, means over the runs: `incumbent_validation_accuracy`,
            `incumbent_test_accuracy`, `validation_accuracy` of the query, `cost_sec` so far.
        callbacks: called with the number of queries and the same scalars.
        progress: show a bar if the search takes more than a moment.
        title: of the bar.

    Raises:
        core.ConfigError: the checkpoint belongs to other settings or cannot be written, or the
            evaluator refuses the budget.
        core.NasError: the search was interrupted by a signal.
    """
    evaluator.check_budget(budget)
    record = Record(num_runs, keep_cells=not strategy.has_pool)
    if checkpoint is not None:
        _resume(checkpoint, strategy, record)
    saved = time.monotonic()
    started = saved - record.search_sec
    with _signals_held(checkpoint is not None) as signals, _bar(progress, title, budget, record) as bar:
        while (active := record.active(budget)).any():
            try:
                with _history_kept(checkpoint, strategy, record):
                    _query(strategy, evaluator, budget, record, active)
                    record.search_sec = time.monotonic() - started
                    _report(strategy, record, logger, callbacks, bar)
            except core.Interrupted:  # within a query, which is made again; all else is saved
                if not signals:
                    raise
                break
            if checkpoint and (signals or time.monotonic() - saved >= checkpoint.interval_sec):
                _save(checkpoint, strategy, record)
                saved = time.monotonic()
            if signals:
                break
        if checkpoint and checkpoint.at_end:
            _save(checkpoint, strategy, record)
    return SearchResult(record.history(), record.search_sec)


def read_history(path: str | os.PathLike) -> core.History:
    """Returns the history of a checkpoint, or of what an error left beside it.

    Raises:
        core.DataError: the file is missing, damaged or holds no history.
    """
    saved = storage.read_npz(path)
    try:
        return core.History.from_arrays(saved)
    except KeyError as error:
        raise core.DataError(f"{path}: no history of a search ({error} is missing)") from error


def _query(strategy, evaluator, budget: Budget, record: Record, active: np.ndarray) -> None:
    """Makes one round of queries."""
    suggestion = strategy.suggest()
    batch = budget.batch_size(record.num_queries, suggestion.cells.shape[1])
    evaluation = evaluator.evaluate(suggestion.first(batch), record.num_queries)
    record.settled = False
    strategy.update(evaluation.feedback(active))
    record.add(evaluation, budget)
    record.settled = True


def _report(strategy, record: Record, logger, callbacks, bar: tqdm.tqdm) -> None:
    """Tells everybody who wants to know how far the search is."""
    values = record.summary() | strategy.metrics()
    if logger is not None:
        logger.scalars(record.num_queries, known_scalars(values))
    for callback in callbacks:
        callback(record.num_queries, values)
    best = f"{values['incumbent_validation_accuracy']:.4f}"
    bar.set_postfix(best_validation_accuracy=best, refresh=False)
    bar.update(record.num_queries - bar.n)


def known_scalars(values: Mapping[str, float]) -> dict[str, float]:
    """Returns the scalars that are known: no NaN, and no cost where nothing costs anything."""
    known = {name: value for name, value in values.items() if math.isfinite(value)}
    if known.get("cost_sec") == 0:
        del known["cost_sec"]
    return known


def _bar(progress: bool, title: str, budget: Budget, record: Record) -> tqdm.tqdm:
    return caching.progress_bar(
        desc=title,
        unit="query",
        total=budget.num_queries,
        initial=record.num_queries,
        delay=_SHOW_BAR_AFTER_SEC,
        disable=not progress,
    )


@contextlib.contextmanager
def _history_kept(
    checkpoint: Checkpoint | None, strategy: core.Strategy, record: Record
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


def _keep(checkpoint: Checkpoint | None, strategy: core.Strategy, record: Record) -> object:
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
    storage.write_npz(path, **record.history().arrays())
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


def _save(checkpoint: Checkpoint, strategy: core.Strategy, record: Record) -> None:
    history = record.history().arrays()
    state = {_STRATEGY_PREFIX + name: value for name, value in strategy.state().items()}
    storage.write_npz(
        checkpoint.path,
        settings=np.array(_encode(checkpoint.settings)),
        search_sec=np.float64(record.search_sec),
        **history,
        **state,
    )


def _resume(checkpoint: Checkpoint, strategy: core.Strategy, record: Record) -> None:
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
    _check_settings(path, settings, *_plain(checkpoint.settings, checkpoint.defaults))
    prefix = len(_STRATEGY_PREFIX)
    strategy.restore(
        {name[prefix:]: value for name, value in saved.items() if name.startswith(_STRATEGY_PREFIX)}
    )
    record.restore(saved, float(saved["search_sec"]))


def _check_settings(
    path, saved: Mapping[str, Any], current: Mapping[str, Any], defaults: Mapping[str, Any]
) -> None:
    """Raises ConfigError naming the first setting that differs."""
    for name in [*current, *(name for name in saved if name not in current)]:
        known = [values for values in (saved, current) if name in values]
        before, now = ({**defaults, **values}.get(name) for values in (saved, current))
        if before != now or (len(known) < 2 and name not in defaults):
            raise core.ConfigError(
                f"{path} was saved with {name}={before!r}, this search has {name}={now!r}; use the "
                "same settings or another directory"
            )


def _plain(*settings: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Returns settings as they are read from a file."""
    return [json.loads(_encode(values)) for values in settings]


def _encode(settings: Mapping[str, Any]) -> str:
    return json.dumps(dict(settings), default=str)
