"""BOHB: successive halving over training epochs, its cells proposed by kernel densities.

Falkner et al. (2018), arXiv:1807.01774, algorithms 1 and 2, and the released code
(github.com/automl/HpBandSter); settings of the NAS-Bench-101 study (Ying et al., 2019,
arXiv:1902.09635) from github.com/automl/nas_benchmarks, `run_bohb.py`: eta 3, the best 15 % are
good, 64 samples, a third of the cells random, bandwidths of at least 0.3 (BOHB's own default is
0.001), and at least one more good cell, and other cell, than there are decisions.

A bracket measures n cells at few epochs, the best n / eta of them at the next number of epochs, and
so on; brackets follow each other, from the one with the most cells to the one that begins at full
epochs, and round again (`brackets`). All runs are at the same query of the same bracket, so that a
suggestion has one number of epochs.

A new cell comes from a model of the most epochs for which there are enough queries: p(code) among
the good ones, l, and among the others, g, are products of Aitchison-Aitken kernels. Of the samples
of l, the one with the largest l / g is next. Differences to the released code:
- Its bandwidth follows the standard deviation of the choices' numbers, which depends on their order
  and, with five choices, exceeds 1, where the kernel is negative. Here different choices are
  at distance 1 (the same for two choices), and a bandwidth ends where its kernel is flat.
- It also draws invalid and known cells. Here the best sample that is a new cell of the pool is
  taken; without one, and for the random cells, codes are drawn as in `categorical`.

As there, an infeasible cell is worse than all others and does not advance; when too few do, new
cells begin at the higher number of epochs. A run queries a cell once at each of its epochs. Every
query counts, and the incumbent is one measured at full epochs.

Shapes: R runs, M cells of the pool, D decisions, C choices of the decision with the most, S
samples, P codes a density is of, K some of the runs.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np

from nas_tf import core
from nas_tf.baselines import categorical
from nas_tf.graphs import CellGraphs
from nas_tf.spaces.decisions import Decisions

_CHUNK = 8  # samples looked up at a time
_TINY = np.float32(1e-32)  # a density is at least this, as released


def brackets(num_budgets: int, eta: int) -> list[list[tuple[int, int]]]:
    """Returns one round of brackets: pairs of the index of a budget and a number of cells.

    As released; the sizes of Hyperband's brackets (Li et al., 2018, arXiv:1603.06560), algorithm 1,
    round down.
    """
    found = []
    for first in range(num_budgets):
        rungs = num_budgets - first
        cells = num_budgets // rungs * eta ** (rungs - 1)
        found.append([(first + i, max(1, cells // eta**i)) for i in range(rungs)])
    return found


@dataclasses.dataclass(frozen=True)
class _Slot:
    """What a query of a round is for.

    Attributes:
        budget: its index.
        position: of the query in its rung.
        size: cells of the rung.
        before: queries from the start of the rung before to that of this one; 0 for a first rung.
    """

    budget: int
    position: int
    size: int
    before: int


def first_full_query(num_budgets: int, eta: int) -> int:
    """Returns the number, from 1, of the first query at full epochs."""
    budgets = [slot.budget for slot in _slots(num_budgets, eta)]
    return budgets.index(num_budgets - 1) + 1


def _slots(num_budgets: int, eta: int) -> list[_Slot]:
    slots = []
    for bracket in brackets(num_budgets, eta):
        before = 0
        for budget, size in bracket:
            slots += [_Slot(budget, position, size, before) for position in range(size)]
            before = size
    return slots


class Bohb(categorical.CategoricalSearch):
    """Strategy that halves brackets of cells, which densities over their codes propose.

    Needs an enumerated pool. The cells of a rung may all be out at a time: they are not proposed
    again, and no model has them. It waits at the end of a rung whose best cells advance; a
    suggestion ends where the epochs change.

    The recipe (`strategies.bohb`) checks the ranges of settings.
    """

    def __init__(
        self,
        cells: CellGraphs,
        encoding: Decisions,
        *,
        seeds: Sequence[int],
        epochs: Sequence[int],
        eta: int = 3,
        random_fraction: float = 1 / 3,
        num_samples: int = 64,
        top_percent: int = 15,
        min_points: int | None = None,
        min_bandwidth: float = 0.3,
    ):
        """Makes R runs without queries.

        Args:
            cells: the pool [M].
            encoding: of its cells.
            seeds: R non-negative seeds. Nothing else of a run is random.
            epochs: training epochs that cells can be measured at, ascending, the full ones last.
            eta: one of so many cells advances.
            random_fraction: of the new cells, from 0 to 1.
            num_samples: S, codes drawn from the model for a new cell.
            top_percent: of the codes, which are the good ones; 1 to 99.
            min_points: good codes, and others, without which there is no model; None is the least
                that is possible, D + 1.
            min_bandwidth: of every decision's kernel, above 0 to 1.

        Raises:
            core.ConfigError: there is only one number of epochs, or `min_points` are too few for
                the decisions; seeds are negative or missing.
            ValueError: the pool is empty.
        """
        least = len(encoding.num_choices) + 1
        self._min_points = least if min_points is None else min_points
        if not _ascending(epochs):
            raise core.ConfigError(
                f"epochs={list(epochs)}: expected at least two numbers of epochs in ascending "
                "order; successive halving needs a table with several training budgets"
            )
        if self._min_points < least:
            raise core.ConfigError(
                f"min_points={min_points}: expected at least {least}, one more than the decisions "
                "of the encoding"
            )
        self._budgets = tuple(int(number) for number in epochs)
        self._slots = _slots(len(self._budgets), eta)
        self._random_fraction, self._num_samples = random_fraction, num_samples
        self._top_percent, self._min_bandwidth = top_percent, min_bandwidth
        super().__init__(cells, encoding, seeds=seeds, stream=core.Stream.BOHB)
        self._always_new = False

    def _slot(self, query: int) -> _Slot:
        return self._slots[query % len(self._slots)]

    def _epochs(self) -> int:
        return self._budgets[self._slot(len(self._asked)).budget]

    def _propose_coded(self, uniform: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
        number = self._next_number
        slot = self._slot(number)
        end = number - slot.position
        if slot.budget != self._slot(len(self._asked)).budget:
            return None
        if slot.before and not self.answered(range(end - slot.before, end)):
            return None
        cells, codes = self._advance(slot, end)
        new = np.flatnonzero(self._active & (cells < 0))
        if len(new):
            if not self._cells_left(new):
                return None
            cells[new], codes[new] = self._new_cells(new, uniform)
        return np.maximum(cells, 0), codes  # of a run that is over any will do

    def _advance(self, slot: _Slot, end: int) -> tuple[np.ndarray, np.ndarray]:
        """Returns int32 [R] cells that advance to a slot and int8 [R, D] codes; -1 where none.

        The best of the rung before, which ended before query `end`, in the order in which they were
        asked for there.
        """
        cells = np.full(len(self._seeds), -1, np.int32)
        codes = self._no_codes(len(self._seeds))
        if slot.before:
            rung = slice(end - slot.before, end)
            accuracy = np.stack(self._accuracy[rung], axis=1)
            row = best(accuracy, slot.size)[:, slot.position]
            run = np.flatnonzero(row < slot.before)
            cells[run] = np.stack(self._asked[rung])[row[run], run]
            codes[run] = np.stack(self._codes[rung])[row[run], run]
        return cells, codes

    def _new_cells(self, runs: np.ndarray, uniform: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Returns int [K] new cells and int8 [K, D] codes, from the model or at random."""
        cells, codes = np.full(len(runs), -1, np.int32), self._no_codes(len(runs))
        queries = self._model_queries()
        modelled = np.flatnonzero(uniform[runs, categorical.COIN] >= self._random_fraction)
        if len(queries) and len(modelled):
            some = runs[modelled]
            ranked = self._samples(some, queries, uniform[some, categorical.MODEL])
            cells[modelled], codes[modelled] = self._first_new(
                some, lambda rows, start: ranked[rows, start : start + _CHUNK], self._num_samples
            )
        left = np.flatnonzero(cells < 0)
        prior = self._allowed / self._num_choices[:, None]
        prior = np.broadcast_to(prior, (len(left), *prior.shape))
        cells[left], codes[left] = self._draw_new(runs[left], prior, uniform)
        undrawn = np.flatnonzero(codes[:, 0] < 0)
        codes[undrawn] = self._encoding.encode(self._cells_of(cells[undrawn]))
        return cells, codes

    def _model_queries(self) -> np.ndarray:
        """Returns the numbers of the queries to model, int64; none if there are too few."""
        budget = np.array([self._slot(q).budget for q in range(len(self._asked))], np.int64)
        known = np.array(self._arrival, np.int64) >= 0
        for candidate in range(len(self._budgets) - 1, -1, -1):
            queries = np.flatnonzero((budget == candidate) & known)
            if len(queries) >= self._num_good(len(queries)) + self._min_points:
                return queries
        return np.zeros(0, np.int64)

    def _num_good(self, num_queries: int) -> int:
        return max(self._min_points, self._top_percent * num_queries // 100)

    def _samples(self, runs: np.ndarray, queries: np.ndarray, uniform: np.ndarray) -> np.ndarray:
        """Returns samples of the good ones' density by descending l / g, int8 [K, S, D].

        Args:
            runs: int [K].
            queries: int, those to model.
            uniform: float64 [K].
        """
        codes = np.stack([self._codes[query][runs] for query in queries], axis=1)
        accuracy = np.stack([self._accuracy[query][runs] for query in queries], axis=1)
        order = np.argsort(-_worst_if_nan(accuracy), axis=1, kind="stable")
        codes = np.take_along_axis(codes, order[..., None], axis=1)
        num_good = self._num_good(len(queries))
        good, others = codes[:, :num_good], codes[:, num_good:]
        widths = bandwidths(good, self._num_choices, self._min_bandwidth)
        samples = self._vary(good, widths, uniform)
        ratio = density(samples, good, widths, self._num_choices)
        widths = bandwidths(others, self._num_choices, self._min_bandwidth)
        ratio /= density(samples, others, widths, self._num_choices)
        order = np.argsort(-ratio, axis=1, kind="stable")
        return np.take_along_axis(samples, order[..., None], axis=1)

    def _vary(self, good: np.ndarray, widths: np.ndarray, uniform: np.ndarray) -> np.ndarray:
        """Returns S good codes of each run in which choices are drawn anew, int8 [K, S, D].

        Each with the probability of its bandwidth, as released.
        """
        samples, size = self._num_samples, len(self._num_choices)
        numbers = categorical.expand(uniform, 0, samples * (1 + 2 * size))
        numbers = numbers.reshape(len(uniform), samples, 1 + 2 * size)
        origin = (numbers[..., 0] * good.shape[1]).astype(np.int64)
        codes = np.take_along_axis(good, origin[..., None], axis=1)
        anew = (numbers[..., 1 + size :] * self._num_choices).astype(np.int8)
        return np.where(numbers[..., 1 : 1 + size] < widths[:, None], anew, codes)

    def _add(self, runs: np.ndarray, cells: np.ndarray) -> None:
        new = runs[~self._queried.find(runs, cells[runs, None])[0][:, 0]]  # not at fewer epochs
        super()._add(new, cells)


def best(accuracy: np.ndarray, count: int) -> np.ndarray:
    """Returns the columns of the most accurate of each row, int64 [K, count], ascending.

    Args:
        accuracy: float64 [K, P]; NaN is never among them. Of equals, the first are.
        count: at most P. Where a row has fewer, its last entries are P.
    """
    value = _worst_if_nan(accuracy)
    order = np.argsort(-value, axis=1, kind="stable")[:, :count]
    known = np.take_along_axis(value, order, axis=1) > -np.inf
    return np.sort(np.where(known, order, accuracy.shape[1]), axis=1)


def bandwidths(codes: np.ndarray, num_choices: np.ndarray, least: float) -> np.ndarray:
    """Returns a kernel bandwidth of every decision, float64 [K, D].

    The normal reference rule, 1.06 sigma P^(-1 / (4 + D)), at least `least`, and at most where all
    choices get the same, (c - 1) / c. Sigma is the standard deviation if different choices are at
    distance 1: sigma^2 is half the probability that two codes differ.

    Args:
        codes: int8 [K, P, D].
        num_choices: int [D], c.
        least: the smallest bandwidth.
    """
    share = categorical.one_hot(codes, num_choices.max()).mean(axis=1)  # [K, D, C]
    sigma = np.sqrt((1 - np.square(share).sum(axis=-1)).clip(0) / 2)
    width = 1.06 * sigma * codes.shape[1] ** (-1 / (4 + codes.shape[2]))
    return np.minimum(np.maximum(width, least), (num_choices - 1) / num_choices)


def density(
    samples: np.ndarray, codes: np.ndarray, widths: np.ndarray, num_choices: np.ndarray
) -> np.ndarray:
    """Returns the kernel density of samples, float32 [K, S].

    The mean over codes of the product over decisions of the kernel of Aitchison and Aitken (1976):
    1 - h where the choices are the same, h / (c - 1) where they are not.

    Args:
        samples: int8 [K, S, D].
        codes: int8 [K, P, D].
        widths: float64 [K, D], h.
        num_choices: int [D], c.
    """
    differs = np.log(widths / (num_choices - 1))
    gain = (np.log1p(-widths) - differs).astype(np.float32)
    most = num_choices.max()
    left = categorical.one_hot(samples, most) * gain[:, None, :, None]
    right = categorical.one_hot(codes, most).astype(np.float32)
    left, right = (array.reshape(*array.shape[:2], -1) for array in (left, right))
    exponent = left @ right.transpose(0, 2, 1)  # [K, S, P]
    exponent += differs.sum(axis=1).astype(np.float32)[:, None, None]
    return np.maximum(np.exp(exponent).mean(axis=2), _TINY)


def _worst_if_nan(accuracy: np.ndarray) -> np.ndarray:
    return np.where(np.isnan(accuracy), -np.inf, accuracy)


def _ascending(epochs: Sequence[int]) -> bool:
    return len(epochs) >= 2 and min(epochs) >= 1 and all(np.diff(epochs) > 0)
