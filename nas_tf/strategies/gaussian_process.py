"""A Gaussian process over all cells, on features of the architecture: a strategy of our own."""

import dataclasses

from nas_tf import core
from nas_tf.config import Expected, at_least, setting
from nas_tf.core import ConfigError
from nas_tf.strategies.strategy import Needs, Strategy, StudySetup
from nas_tf.surrogates.acquisition import ACQUISITIONS
from nas_tf.surrogates.cell_features import GROUPS
from nas_tf.surrogates.cell_summaries import FOUR
from nas_tf.surrogates.gaussian_process import KINDS
from nas_tf.surrogates.hyperparameters import TARGETS

_BYTES = 1_200_000_000  # of what all runs that search side by side keep
_MOST_QUERIES = 500  # expected of a run whose number of queries is not limited


def _parse(features: str) -> dict[str, str]:
    """Returns kernels by groups of "summaries:linear,paths:matern"; empty where it is none."""
    pairs = [part.strip().split(":") for part in features.split(",")]
    known = all(len(pair) == 2 and pair[0] in GROUPS and pair[1] in KINDS for pair in pairs)
    kinds = dict(pairs) if known else {}
    return kinds if len(kinds) == len(pairs) else {}


_FEATURES = Expected(
    f"GROUP:KERNEL separated by commas, groups of {', '.join(GROUPS)}, each once, and kernels of "
    f"{', '.join(KINDS)}",
    lambda value: bool(_parse(value)),
)


@dataclasses.dataclass(frozen=True)
class GaussianProcess(Strategy):
    """Gaussian process."""

    name = "gaussian_process"
    title = "Gaussian process"
    needs = Needs(pool=False)

    gp_initial: int = setting(3, "Random cells before the first prediction.", at_least(1))
    gp_round: int = setting(1, "Cells queried between two predictions.", at_least(1))
    gp_features: str | None = setting(
        None,
        "Groups of features and their kernels; none is summaries:linear,paths:matern,"
        "positions:matern, and summaries:linear,neighbourhoods:matern where cells cannot be listed.",
        _FEATURES,
    )
    gp_summaries: str = setting(
        "all", "Which numbers sum a cell up: its size and its paths' lengths, or all.",
        ("all", "four"),
    )
    gp_second_looks: bool = setting(
        True,
        "A cell that has become the best observed is measured once more, where a table shows one of "
        "several trainings.",
    )
    gp_target: str = setting(
        "ranks", "What is learned: normal scores of ranks, or accuracies as they are.", tuple(TARGETS)
    )
    gp_acquisition: str = setting(
        "expected_improvement", "What is highest at the next query.", ACQUISITIONS
    )
    gp_candidates: int | None = setting(
        None, "Random cells that a query is chosen from; none is the whole pool.", at_least(1)
    )
    gp_edits: int = setting(
        200, "Where cells cannot be listed: candidates that are edits of the best.", at_least(0)
    )
    gp_random: int = setting(
        100, "Where cells cannot be listed: candidates that are random.", at_least(1)
    )

    def num_random(self) -> tuple[str, int]:
        """See `Strategy.num_random`."""
        return "gp_initial", self.gp_initial

    def runs_at_once(self, study: StudySetup) -> int | None:
        """See `Strategy.runs_at_once`: a run keeps a number a query and cell."""
        if study.cells is None:
            return None
        queries = study.num_queries or _MOST_QUERIES
        return max(2, _BYTES // (4 * queries * len(study.cells)))

    def build(self, study: StudySetup) -> core.Strategy:
        """See `Strategy.build`."""
        believed = {
            "seeds": study.seeds,
            "num_initial": self.gp_initial,
            "round_size": self.gp_round,
            "kinds": None if self.gp_features is None else _parse(self.gp_features),
            "summaries": FOUR if self.gp_summaries == "four" else None,
            "target": self.gp_target,
            "acquisition_name": self.gp_acquisition,
        }
        if study.cells is None:
            return self._open(study, believed)
        from nas_tf.baselines.gaussian_process import GaussianProcessSearch

        return GaussianProcessSearch(
            study.cells,
            study.space,
            num_candidates=self.gp_candidates,
            num_queries=study.num_queries,
            second_looks=self.gp_second_looks and study.measures_again,
            **believed,
        )

    def _open(self, study: StudySetup, believed: dict) -> core.Strategy:
        """Returns the searcher for a space that cannot be listed."""
        from nas_tf.baselines.gaussian_process_open import OpenGaussianProcess

        if not study.space.has("mutate"):
            raise ConfigError(f"{self.title} needs mutate(), which {study.space.title} lacks")
        return OpenGaussianProcess(
            study.space, num_edits=self.gp_edits, num_random=self.gp_random, **believed
        )
