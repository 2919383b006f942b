"""Jobs run in this process, by the values of their flags."""

import pathlib

import numpy as np

from nas_tf.config import flag_of, settings_of
from nas_tf.jobs import registry, running
from nas_tf.jobs.reading import Given

FLAGS = {
    flag_of(component, field)
    for component in registry.components()
    for field in settings_of(component)
}


def change(flags: dict[str, Given], **values) -> dict[str, Given]:
    """Returns flags with some of them replaced; what a job does not read does no harm."""
    assert FLAGS.issuperset(values), f"no such flag: {set(values) - FLAGS}"
    return {**flags, **{name: Given(value, shared=True) for name, value in values.items()}}


def execute(flags: dict[str, Given], directory) -> pathlib.Path:
    """Runs a job and returns its output directory."""
    running.run(change(flags, output_dir=str(directory)))
    return pathlib.Path(directory)


def interrupt(*arguments, **options):
    """Stands for a job that is killed."""
    raise KeyboardInterrupt


def trace(directory) -> dict[str, np.ndarray]:
    """Returns what a search left."""
    with np.load(directory / "trace.npz") as file:
        return dict(file)


def weights(directory) -> bytes:
    """Returns what a pre-training left."""
    return (directory / "model" / "weights.npz").read_bytes()
