"""What every strategy over numbered cells shares: who was asked for what, and what came back.

A query has a number, the same in all runs, counted in the order of asking. It is suggested, then
out, then answered, in any order. Whoever answers a suggestion at once need not say that it is out.

All that such a strategy knows follows from its seeds and from these books. A state is the books,
and `restore` asks and learns from them again.

Shapes: R runs, B queries a suggestion, Q queries asked for, K runs that made a query.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from nas_tf import core
from nas_tf.graphs import CellGraphs


class Draft(NamedTuple):
    """A query that nobody has asked for yet.

    Attributes:
        cells: int [R], a cell of every run.
        extra: what the strategy has to know of the query later.
        ends_round: the next one may depend on its answer. The others of a round stay as they are,
            whatever is answered meanwhile.
    """

    cells: np.ndarray
    extra: Any = None
    ends_round: bool = True


class AskingSearch(core.Strategy):
    """Base of strategies that know cells by an index.

    A subclass says which cell an index is (`_cells_of`), what to ask next (`_draft`), and what
    follows from asking (`_note_asked`) and from an answer (`_note_answer`).
    """

    def __init__(self, seeds: Sequence[int]):
        """Makes R runs that have asked for nothing.

        Args:
            seeds: R non-negative seeds. Nothing else of a run is random.

        Raises:
            core.ConfigError: seeds are negative or missing.
        """
        if not len(seeds) or min(seeds) < 0:
            raise core.ConfigError(f"seeds={list(seeds)}: expected non-negative, at least one")
        self._seeds = tuple(int(seed) for seed in seeds)
        self._clear()

    def suggest(self, count: int | None = None) -> core.Suggestion:
        """Returns the next cells of every run, [R, B]; see `core.Strategy`.

        Raises:
            core.ConfigError: the pool is used up and no answer is out.
        """
        self._draft_up_to(1 if count is None else count)
        drafts = self._drafts[: self._round_length() if count is None else count]
        number, index = len(self._asked), self._index(drafts)
        return core.Suggestion(
            self._cells_of(index),
            self._epochs(),
            np.arange(number, number + len(drafts)),
            self._measured_before(index),
        )

    def take(self, suggestion: core.Suggestion) -> None:
        """Notes that the first cells of `suggest` are out.

        Raises:
            ValueError: they are other cells.
        """
        count = suggestion.cells.shape[1]
        self._draft_up_to(count)
        index = self._index(self._drafts[:count])
        if not np.array_equal(self._keys_of(index), suggestion.cells.keys):
            raise ValueError("take() got other cells than suggest() returned")
        for _ in range(count):
            self._ask(self._drafts.pop(0))

    def update(self, feedback: core.Feedback) -> None:
        """Learns from answers, [R, B], in the order they stand.

        A run that is not active keeps its state for good.

        Raises:
            ValueError: the feedback is not about cells suggested, or for the second time.
        """
        asked, count = len(self._asked), feedback.cells.shape[1]
        numbers = range(asked, asked + count)
        if feedback.numbers is not None:
            numbers = np.asarray(feedback.numbers).tolist()
        self._check(numbers, feedback)
        self._active = self._active & feedback.active
        for _ in range(max(numbers, default=-1) + 1 - asked):
            self._ask(self._drafts.pop(0))
        accuracy = np.asarray(feedback.validation_accuracy, np.float64)
        accuracy = np.where(feedback.feasible, accuracy, np.nan)
        for column, number in enumerate(numbers):
            self._answer(number, accuracy[:, column])
        self.redraft()

    def state(self) -> dict[str, np.ndarray]:
        """Returns everything that `restore` needs; 16 bytes a query.

        `queried` is int32 [R, Q], by number; `accuracy` NaN where infeasible or not known;
        `arrival` the rank of an answer among all, -1 while it is out; `planned` int32 [R, K] the
        rest of a round.
        """
        runs = len(self._seeds)
        arrival = np.tile(np.array(self._arrival, np.int32), (runs, 1))
        planned = self._index(self._drafts[: self._num_planned]).astype(np.int32)
        return {
            "active": self._active,
            "queried": self.queried,
            "accuracy": self.accuracy,
            "arrival": arrival,
            "planned": planned,
        }

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Goes on from a state of the same settings and pool, bit for bit."""
        self._clear()
        for cells, extra in zip(state["queried"].T, self._extras(state), strict=True):
            self._ask(Draft(cells, extra))
        arrival = state["arrival"][0]
        for number in np.argsort(arrival, kind="stable")[(arrival < 0).sum() :].tolist():
            self._answer(number, state["accuracy"][:, number])
        self._active = state["active"].astype(bool)
        planned = state["planned"].T
        self._drafts = [Draft(cells, ends_round=False) for cells in planned[:-1]]
        self._drafts += [Draft(cells) for cells in planned[-1:]]
        self._num_planned = len(planned)

    def _cells_of(self, index: np.ndarray) -> CellGraphs:
        """Returns the cells of indices, int [...]."""
        raise NotImplementedError

    def _keys_of(self, index: np.ndarray) -> np.ndarray:
        """Returns the keys of indices, uint64 [...]."""
        return self._cells_of(index).keys

    def _epochs(self) -> int | None:
        """Returns the epochs to measure the drafts at."""
        return None

    def _measured_before(self, index: np.ndarray) -> np.ndarray | None:
        """Returns `Suggestion.measured_before` of the first drafts, int [R, B]."""
        del index

    def _draft(self) -> list[Draft]:
        """Returns what to ask for after the drafts there are; nothing if it has to wait.

        Raises:
            core.ConfigError: nothing is left to be asked for.
        """
        raise NotImplementedError

    def _note_asked(self, number: int, runs: np.ndarray, cells: np.ndarray, extra: Any) -> None:
        """Learns what runs [K] asked for: cells int [K], and the draft's `extra`."""

    def _note_answer(
        self, number: int, runs: np.ndarray, cells: np.ndarray, accuracy: np.ndarray
    ) -> None:
        """Learns what runs [K] found: cells int [K], accuracy float64 [K], NaN if infeasible."""

    def _extras(self, state: Mapping[str, np.ndarray]) -> Sequence[Any]:
        """Returns the `extra` of every query in a state."""
        return [None] * state["queried"].shape[1]

    def _clear(self) -> None:
        """Forgets everything."""
        self._active = np.ones(len(self._seeds), bool)
        self._asked: list[np.ndarray] = []  # int32 [R], by number; -1 where a run was over
        self._accuracy: list[np.ndarray] = []  # float64 [R]
        self._arrival: list[int] = []
        self._num_answers = 0
        self._drafts: list[Draft] = []
        self._num_planned = 0  # drafts, the first ones, of a round that has begun

    @property
    def num_asked(self) -> int:
        """Queries asked for by every run, Q."""
        return len(self._asked)

    @property
    def queried(self) -> np.ndarray:
        """Cells asked for, int32 [R, Q]; -1 after a run's end."""
        return _stacked(self._asked, len(self._seeds), np.int32)

    @property
    def accuracy(self) -> np.ndarray:
        """Their accuracies, float64 [R, Q]; NaN where infeasible or not known."""
        return _stacked(self._accuracy, len(self._seeds), np.float64)

    @property
    def active(self) -> np.ndarray:
        """Runs that have not ended, bool [R]."""
        return self._active

    def answered(self, numbers: range) -> bool:
        """Tells whether all of these queries have an answer."""
        return numbers.stop <= len(self._asked) and min(
            self._arrival[numbers.start : numbers.stop], default=0
        ) >= 0

    def known(self) -> tuple[np.ndarray, np.ndarray]:
        """Returns what every run has asked for, drafts included, and the answers.

        Returns:
            int [R, m]: cells with an answer first, in the order of arrival, then the others in the
            order of asking; -1 after a run's end. And float64 [R, n], the answers to the first n;
            NaN where infeasible.
        """
        waiting = len(self._asked) - self._num_answers
        order = np.argsort(self._arrival, kind="stable")
        order = np.roll(order, -waiting) if len(order) else order  # those without come first
        cells = np.concatenate([self.queried[:, order], self._index(self._drafts)], axis=1)
        return cells, self.accuracy[:, order[: self._num_answers]]

    def redraft(self) -> None:
        """Has what nobody has asked for yet chosen again, except the rest of a round."""
        del self._drafts[self._num_planned :]

    @property
    def _next_number(self) -> int:
        """The number of a query after the drafts."""
        return len(self._asked) + len(self._drafts)

    @property
    def _num_out(self) -> int:
        """Queries without an answer, drafts included."""
        return self._next_number - self._num_answers

    def _draft_up_to(self, count: int) -> None:
        while len(self._drafts) < count:
            found = self._draft()
            if not found:
                break
            self._drafts += found

    def _round_length(self) -> int:
        """Returns how many drafts are of the first round."""
        ends = (number for number, draft in enumerate(self._drafts, 1) if draft.ends_round)
        return next(ends, 0)

    def _index(self, drafts: Sequence[Draft]) -> np.ndarray:
        """Returns the cells of drafts, int [R, len(drafts)]."""
        if not drafts:
            return np.zeros((len(self._seeds), 0), np.int32)
        return np.stack([draft.cells for draft in drafts], axis=1)

    def _check(self, numbers: Sequence[int], feedback: core.Feedback) -> None:
        """Raises ValueError for feedback that is not about what was suggested."""
        asked = len(self._asked)
        self._draft_up_to(max(numbers, default=-1) + 1 - asked)
        columns = [*self._asked, *(draft.cells for draft in self._drafts)]
        new = sorted(number for number in numbers if number >= asked)
        repeated = len(set(numbers)) < len(numbers)
        if repeated or any(self._arrival[number] >= 0 for number in numbers if number < asked):
            raise ValueError(f"update() got answers to queries {list(numbers)} twice")
        if new != list(range(asked, asked + len(new))) or len(new) > len(self._drafts):
            raise ValueError(f"update() got answers to queries {new} that were not suggested")
        if len(numbers) != feedback.cells.shape[1]:
            raise ValueError(f"{len(numbers)} numbers for cells {feedback.cells.shape}")
        if not numbers:
            return
        index = np.stack([columns[number] for number in numbers], axis=1)
        other = self._keys_of(np.maximum(index, 0)) != feedback.cells.keys
        if (other & (index >= 0)).any():
            raise ValueError("update() got other cells than suggest() returned")

    def _ask(self, draft: Draft) -> None:
        """Makes a query of what was the first draft."""
        self._num_planned = 0 if draft.ends_round else self._round_length()
        number, cells = len(self._asked), np.where(self._active, draft.cells, -1).astype(np.int32)
        self._asked.append(cells)
        self._accuracy.append(np.full(len(cells), np.nan))
        self._arrival.append(-1)
        runs = np.flatnonzero(cells >= 0)
        self._note_asked(number, runs, cells[runs], draft.extra)

    def _answer(self, number: int, accuracy: np.ndarray) -> None:
        """Notes the answer to a query, float64 [R], NaN where infeasible."""
        cells = np.where(self._active, self._asked[number], np.int32(-1))
        accuracy = np.where(cells >= 0, accuracy, np.nan)
        self._asked[number], self._accuracy[number] = cells, accuracy
        self._arrival[number] = self._num_answers
        self._num_answers += 1
        runs = np.flatnonzero(cells >= 0)
        self._note_answer(number, runs, cells[runs], accuracy[runs])


def _stacked(columns: Sequence[np.ndarray], runs: int, dtype) -> np.ndarray:
    """Returns columns [R, ...] side by side, [R, Q]."""
    return np.array(columns, dtype).reshape(len(columns), runs).T
