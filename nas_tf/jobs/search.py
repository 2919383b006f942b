"""`--job=search`: pre-trains (or takes a model) where a strategy needs it, searches, and reports."""

import dataclasses
from typing import Any

from nas_tf.benchmarks import registry as benchmarks
from nas_tf.benchmarks.benchmark import Benchmark, BenchmarkRecipe
from nas_tf.jobs.autoencoder import cells_to_see, given_encoder, pretrained_encoder, print_quality
from nas_tf.jobs.job import (
    BenchmarkChoice, Devices, GivenModel, Job, SpaceChoice, StrategyChoice, read_benchmark,
    read_model, read_space, read_strategy,
)
from nas_tf.jobs.output import Output
from nas_tf.jobs.reading import Reader
from nas_tf.reports.wording import (
    count, dataset_name, is_missing, percent, plus_minus, trained_for,
)
from nas_tf.spaces.space import SearchSpace
from nas_tf.strategies.registry import STRATEGIES
from nas_tf.strategies.strategy import Strategy
from nas_tf.studies.pretraining import Pretraining
from nas_tf.studies.settings import SearchSettings


@dataclasses.dataclass(frozen=True, kw_only=True)
class SearchJob(Job):
    """A search, and its report."""

    name = "search"
    components = (
        SpaceChoice, BenchmarkChoice, *benchmarks.COMPONENTS, StrategyChoice, SearchSettings, Devices,
        GivenModel, Pretraining, *STRATEGIES,
    )

    space: SearchSpace
    benchmark: BenchmarkRecipe
    strategy: Strategy
    settings: SearchSettings
    devices: Devices
    given: GivenModel | None
    pretraining: Pretraining | None
    pooling: str | None

    @classmethod
    def of(cls, reader: Reader) -> "SearchJob":
        """See `Job.of`."""
        space, strategy = read_space(reader), read_strategy(reader)
        given = pretraining = pooling = None
        if strategy.needs.embedding:
            given, pretraining, pooling = read_model(reader)
        job = cls(
            space=space,
            benchmark=read_benchmark(reader, space, cls.name),
            strategy=strategy,
            settings=reader.read(SearchSettings),
            devices=reader.read(Devices),
            given=given,
            pretraining=pretraining,
            pooling=pooling,
        )
        job.settings.budget()
        return job

    def run(self, output: Output) -> None:
        """See `Job.run`."""
        from nas_tf.studies.searching import Execution, plan

        self.devices.make()
        encoder = self.given and given_encoder(self.given, self.space, self.pooling)
        benchmark = self.benchmark.open(self.space)
        print_table(benchmark)
        planned = plan(
            benchmark,
            self.strategy,
            self.settings,
            Execution(
                directory=output.directory,
                distribution=self.devices.distribution,
                checkpoint_sec=self.devices.checkpoint_sec,
            ),
        )
        output.claim()
        if self.pretraining and encoder is None:
            cells = cells_to_see(self.pretraining, self.space, benchmark)
            encoder = pretrained_encoder(
                self.pretraining, self.space, cells, self.devices, output
            )
        if encoder is not None:
            self._print_model(encoder.quality)
        study = planned.run(encoder, components=output.components, wall_sec=output.wall_sec)
        for remark in study.remarks:
            print(remark)
        print_incumbent(study.summary())
        print(f"report: {output.directory / 'report.md'}")

    def _print_model(self, quality: dict[str, Any]) -> None:
        """Says what the pre-training measured, and of a model whose kind is not known, that."""
        print_quality(quality)
        if quality.get("settings") is None:
            print(
                f"--pretrained={self.given.pretrained}: a model of an older version, which kept no "
                "settings: --job=report does not join this study with those of other models"
            )


def print_table(benchmark: Benchmark) -> None:
    """Says what measures the cells."""
    if benchmark.path or benchmark.validation_accuracy is not None:
        print(f"table: {benchmark.name}, {len(benchmark.cells):,} cells, {benchmark.path}")
    else:
        print(f"{benchmark.name}. {benchmark.protocol}")


def print_incumbent(summary: dict[str, Any]) -> None:
    """Says how good the incumbents of a study are."""
    incumbent = summary["incumbent"]
    if incumbent["validation_accuracy_mean"] is None:
        print("no feasible cell was found")
        return
    of = "validation" if incumbent["test_accuracy_mean"] is None else "test"
    mean, std = incumbent[f"{of}_accuracy_mean"], incumbent[f"{of}_accuracy_std"]
    accuracy = percent(mean, 2) if is_missing(std) else plus_minus(mean, std, unit=" %")
    regret = incumbent.get(f"{of}_regret_mean")
    print(
        f"{count(summary['num_runs'], 'run')} x "
        f"{count(summary['num_queries'], 'query', 'queries')}, "
        f"{dataset_name(summary['dataset'])}, {trained_for(summary)}: {of} accuracy {accuracy}"
        + ("" if regret is None else f", regret {percent(regret, 2)}")
        + f" (search took {summary['search_sec']:.1f} s)"
        + "".join(f"; {note}" for note in summary.get("notes", ()))
    )
