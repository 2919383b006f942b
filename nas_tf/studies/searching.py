"""A search: what is checked before it, how it runs, and what it leaves.

`nas_tf.search` and `--job=search` are the same code: the job reads its arguments from flags.

Shapes: R runs, Q queries, M cells of a pool.
"""

import dataclasses
import json
import pathlib
import time
from collections.abc import Callable, Sequence

from nas_tf import core, search_loop
from nas_tf.analysis.summary import StudyDescription, reported_validation, search_summary
from nas_tf.analysis.tensorboard import TensorBoardLogger, cell_labels, write_projector
from nas_tf.benchmarks.benchmark import Benchmark
from nas_tf.config import Component, changed_lines, deciding_values
from nas_tf.core import ConfigError
from nas_tf.evaluators.budget import Budget
from nas_tf.graphs import KEYS_VERSION
from nas_tf.strategies.strategy import Searched, Strategy, StudySetup, check_needs
from nas_tf.studies.directories import finished_summary, held, output_directory
from nas_tf.studies.encoder import Encoder
from nas_tf.studies.notes import study_notes
from nas_tf.studies.run_blocks import RunBlocks
from nas_tf.studies.settings import SearchSettings
from nas_tf.studies.study import Study
from nas_tf.training.distribution import make_distribution


@dataclasses.dataclass(frozen=True, kw_only=True)
class Execution:
    """Where and how a search runs; none of it decides what comes out.

    Attributes:
        directory: where results, checkpoints and events go; None keeps nothing on disk.
        distribution: "none", "mirrored", "multi_worker" or "tpu".
        checkpoint_sec: least seconds between two checkpoints.
        progress: show a bar.

    Raises:
        ConfigError: the seconds are negative.
    """

    directory: pathlib.Path | None = None
    distribution: str = "none"
    checkpoint_sec: float = 30.0
    progress: bool = True

    def __post_init__(self):
        if not self.checkpoint_sec >= 0:
            raise ConfigError(f"checkpoint_sec={self.checkpoint_sec}: expected at least 0")


def search(
    benchmark: Benchmark,
    strategy: Strategy,
    *,
    encoder: Encoder | None = None,
    num_runs: int = 500,
    num_queries: int | None = 150,
    cost_budget_sec: float | None = None,
    seed: int = 0,
    output_dir: str | pathlib.Path | None = None,
    distribution: str = "none",
    checkpoint_sec: float = 30.0,
    progress: bool = True,
) -> Study:
    """Searches for good architectures, in many runs at once.

        study = nas_tf.search(nas_tf.benchmarks.digits(), nas_tf.RandomSearch(), num_runs=500)

    With an output directory the results are saved there, and the same call goes on where it was
    killed or returns what it had finished. A directory that holds other work is refused.

    Args:
        benchmark: measures cells.
        strategy: a recipe, such as `nas_tf.LocalSearch()`.
        encoder: of `nas_tf.pretrain`, for a strategy that searches in an embedding.
        num_runs: R independent runs; run r has the seed `seed` + r.
        num_queries: Q, cells that a run may query; None leaves it to the cost.
        cost_budget_sec: training seconds that a run may spend.
        seed: of the study.
        output_dir: where results go; None keeps nothing on disk.
        distribution: "none", "mirrored", "multi_worker" or "tpu".
        checkpoint_sec: least seconds between two checkpoints.
        progress: show a bar.

    Raises:
        ConfigError: settings, strategy and benchmark do not go together.
    """
    settings = SearchSettings(seed, num_runs, num_queries, cost_budget_sec)
    directory = output_directory(output_dir)
    planned = plan(
        benchmark,
        strategy,
        settings,
        Execution(
            directory=directory,
            distribution=distribution,
            checkpoint_sec=checkpoint_sec,
            progress=progress,
        ),
    )
    if directory is None:
        return planned.run(encoder)
    with held(directory):
        return planned.finished(encoder) or planned.run(encoder)


def plan(
    benchmark: Benchmark, strategy: Strategy, settings: SearchSettings, execution: Execution
) -> "PlannedSearch":
    """Checks all that can be checked before compute is spent; see `search`.

    Raises:
        ConfigError: settings, strategy and benchmark do not go together.
    """
    if not isinstance(benchmark, Benchmark):
        raise ConfigError(
            f"benchmark={benchmark!r}: expected one such as nas_tf.benchmarks.digits()"
        )
    if not isinstance(strategy, Strategy):
        raise ConfigError(
            f"strategy={strategy!r}: expected a recipe such as nas_tf.RandomSearch()"
        )
    benchmark = benchmark.for_strategy(strategy.needs.several_epochs)
    check_needs(strategy, benchmark.space, benchmark.cells is not None)
    budget = settings.budget()
    limited = benchmark.limited(budget)
    strategy.check(budget, benchmark.epochs)
    planned = PlannedSearch(benchmark, strategy, settings, execution, limited)
    if strategy.needs.embedding:
        return planned
    return dataclasses.replace(planned, searcher=planned.build(None))  # it tells what it refuses


