"""`--job=sample`: draws cells from a fitted generator, with their log-probabilities.

These are of the graph that was drawn, which is written beside the cell: a cell of NAS-Bench-101 is
what is left of a graph without its dead nodes, and many graphs leave the same one.
"""

import dataclasses

import numpy as np

from nas_tf import storage
from nas_tf.config import SEED, Component, at_least, setting
from nas_tf.core import ConfigError
from nas_tf.jobs.job import Job, SpaceChoice, read_space
from nas_tf.jobs.output import SUMMARY, Output
from nas_tf.jobs.reading import Reader
from nas_tf.spaces.space import SearchSpace

SAMPLES = "samples.json"

_CHUNK = 1000  # graphs drawn at a time, which bounds the memory


@dataclasses.dataclass(frozen=True)
class SampleSettings(Component):
    """What is drawn from a fitted generator."""

    seed: int = setting(0, "Seed of the study; run r of a study is seeded with SEED + r.", SEED)
    generator: str | None = setting(
        None, "generator.keras of a search, to draw cells from with --job=sample.", path=True
    )
    num_samples: int = setting(1000, "Graphs to draw.", at_least(1))


@dataclasses.dataclass(frozen=True, kw_only=True)
class SampleJob(Job):
    """Samples of a fitted generator."""

    name = "sample"
    components = (SpaceChoice, SampleSettings)

    space: SearchSpace
    settings: SampleSettings

    @classmethod
    def of(cls, reader: Reader) -> "SampleJob":
        """See `Job.of`."""
        return cls(space=read_space(reader), settings=reader.read(SampleSettings))

    def run(self, output: Output) -> None:
        """See `Job.run`."""
        from nas_tf.analysis.summary import library_versions
        from nas_tf.graphpnas.saving import load_generator

        path, space = self.settings.generator, self.space
        if not path:
            raise ConfigError(
                "--job=sample draws from a fitted generator: name its file with --generator=PATH; a "
                "search with --strategy=graphpnas leaves generator.keras"
            )
        model = load_generator(path)
        if model.space != space.name:
            raise ConfigError(
                f"--generator={path}: draws cells of {model.space}; received --space={space.name}"
            )
        output.claim()
        edges, labels, log_prob = self._drawn(model)
        cells, valid = space.graph_form().cells(edges, labels)
        samples = [
            {
                **value,
                "graph": {"edges": edges[index].tolist(), "labels": labels[index].tolist()},
                "log_prob": float(log_prob[index]),
            }
            for index, value in zip(np.flatnonzero(valid), _matrices(space, cells[valid]))
        ]
        content = {"space": space.name, "generator": str(path), "seed": self.settings.seed}
        storage.write_json(output.directory / SAMPLES, content | {"cells": samples})
        different = len(np.unique(cells.keys[valid]))
        summary = {
            "job": self.name,
            "space": space.name,
            "seed": self.settings.seed,
            "num_samples": self.settings.num_samples,
            "num_valid": len(samples),
            "num_different": different,
            "mean_log_prob": float(log_prob.mean()),
            "wall_sec": output.wall_sec(),
            "versions": library_versions(),
        }
        storage.write_json(output.directory / SUMMARY, summary)
        print(
            f"{self.settings.num_samples:,} graphs drawn, {len(samples):,} are cells, "
            f"{different:,} different ones: {output.directory / SAMPLES}"
        )

    def _drawn(self, model) -> list[np.ndarray]:
        """Returns edges int8 [B, N, N], labels int8 [B, N] and float32 [B] of B graphs drawn."""
        graphs, count, parts = model.distribution(), self.settings.num_samples, []
        for start in range(0, count, _CHUNK):
            drawn = graphs.sample(_CHUNK, seed=(self.settings.seed, start))
            parts.append([array.numpy()[:, 0] for array in (*drawn, graphs.log_prob(drawn))])
        return [np.concatenate(field)[:count] for field in zip(*parts, strict=True)]


def _matrices(space: SearchSpace, cells) -> list[dict]:
    """Returns the matrix and the operations of every cell [M]."""
    found = []
    for index in range(len(cells)):
        matrix, ops = cells.matrix(index)
        names = [space.op_names[op] for op in ops]
        found.append({"matrix": matrix.tolist(), "ops": names})
    return found
