"""REINFORCE over categorical decisions: a cell is drawn, and its choices become likelier or not.

The baseline of the NAS-Bench-101 study (Ying et al., 2019, arXiv:1902.09635, section 4) and of
NAS-Bench-201 (Dong and Yang, 2020, arXiv:2001.00326, section 5). Every decision has a categorical
distribution of its own (`categorical`). After each query, with reward r, the validation accuracy
(Williams, 1992):

    b <- exponential moving average of r, this one included, corrected for its start at 0
    logits <- logits + optimizer((r - b) * gradient of log p(choices))

Released settings, which differ:
- NAS-Bench-101 (github.com/automl/nas_benchmarks, `run_rl.py`): plain gradient ascent, learning
  rate 0.1, momentum of the average 0.9. These are the defaults.
- NAS-Bench-201 (github.com/D-X-Y/AutoDL-Projects, `REINFORCE.sh`): Adam, learning rate 0.001,
  momentum 0.9; NATS-Bench (arXiv:2009.00437) has 0.01. Logits begin at noise of 0.001, and rewards
  are in per cent, which Adam does not see; here logits begin at 0 and rewards are in [0, 1].

What they leave open:
- The released code queries a cell again whenever it is drawn; here a code of a queried cell is
  drawn again, as NAS-Bench-101's code does with invalid ones.
- The code learned from is the one drawn, dead parts of its graph included. A cell that was not
  drawn, because no new one turned up (`categorical.MAX_CODES`), teaches nothing, nor does an
  infeasible one.

Shapes: R runs, D decisions, C choices of the decision with the most, K runs that made a query.
"""

from collections.abc import Sequence

import numpy as np

from nas_tf import core
from nas_tf.baselines import categorical
from nas_tf.graphs import CellGraphs
from nas_tf.spaces.decisions import Decisions
from nas_tf.spaces.space import SearchSpace


_BETA_1, _BETA_2, _EPSILON = 0.9, 0.999, 1e-8  # of Adam, Kingma and Ba (2015), arXiv:1412.6980


class CategoricalReinforce(categorical.CategoricalSearch):
    """Strategy that draws every decision on its own and reinforces what was accurate.

    Cells that are out are not drawn again; it learns from every answer when it comes, and waits for
    none.

    The recipe (`strategies.categorical_reinforce`) checks the ranges of settings.
    """

    def __init__(
        self,
        cells: CellGraphs | None,
        encoding: Decisions,
        *,
        seeds: Sequence[int],
        space: SearchSpace | None = None,
        learning_rate: float = 0.1,
        baseline_momentum: float = 0.9,
        optimizer: str = "sgd",
    ):
        """Makes R uniform distributions.

        Args:
            cells: the pool [M]; None is all of the space, enumerated or not.
            encoding: of its cells.
            seeds: R non-negative seeds. Nothing else of a run is random.
            space: draws cells where there is no pool and no code will do.
            learning_rate: of the logits.
            baseline_momentum: of the moving average of the rewards, from 0 to below 1.
            optimizer: "sgd" is plain gradient ascent, "adam" is Adam.

        Raises:
            core.ConfigError: seeds are negative or missing.
            ValueError: the pool is empty.
        """
        self._rate, self._momentum = learning_rate, baseline_momentum
        self._step = {"sgd": self._ascend, "adam": self._adam}[optimizer]
        stream = core.Stream.CATEGORICAL_REINFORCE
        super().__init__(cells, encoding, seeds=seeds, stream=stream, space=space)

    def _clear(self) -> None:
        super()._clear()
        runs = len(self._seeds)
        self._logits = np.zeros((runs, *self._allowed.shape))
        self._mu, self._nu = np.zeros_like(self._logits), np.zeros_like(self._logits)
        self._num_steps = np.zeros(runs, np.int64)
        self._rewards = np.zeros(runs)  # moving average that began at 0
        self._weight = np.zeros(runs)  # that of as many ones

    def _propose_coded(self, uniform: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        runs = np.arange(len(self._seeds))
        return self._draw_new(runs, self._probabilities(runs), uniform)

    def _probabilities(self, runs: np.ndarray) -> np.ndarray:
        """Returns float64 [K, D, C] of the choices; 0 where a decision has fewer than C."""
        logits = np.where(self._allowed, self._logits[runs], -np.inf)
        weights = np.exp(logits - logits.max(axis=-1, keepdims=True))
        return weights / weights.sum(axis=-1, keepdims=True)

    def _learn(
        self, number: int, runs: np.ndarray, cells: np.ndarray, accuracy: np.ndarray
    ) -> None:
        codes = self._codes[number]
        learns = ~np.isnan(accuracy) & (codes[runs, 0] >= 0)
        runs, reward = runs[learns], accuracy[learns]
        for average, value in ((self._rewards, reward), (self._weight, 1.0)):
            average[runs] = self._momentum * average[runs] + (1 - self._momentum) * value
        advantage = reward - self._rewards[runs] / self._weight[runs]
        chosen = categorical.one_hot(codes[runs], self._allowed.shape[1])
        score = chosen - self._probabilities(runs)  # gradient of log p by the logits
        self._num_steps[runs] += 1
        self._logits[runs] += self._rate * self._step(runs, advantage[:, None, None] * score)

    def _ascend(self, unused_runs: np.ndarray, gradient: np.ndarray) -> np.ndarray:
        return gradient

    def _adam(self, runs: np.ndarray, gradient: np.ndarray) -> np.ndarray:
        """Returns Adam's step float64 [K, D, C] for a gradient, at learning rate 1."""
        mu = _BETA_1 * self._mu[runs] + (1 - _BETA_1) * gradient
        nu = _BETA_2 * self._nu[runs] + (1 - _BETA_2) * np.square(gradient)
        self._mu[runs], self._nu[runs] = mu, nu
        steps = self._num_steps[runs][:, None, None]
        scale = np.sqrt(nu / (1 - _BETA_2**steps))
        return mu / (1 - _BETA_1**steps) / (scale + _EPSILON)
