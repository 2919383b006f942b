"""What a generator learns from: the best cells of a run, and what their rewards count for.

GraphPNAS (Li et al., 2022, arXiv:2211.15155), section 3.3 and appendix F. The buffer keeps the most
accurate of a run's cells, each once: a number of them, or a share that shrinks over the search.
Rewards are standardised over the buffer, R' = (R - mean) / sigma; three objectives are built on
them (`OBJECTIVES`):

* "reweighted", equation 12: log P above the mean, beta log(1 - P) below it. The paper puts this in
  the place of log P in equation 11, whose factor R' then stays, as its size |R'| (`reward_size`);
  without it all cells above the mean count alike;
* "reinforce", equation 11: R' log P;
* "rank", the released code: log P weighted by the share of the buffer that is not better
  (the empirical distribution function of the rewards).

Shapes: Q queries of a run, G cells of the buffer.
"""

import numpy as np

from nas_tf.core import NasError

OBJECTIVES = ("reweighted", "reinforce", "rank")


def buffer_size(queries: int, *, keep_top: int | None, shares: tuple[float, float], total: int
                ) -> int:
    """Returns G, how many of a run's cells are kept.

    Args:
        queries: made so far, Q, at least 1.
        keep_top: a fixed number, or None for a share.
        shares: share kept at the first and at the last query; in between it falls linearly.
        total: queries of the whole search.
    """
    if keep_top is not None:
        return min(queries, keep_top)
    progress = min(queries / max(total, 1), 1.0)
    share = shares[0] + (shares[1] - shares[0]) * progress
    return max(1, min(queries, round(share * queries)))


def best_cells(accuracy: np.ndarray, count: int) -> np.ndarray:
    """Returns the indices of the `count` most accurate of float64 [Q], best first, int64 [<= G].

    Infeasible cells (NaN) are left out; of equals, the first queried come first.
    """
    order = np.argsort(-np.where(np.isnan(accuracy), -np.inf, accuracy), kind="stable")
    return order[np.isfinite(accuracy[order])][:count]


def coefficients(
    rewards: np.ndarray, objective: str, beta: float, *, reward_size: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Returns what the log-probabilities of a buffer's graphs count for.

    Args:
        rewards: float64 [G], at least one.
        objective: one of `OBJECTIVES`.
        beta: weight of log(1 - P) in "reweighted".
        reward_size: multiply both coefficients of "reweighted" by |R'|.

    Returns:
        float32 [G] for log P and float32 [G] for log(1 - P). Where all rewards are equal (sigma is
        0), as in a buffer of one, every cell is as good as the mean and all are learned from.

    Raises:
        NasError: a reward is not finite.
    """
    if not np.isfinite(rewards).all():
        raise NasError(f"rewards {rewards[~np.isfinite(rewards)]}: expected finite accuracies")
    if objective == "rank":
        not_better = (rewards[:, None] >= rewards).mean(axis=1)
        return not_better.astype(np.float32), np.zeros(len(rewards), np.float32)
    spread = rewards.std()
    if not spread > 1e-12 * np.abs(rewards).max():
        return np.ones(len(rewards), np.float32), np.zeros(len(rewards), np.float32)
    standardized = ((rewards - rewards.mean()) / spread).astype(np.float32)
    if objective == "reinforce":
        return standardized, np.zeros_like(standardized)
    good = standardized > 0
    size = np.abs(standardized) if reward_size else np.ones_like(standardized)
    return size * good, np.float32(beta) * size * ~good
