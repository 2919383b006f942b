"""`--job=analyze`: what an embedding knows of cells, as numbers, pictures and one page."""

import dataclasses
import pathlib
from collections.abc import Mapping
from typing import Any

from nas_tf import storage
from nas_tf.benchmarks import registry as benchmarks
from nas_tf.benchmarks.benchmark import Benchmark, BenchmarkRecipe
from nas_tf.config import SEED, Component, at_least, setting
from nas_tf.jobs.autoencoder import cells_to_see, given_encoder, pretrained_encoder, print_quality
from nas_tf.jobs.job import (
    BenchmarkChoice, Devices, GivenModel, Job, SpaceChoice, read_benchmark, read_space,
)
from nas_tf.jobs.output import SUMMARY, Output
from nas_tf.jobs.reading import Reader
from nas_tf.jobs.report import Inputs
from nas_tf.spaces.space import SearchSpace
from nas_tf.studies.pretraining import Pretraining


_ENCODER_RATE = 5e-3  # Adam's, of the supervised encoder; that of the supervised searches


@dataclasses.dataclass(frozen=True)
class AnalyzeSettings(Component):
    """What an embedding knows."""

    seed: int = setting(0, "Seed of the study; run r of a study is seeded with SEED + r.", SEED)
    gp_cells: int = setting(
        250, "Cells that a Gaussian process and a supervised encoder learn from.", at_least(2)
    )
    gp_seeds: int = setting(10, "Draws of these cells.", at_least(2))
    supervised_steps: int = setting(
        1000, "Batches of 32 cells that train the supervised encoder.", at_least(2)
    )
    walk_cells: int = setting(
        1000, "Cells of the random walk that distances are measured on.", at_least(2)
    )
    map_cells: int = setting(10_000, "Cells drawn on the map by t-SNE, at most.", at_least(2))
    num_walks: int = setting(20, "Greedy walks through the embedding.", at_least(1))
    walk_length: int = setting(80, "Cells of a greedy walk.", at_least(2))


