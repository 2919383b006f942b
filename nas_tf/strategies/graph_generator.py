"""What searches with a generator of graphs share (GraphPNAS and its recurrent baseline).

Li et al., 2022, arXiv:2211.15155, section 3.3 and appendix F.
"""

import dataclasses

import numpy as np

from nas_tf import core
from nas_tf.config import SHARE, Expected, above, at_least, setting, within
from nas_tf.core import ConfigError
from nas_tf.evaluators.budget import Budget
from nas_tf.graphs import find
from nas_tf.pools.pool import each_once
from nas_tf.strategies.strategy import Needs, Searched, Strategy, StudySetup

_PART = Expected("a share above 0, up to 1", lambda value: 0 < value <= 1)


@dataclasses.dataclass(frozen=True)
class GraphGeneratorSearch(Strategy):
    """Base of searches with a generator of graphs."""

    needs = Needs(pool=False, abilities=("graph_form",))

    generator_hidden: int = setting(24, "Hidden units of the generator's networks.", at_least(1))
    generator_epochs: int = setting(10, "Passes over the replay buffer in every fit.", at_least(1))
    generator_batch_size: int = setting(2, "Graphs of a gradient step.", at_least(1))
    generator_learning_rate: float = setting(
        1e-3, "Adam's learning rate of the generator.", above(0)
    )
    generator_clip_norm: float | None = setting(
        1.0, "Bound on the norm of a run's gradient; 'none' is no bound.", above(0)
    )
    generator_period: int = setting(5, "Queries between two fits.", at_least(1))
    generator_samples: int = setting(
        200,
        "Graphs drawn after a fit; a query takes the first that is new, or explores.",
        at_least(1),
    )
    generator_temperature: float = setting(
        2.0,
        "Of the second half of the graphs drawn, which are looked at where the first are all known: "
        "logits are divided by it, and then by its square. 1 is the released code.",
        within(1, 8, "a number from 1 to 8"),
    )
    generator_restart: bool = setting(
        False, "Begin every fit with new weights, as the released code does."
    )
    generator_block: int = setting(
        5,
        "Runs that one program fits: 1 and 5 suit processors, more suit accelerators.",
        at_least(1),
    )
    generator_jit_compile: bool = setting(
        True, "Compile the generator with XLA.", former="jit_compile"
    )
    objective: str = setting(
        "reweighted",
        "What rewards count for: equation 12, plain REINFORCE (equation 11), or the rank in the "
        "buffer (the released code).",
        ("reweighted", "reinforce", "rank"),
    )
    negative_weight: float = setting(
        0.1,
        "Beta of equation 12: weight of the cells that are worse than the buffer's mean.",
        at_least(0),
    )
    reward_size: bool = setting(
        False,
        "Count a cell in equation 12 by the size of its standardised reward (the paper, from "
        "equation 11), not all of them alike.",
    )
    negative_form: str = setting(
        "graph",
        "Of what 1 - P is in equation 12: of whole graphs, whose P is so small that beta hardly "
        "matters, or of the mean decision (the released code).",
        ("graph", "decision"),
    )
    keep_top: int | None = setting(
        30,
        "Most accurate cells of a run that are learned from; 'none' keeps a share of all.",
        Expected("at least 2 (of one, rewards have no spread)", lambda value: value >= 2),
    )
    keep_first_share: float = setting(
        0.3, "Share of its cells a run keeps at the beginning.", _PART
    )
    keep_last_share: float = setting(0.1, "Share of its cells a run keeps in the end.", _PART)
    explorer: str = setting(
        "erdos_renyi", "Random graphs to explore with.", ("erdos_renyi", "watts_strogatz")
    )
    explorer_probability: float = setting(
        0.25, "Of an edge (Erdős-Rényi), or of moving one (Watts-Strogatz).", SHARE
    )
    explorer_neighbours: int = setting(4, "Of a node in Watts-Strogatz' ring; even.")
    explorer_most_probability: float | None = setting(
        None,
        "Draw the probability of every random graph evenly, from --explorer_probability up to "
        "this; 'none' is always --explorer_probability.",
        SHARE,
    )
    explorer_most_neighbours: int | None = setting(
        None,
        "Draw the neighbours of every ring evenly, from --explorer_neighbours up to this, even; "
        "'none' is always --explorer_neighbours.",
    )
    explorer_least_nodes: int | None = setting(
        None,
        "Draw the nodes of every random graph evenly, from so many up to all (the released code: "
        "3); 'none' is always all.",
        at_least(2),
    )
    explorer_keep_dead: bool = setting(
        True,
        "Keep random graphs with nodes that lie on no path from the first to the last; the "
        "released code draws others.",
    )
    explore_schedule: str = setting(
        "linear",
        "How the share of random cells falls: evenly, or at once after --explore_queries (the "
        "released code).",
        ("linear", "step"),
    )
    explore_start: float = setting(1.0, "Share of random cells at the first query.", SHARE)
    explore_end: float = setting(0.0, "Share of random cells after --explore_queries.", SHARE)
    explore_queries: int = setting(
        30, "Queries until the share of random cells has fallen.", at_least(1)
    )

    def network(self, description):
        """Returns the generator of the graphs that a space describes."""
        raise NotImplementedError

    def num_random(self) -> tuple[str, int]:
        """See `Strategy.num_random`."""
        return "generator_period", self.generator_period

    def check(self, budget: Budget, epochs: tuple[int, ...]) -> None:
        """See `Strategy.check`."""
        super().check(budget, epochs)
        always = self.explore_schedule == "step" and self.explore_start == 1
        queries = budget.num_queries
        if always and queries is not None and queries <= self.explore_queries:
            raise ConfigError(
                f"num_queries={queries}: all would be random, explore_queries="
                f"{self.explore_queries}"
            )

    def build(self, study: StudySetup) -> core.Strategy:
        """See `Strategy.build`."""
        from nas_tf.graphpnas.search import GraphSearch

        return self.build_as(GraphSearch, study)

    def build_as(self, made, study: StudySetup) -> core.Strategy:
        """Returns a searcher of a class that is made as `graphpnas.search.GraphSearch` is."""
        from nas_tf.graphpnas.explorer import Exploration

        form = study.space.graph_form(study.cells)
        generator = self.network(form.description)
        return made(
            study.cells,
            form,
            generator,
            space=study.space,
            seeds=study.seeds,
            learning=self._learning(study),
            explorer=self._explorer(form.description),
            exploration=Exploration(
                self.explore_schedule,
                self.explore_start,
                self.explore_end,
                self.explore_queries,
            ),
            run_block=self.generator_block,
            jit_compile=self.generator_jit_compile,
            devices=study.devices,
        )

    def _explorer(self, description):
        from nas_tf.graphpnas.explorer import Explorer

        try:
            return Explorer(
                description,
                self.explorer,
                self.explorer_probability,
                self.explorer_neighbours,
                most_probability=self.explorer_most_probability,
                most_neighbours=self.explorer_most_neighbours,
                least_nodes=self.explorer_least_nodes,
                keep_dead=self.explorer_keep_dead,
            )
        except ConfigError as error:  # of what graphs of this size do not have
            raise ConfigError(f"explorer_{error}") from None

    def _learning(self, study: StudySetup):
        from nas_tf.graphpnas.learning import Learning

        total = study.num_queries
        if total is None:
            total = len(each_once(study.cells)[0])
        return Learning(
            objective=self.objective,
            beta=self.negative_weight,
            reward_size=self.reward_size,
            per_decision=self.negative_form == "decision",
            keep_top=self.keep_top,
            shares=(self.keep_first_share, self.keep_last_share),
            total_queries=total,
            epochs=self.generator_epochs,
            batch_size=self.generator_batch_size,
            learning_rate=self.generator_learning_rate,
            clip_norm=self.generator_clip_norm,
            period=self.generator_period,
            num_samples=self.generator_samples,
            temperature=self.generator_temperature,
            restart=self.generator_restart,
        )

    def watchers(self, searcher, measured, log) -> list:
        """See `Strategy.watchers`: TensorBoard gets how accurate the samples are."""
        from nas_tf.reports.generator_page import samples_watcher

        if measured.validation_accuracy is None:  # nobody knows how good a sample is
            return []
        return [samples_watcher(searcher, _accuracy(searcher, measured), log)]

    def leave(self, search: Searched) -> list[str]:
        """See `Strategy.leave`: the generators' page, and that of the best run as a file."""
        from nas_tf.graphpnas.learned import learned
        from nas_tf.reports.generator_page import write_best_generator, write_generator_page

        lines, searcher, history = [], search.searcher, search.history
        if search.measured.validation_accuracy is not None:
            found = learned(
                searcher.diagnostics,
                num_runs=len(history.key),
                accuracy=_accuracy(searcher, search.measured),
                edges=searcher.form.graphs(searcher.cells)[0] > 0,
                seed=search.seed,
            )
            page, figures = write_generator_page(
                search.directory,
                found,
                title=search.title,
                label=self.title,
                dataset=search.measured.dataset,
            )
            for path in figures:
                search.log.image(history.key.shape[1], f"generator/{path.stem}", path)
            lines.append(f"generator: {page}")
        return lines + write_best_generator(search.directory, searcher, history, search.space.name)


def _accuracy(searcher, measured) -> np.ndarray:
    """Returns the validation accuracy of the searcher's pool, float64 [M]."""
    index, _ = find(searcher.cells.keys, measured.cells.keys)
    return np.asarray(measured.validation_accuracy)[index]
