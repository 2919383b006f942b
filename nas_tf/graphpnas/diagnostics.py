"""What the generators of a study drew, fit by fit, and what its explorers drew.

Shapes: F fits, R runs, A graphs drawn after a fit.
"""

import numpy as np

NOT_DRAWN = -2  # instead of the index of a sample


class Diagnostics:
    """What the generators of a study drew after every fit, F of them."""

    def __init__(self):
        self._seen: list[int] = []
        self._indices: list[np.ndarray] = []
        self._known: list[np.ndarray] = []
        self._fallback: list[tuple[int, int]] = []  # query, runs
        self._explored: list[tuple[int, ...]] = []  # as `arrays` says

    @classmethod
    def restored(cls, arrays: dict[str, np.ndarray]) -> "Diagnostics":
        """Takes up what `arrays` returned."""
        found = cls()
        found._seen = arrays["seen"].tolist()
        found._indices, found._known = list(arrays["indices"]), list(arrays["known"])
        found._fallback = [tuple(pair) for pair in arrays["fallback"].tolist()]
        found._explored = [tuple(row) for row in arrays["explored"].tolist()]
        return found

    def arrays(self) -> dict[str, np.ndarray]:
        """Returns everything.

        `seen` int64 [F]: queries before the fit. `indices` int32 [F, R, A]: in the pool; -1 is no
        cell of it, `NOT_DRAWN` that the run had ended. `known` bool [F, R, A]: queried before.
        `fallback` int64 [:, 2]: queries at which runs explored because nothing drawn would do, and
        how many runs. `explored` int64 [:, 4]: queries at which runs explored, how many graphs they
        drew, how many of these were new cells, and how many runs found none.
        """
        return {
            "seen": np.array(self._seen, np.int64),
            "indices": np.array(self._indices, np.int32),
            "known": np.array(self._known, bool),
            "fallback": np.array(self._fallback, np.int64).reshape(-1, 2),
            "explored": np.array(self._explored, np.int64).reshape(-1, 4),
        }

    def add(self, seen: int, indices: np.ndarray, known: np.ndarray) -> None:
        """Notes what was drawn: indices int [R, A], and bool [R, A]: the run has queried it.

        What a resumed search draws again after the same queries is noted already.
        """
        if seen in self._seen[-1:]:
            return
        self._seen.append(seen)
        self._indices.append(indices.astype(np.int32))
        self._known.append(known)

    def count(self, query: int, collapsed: np.ndarray) -> None:
        """Notes which runs, bool [R], found nothing new among what was drawn."""
        if collapsed.any():
            self._fallback.append((query, int(collapsed.sum())))

    def explored(self, query: int, new: np.ndarray) -> None:
        """Notes what runs drew from the explorer, bool [k, graphs]: which were new cells."""
        if new.size:
            lost = ~new.any(axis=1)
            self._explored.append((query, new.size, int(new.sum()), int(lost.sum())))

    def shares(self) -> dict[str, np.ndarray]:
        """Returns float64 [F, R] each: of what was drawn `valid`, a cell of the pool; `unique`,
        different cells among the valid; `new`, valid and not queried before. NaN is undefined.
        """
        if not self._seen:
            return {name: np.zeros((0, 0)) for name in ("valid", "unique", "new")}
        indices, known = np.stack(self._indices), np.stack(self._known)
        valid = indices >= 0
        ordered = np.sort(indices, axis=-1)
        first = np.diff(ordered, axis=-1, prepend=NOT_DRAWN) > 0
        different = (first & (ordered >= 0)).sum(axis=-1)
        drawn = (indices != NOT_DRAWN).all(axis=-1)
        count = valid.sum(axis=-1)
        unique = np.where(count > 0, different / np.maximum(count, 1), np.nan)
        return {
            "valid": np.where(drawn, valid.mean(axis=-1), np.nan),
            "unique": unique,
            "new": np.where(drawn, (valid & ~known).mean(axis=-1), np.nan),
        }

    def last(self) -> dict[str, float]:
        """Returns what to log of the last fit.

        These are the shares, means over runs; how often any run fell back; and the share of the
        explorer's graphs that were new cells.
        """
        explorer = {"explorer/acceptance": self.acceptance} if self._explored else {}
        if not self._seen:
            return explorer
        kept = Diagnostics()
        kept._seen, kept._indices = self._seen[-1:], self._indices[-1:]
        kept._known = self._known[-1:]
        shares = {
            f"generator/{name}": float(np.nanmean(value)) if np.isfinite(value).any() else 0.0
            for name, value in kept.shares().items()
        }
        return shares | explorer | {"generator/fallbacks": float(self.num_fallbacks)}

    @property
    def latest(self) -> tuple[int, np.ndarray] | None:
        """Queries before the last fit, and indices int32 [R, A] of what it drew; None before it."""
        return (self._seen[-1], self._indices[-1]) if self._seen else None

    @property
    def num_fallbacks(self) -> int:
        """Queries, of all runs together, that explored because nothing drawn would do."""
        return sum(runs for _, runs in self._fallback)

    @property
    def acceptance(self) -> float:
        """Share of the explorer's graphs, of all runs, that were new cells; NaN of none."""
        graphs, new = (sum(row[column] for row in self._explored) for column in (1, 2))
        return new / graphs if graphs else float("nan")

    @property
    def num_any_cell(self) -> int:
        """Queries, of all runs together, that took any cell, as the explorer drew no new one."""
        return sum(row[3] for row in self._explored)