@dataclasses.dataclass(frozen=True)
class PlannedSearch:
    """A search that was found possible, to be run once.

    Attributes:
        benchmark: as the strategy needs it.
        strategy: its recipe.
        settings: of the study.
        execution: where and how it runs.
        budget: of every run.
        searcher: fresh; None where an embedding comes first.
    """

    benchmark: Benchmark
    strategy: Strategy
    settings: SearchSettings
    execution: Execution
    budget: Budget
    searcher: core.Strategy | None = None

    @property
    def strategy_name(self) -> str:
        """The word of the strategy; the name of its class where it has none."""
        return self.strategy.name or type(self.strategy).__name__

    def build(self, embedding) -> core.Strategy:
        """Returns a fresh searcher; `embedding` is that of the pool, None without one."""
        return self.strategy.build(self._setup(self.settings.seeds, embedding))

    def _setup(self, seeds: Sequence[int], embedding) -> StudySetup:
        """Returns what a searcher of some of the runs is built for."""
        distribution = make_distribution(self.execution.distribution)
        alone = distribution.num_replicas_in_sync == 1
        return StudySetup(
            space=self.benchmark.space,
            cells=self.benchmark.cells,
            seeds=seeds,
            epochs=self.benchmark.epochs,
            num_queries=self.settings.num_queries,
            measures_again=self.benchmark.measures_again,
            embedding=embedding,
            devices=() if alone else distribution.extended.worker_devices,
        )

    def finished(self, encoder: Encoder | None) -> Study | None:
        """Returns the study that the directory holds; None where it holds none.

        Raises:
            ConfigError: it holds other work.
        """
        directory = self.execution.directory
        summary = finished_summary(directory)
        if summary is None:
            return None
        defaults = deciding_values(type(self.settings)(), type(self.strategy)())
        found = {**summary, "settings": defaults | summary.get("settings", {})}
        expected = {
            "job": "search",
            "strategy": self.strategy_name,
            "table_checksum": self.benchmark.table_checksum,
            "settings": deciding_values(self.settings, self.strategy),
            "model": None if encoder is None else encoder.description(),
        }
        for name, value in json.loads(json.dumps(expected)).items():
            if found.get(name) != value:
                raise ConfigError(
                    f"output_dir={directory}: holds a finished job with another {name}; choose "
                    "another directory"
                )
        return Study.load(directory)

    def run(
        self,
        encoder: Encoder | None = None,
        *,
        components: Sequence[Component] = (),
        wall_sec: Callable[[], float] | None = None,
    ) -> Study:
        """Searches, and saves what comes out where a directory is given.

        Args:
            encoder: for a strategy that searches in an embedding.
            components: whatever has settings that the result depends on; those of the study and of
                the strategy when empty.
            wall_sec: tells the seconds since all began; since now when None.

        Raises:
            ConfigError: the encoder is missing, or not used.
        """
        begun = time.monotonic()
        wall_sec = wall_sec or (lambda: time.monotonic() - begun)
        self._check_encoder(encoder)
        deciding = tuple(components) or (self.settings, self.strategy)
        if self.execution.directory is None:
            return self._run(encoder, deciding, wall_sec, None)
        with TensorBoardLogger(self.execution.directory / "tensorboard") as log:
            log.settings(deciding_values(*deciding))
            return self._run(encoder, deciding, wall_sec, log)

    def _check_encoder(self, encoder: Encoder | None) -> None:
        title = self.strategy.title
        if self.strategy.needs.embedding and encoder is None:
            raise ConfigError(
                f"{title} searches in an embedding: pass encoder=nas_tf.pretrain(benchmark.space)"
            )
        if encoder is not None and not self.strategy.needs.embedding:
            raise ConfigError(f"encoder={encoder}: {title} uses no pre-trained model")
        if encoder is not None and encoder.space.op_names != self.benchmark.space.op_names:
            raise ConfigError(
                f"encoder={encoder}: made for another space than {self.benchmark.space.title}"
            )

    def _run(self, encoder, deciding, wall_sec, log: TensorBoardLogger | None) -> Study:
        benchmark, directory = self.benchmark, self.execution.directory
        inputs = {
            "table": benchmark.checksum,
            "keys_version": KEYS_VERSION,
            "recipe": self.strategy_name,
        }
        embedding = None
        if encoder is not None:
            embedding = encoder.embed(benchmark.cells)
            inputs |= encoder.source(benchmark.cells)
            if directory is not None:
                self._write_map(embedding, directory)
        searcher = self.searcher or self.build(embedding)
        result = self._search(searcher, embedding, deciding, inputs, log)
        study = self._study(encoder, deciding, result, wall_sec)
        if directory is not None:
            self._leave(searcher, study, log)
            study.save(directory)
        return study

    def _search(self, searcher, embedding, deciding, inputs, log) -> search_loop.SearchResult:
        directory = self.execution.directory
        watchers, checkpoint = [], None
        if directory is not None:
            watchers = self.strategy.watchers(searcher, self.benchmark, log)
            defaults = deciding_values(*(type(component)() for component in deciding))
            checkpoint = search_loop.Checkpoint(
                directory / "checkpoints" / "search.npz",
                deciding_values(*deciding) | inputs,
                self.execution.checkpoint_sec,
                defaults=defaults,
            )
        size = self.strategy.runs_at_once(self._setup(self.settings.seeds, embedding))
        if size is not None and size < self.settings.num_runs:
            blocks = RunBlocks(
                lambda seeds: self.strategy.build(self._setup(seeds, embedding)),
                self.benchmark.evaluator,
                self.settings.seeds,
                size,
            )
            return blocks.search(
                self.budget, checkpoint=checkpoint, logger=log, progress=self.execution.progress
            )
        return search_loop.run_search(
            searcher,
            self.benchmark.evaluator(self.settings.seeds),
            self.budget,
            num_runs=self.settings.num_runs,
            checkpoint=checkpoint,
            logger=log,
            callbacks=watchers,
            progress=self.execution.progress,
        )

    def _write_map(self, embedding, directory: pathlib.Path) -> None:
        """Leaves the embedding of the pool for TensorBoard's projector."""
        benchmark = self.benchmark
        metadata = cell_labels(benchmark.space.op_names, benchmark.cells)
        if benchmark.validation_accuracy is not None:
            metadata |= {"validation accuracy": benchmark.validation_accuracy}
        write_projector(
            directory / "tensorboard", embedding, metadata=metadata, seed=self.settings.seed
        )

    def _leave(self, searcher: core.Strategy, study: Study, log: TensorBoardLogger) -> None:
        """Lets the strategy write what it leaves beside a search."""
        lines = self.strategy.leave(
            Searched(
                searcher=searcher,
                history=study.history,
                measured=self.benchmark,
                space=self.benchmark.space,
                title=study.notes.title,
                seed=self.settings.seed,
                directory=self.execution.directory,
                log=log,
            )
        )
        study.remarks.extend(lines)

    def _study(self, encoder, deciding, result, wall_sec) -> Study:
        benchmark, history = self.benchmark, result.history
        model = None if encoder is None else encoder.description()
        description = StudyDescription(
            space=benchmark.space.name,
            table=benchmark.name,
            table_path=benchmark.path,
            table_num_cells=0 if benchmark.cells is None else len(benchmark.cells),
            table_checksum=benchmark.table_checksum,
            space_num_cells=benchmark.space_num_cells,
            measures_again=benchmark.measures_again,
            dataset=benchmark.dataset,
            strategy=self.strategy_name,
            seed=self.settings.seed,
            query_budget=self.settings.num_queries,
            cost_budget_sec=self.settings.cost_budget_sec,
            validation=benchmark.validation,
            epochs=list(
                benchmark.epochs if self.strategy.needs.several_epochs else benchmark.epochs[-1:]
            ),
            search_epochs=benchmark.epochs[-1],
            report_epochs=benchmark.report_epochs,
            protocol=benchmark.protocol,
            model=model,
            settings=deciding_values(*deciding),
            changed_settings=changed_lines(*deciding),
        )
        summary = search_summary(
            description,
            history,
            best_test_accuracy=benchmark.best_test_accuracy,
            best_validation_accuracy=benchmark.best_validation_accuracy,
            wall_sec=wall_sec(),
        )
        summary["search_sec"] = result.search_sec
        summary["titles"] = {
            "space": benchmark.space.title,
            "strategy": self.strategy.title or type(self.strategy).__name__,
        }
        summary["op_names"] = list(benchmark.space.op_names)
        summary["op_labels"] = list(benchmark.space.op_labels)
        if benchmark.reported_validation_accuracy is not None:
            summary["incumbent"] |= reported_validation(
                history, benchmark.cells, benchmark.reported_validation_accuracy
            )
        return Study(
            history,
            summary,
            cells=benchmark.cells,
            space=benchmark.space,
            notes=study_notes(
                summary,
                published=self.strategy.published,
                is_random=self.strategy.is_random,
                quality=None if encoder is None else encoder.quality,
            ),
        )
