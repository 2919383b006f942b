"""`--job=pretrain`: pre-trains an autoencoder and leaves its model, summary and loss curves."""

import dataclasses

from nas_tf.benchmarks import registry as benchmarks
from nas_tf.benchmarks.benchmark import BenchmarkRecipe
from nas_tf.jobs.autoencoder import cells_to_see, pretrained_encoder, print_quality
from nas_tf.jobs.job import BenchmarkChoice, Devices, Job, SpaceChoice, read_benchmark, read_space
from nas_tf.jobs.output import Output
from nas_tf.jobs.reading import Reader
from nas_tf.jobs.search import print_table
from nas_tf.spaces.space import SearchSpace
from nas_tf.studies.pretraining import Pretraining


@dataclasses.dataclass(frozen=True, kw_only=True)
class PretrainJob(Job):
    """A pre-training."""

    name = "pretrain"
    components = (SpaceChoice, BenchmarkChoice, *benchmarks.COMPONENTS, Pretraining, Devices)
    hints = {
        "pretrained": "it makes one",
        "seed": "it makes a model, whose seed is its own: --pretrain_seed",
    }

    space: SearchSpace
    benchmark: BenchmarkRecipe | None
    pretraining: Pretraining
    devices: Devices

    @classmethod
    def of(cls, reader: Reader) -> "PretrainJob":
        """See `Job.of`."""
        space, pretraining = read_space(reader), reader.read(Pretraining)
        on_table = pretraining.on_table
        return cls(
            space=space,
            benchmark=read_benchmark(reader, space, cls.name) if on_table else None,
            pretraining=pretraining,
            devices=reader.read(Devices),
        )

    def run(self, output: Output) -> None:
        """See `Job.run`."""
        from nas_tf.analysis.tensorboard import cell_labels, write_projector
        from nas_tf.studies.encoder import MODEL
        from nas_tf.studies.encoder_training import write_pretraining

        self.devices.make()
        benchmark = self.benchmark and self.benchmark.open(self.space)
        if benchmark:
            print_table(benchmark)
        cells = cells_to_see(self.pretraining, self.space, benchmark)
        output.claim()
        encoder = pretrained_encoder(self.pretraining, self.space, cells, self.devices, output)
        write_projector(
            output.directory / "tensorboard",
            encoder.embed(cells),
            metadata=cell_labels(self.space.op_names, cells),
            seed=self.pretraining.seed,
        )
        table = benchmark and {
            "name": benchmark.name, "path": benchmark.path, "num_cells": len(benchmark.cells)
        }
        write_pretraining(
            output.directory, encoder, self.pretraining, output.wall_sec(), table
        )
        print_quality(encoder.quality)
        print(
            f"model: {output.directory / MODEL}; use it with --pretrained={output.directory}"
        )