@dataclasses.dataclass(frozen=True, kw_only=True)
class AnalyzeJob(Job):
    """What an embedding knows of cells."""

    name = "analyze"
    components = (
        SpaceChoice, BenchmarkChoice, *benchmarks.COMPONENTS, AnalyzeSettings, Inputs, GivenModel, Pretraining,
        Devices,
    )

    space: SearchSpace
    benchmark: BenchmarkRecipe | None
    settings: AnalyzeSettings
    inputs: Inputs
    given: GivenModel
    pretraining: Pretraining
    devices: Devices

    @classmethod
    def of(cls, reader: Reader) -> "AnalyzeJob":
        """See `Job.of`."""
        space = read_space(reader)
        return cls(
            space=space,
            benchmark=read_benchmark(reader, space),
            settings=reader.read(AnalyzeSettings),
            inputs=reader.read(Inputs),
            given=reader.read(GivenModel),
            pretraining=reader.read(Pretraining),
            devices=reader.read(Devices),
        )

    def run(self, output: Output) -> None:
        """See `Job.run`."""
        from nas_tf.analysis.summary import SCHEMA, library_versions
        from nas_tf.reports.autoencoders import quality_rows
        from nas_tf.reports.representation_page import write_representation_page

        self.devices.make()
        encoder = given_encoder(self.given, self.space, self.pretraining.pooling)
        pretrainings = self._pretrainings()
        benchmark = self.benchmark and self.benchmark.open(self.space)
        sizes = self._sizes()
        sizes.check_cells(self.space, benchmark and benchmark.validation_accuracy)
        cells = None if encoder else cells_to_see(self.pretraining, self.space, benchmark)
        # Of bad ones it tells before compute is spent.
        expected = [] if encoder else [self._own_summary(self._expected(len(cells)))]
        quality_rows([*expected, *pretrainings])
        output.claim()
        if encoder is None:
            encoder = pretrained_encoder(
                self.pretraining, self.space, cells, self.devices, output
            )
            pretrainings = [self._own_summary(encoder.quality), *pretrainings]
        print_quality(encoder.quality)
        rows = quality_rows(pretrainings)
        findings = self._findings(benchmark, encoder.model, sizes, rows, output.directory)
        numbers = findings.numbers()
        write_representation_page(output.directory, findings)
        summary = {
            "job": self.name,
            "schema": SCHEMA,
            "space": self.space.name,
            "table": benchmark and benchmark.name,
            "dataset": benchmark and benchmark.dataset,
            "seed": self.settings.seed,
            **numbers,
            "wall_sec": output.wall_sec(),
            "versions": library_versions(),
        }
        storage.write_json(output.directory / SUMMARY, summary)
        print(f"report: {output.directory / 'report.md'} and {output.directory / 'report.html'}")

    def _sizes(self):
        from nas_tf.arch2vec.representation import Sizes

        names = [field.name for field in dataclasses.fields(Sizes)]
        return Sizes(**{name: getattr(self.settings, name) for name in names})

    def _pretrainings(self) -> list[Mapping[str, Any]]:
        """Returns the summaries of the pre-trainings in the table, the given model's among them."""
        from nas_tf.reports.autoencoders import read_pretrainings

        named, given = self.inputs.directories(), self.given.pretrained
        places = [pathlib.Path(name).resolve() for name in named]
        found = read_pretrainings(named, self.space.name, "inputs")
        if given and pathlib.Path(given).resolve() not in places:
            found = [*read_pretrainings([given], self.space.name, "pretrained"), *found]
        return found

    def _expected(self, num_cells: int) -> dict[str, Any]:
        """Returns what is known of this job's own pre-training before it is made."""
        values = self.pretraining
        return {"epochs": values.epochs, "num_cells": num_cells, "seed": values.seed}

    def _own_summary(self, quality: Mapping[str, Any]) -> dict[str, Any]:
        """Returns what a pre-training job of the same model would have left."""
        kind = {name: getattr(self.pretraining, name) for name in ("autoencoder", "kl_weight")}
        return dict(quality) | kind | {"space": self.space.name}

    def _findings(self, benchmark: Benchmark | None, model, sizes, rows, directory):
        """Measures the embedding; `rows` are those of the table of autoencoders."""
        from nas_tf.analysis.tensorboard import cell_labels, write_projector
        from nas_tf.arch2vec.representation import Analysis, Measured
        from nas_tf.reports.representation_page import Findings

        space, seed = self.space, self.settings.seed
        cells, labels, measured, dataset, epochs = space.enumerate_cells(), {}, None, None, None
        if benchmark is not None:
            cells, dataset, epochs = benchmark.cells, benchmark.dataset, benchmark.epochs[-1]
            measured = Measured(cells, benchmark.validation_accuracy, benchmark.checksum)
            labels = {"validation accuracy": benchmark.validation_accuracy}

        def show(vectors) -> None:
            metadata = cell_labels(space.op_names, cells) | labels
            write_projector(directory / "tensorboard", vectors, metadata=metadata, seed=seed)

        analysis = Analysis(
            model,
            space,
            measured,
            sizes=sizes,
            pooling=self.pretraining.pooling,
            seed=seed,
            directory=directory / "steps",
            make_training=self._predictor_training,
        )
        return Findings(
            space=space,
            dataset=dataset,
            epochs=epochs,
            num_table_cells=0 if benchmark is None else len(cells),
            num_learned=sizes.gp_cells,
            quality=rows,
            found=analysis.run(show),
        )

    def _predictor_training(self, cells):
        """Returns what trains a supervised encoder like the pre-trained one."""
        from nas_tf.arch2vec.predictor import PredictorTraining

        values = self.pretraining
        return PredictorTraining.of_space(
            self.space,
            cells,
            positions=values.positions,
            epsilon_start=values.epsilon_start,
            pooling=values.pooling,
            learning_rate=_ENCODER_RATE,
        )
