"""`--job=train`: builds the network of an architecture, trains it, and leaves a model file."""

import dataclasses

from nas_tf.config import NOT_EMPTY, Component, setting
from nas_tf.core import ConfigError, NasError
from nas_tf.datasets.settings import Data
from nas_tf.jobs.job import Devices, Job, SpaceChoice
from nas_tf.jobs.output import Output
from nas_tf.jobs.reading import Reader
from nas_tf.networks.settings import Network
from nas_tf.spaces.architecture_value import Architecture
from nas_tf.studies import training_scale
from nas_tf.studies.training_plan import TrainingPlan
from nas_tf.studies.training_scale import Scale
from nas_tf.training.settings import Training


@dataclasses.dataclass(frozen=True)
class TrainSettings(Component):
    """What is trained, and what is left of it."""

    architecture: str | None = setting(
        None,
        "The architecture: its text, a file of it, the directory of a search or of samples (DIR#2 "
        "is its second best), or a published one, such as darts_v2.",
        NOT_EMPTY,
    )
    export: str | None = setting(
        None,
        "Formats the network is exported in, separated by commas: saved_model, onnx, litert.",
        several=True,
        decides=False,
    )
    profile: bool = setting(
        False, "Keep a TensorBoard profile of the second and third second or so.", decides=False
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrainJob(Job):
    """A training of one network."""

    name = "train"
    components = (TrainSettings, SpaceChoice, Scale, Training, Network, Data, Devices)
    hints = {"seed": "a training has its own: --train_seed"}

    plan: TrainingPlan
    settings: TrainSettings
    devices: Devices

    @classmethod
    def of(cls, reader: Reader) -> "TrainJob":
        """See `Job.of`."""
        architecture = read_architecture(reader)
        scale = reader.read(Scale).scale
        given = {component: reader.read(component) for component in training_scale.SETTINGS}
        values = training_scale.reduced(
            scale, architecture.space, given,
            lambda component, name: reader.stands_beside(component, name, "scale"),
        )
        made = {kind: reader.read(kind, **values[kind]) for kind in given}
        plan = TrainingPlan(
            architecture=architecture,
            training=made[Training],
            network=made[Network],
            data=made[Data],
            scale=scale,
            reduced=training_scale.lines(values),
        )
        return cls(plan=plan, settings=reader.read(TrainSettings), devices=reader.read(Devices))

    def run(self, output: Output) -> None:
        """See `Job.run`."""
        from nas_tf.studies.exporting import check_formats
        from nas_tf.studies.training import opened
        from nas_tf.studies.training_run import Execution, run_training

        plan, export = self.plan, self.settings.export
        formats = check_formats(export) if export else ()
        self.devices.make()
        if plan.scale != "full":
            print(training_scale.in_words(plan.scale, plan.reduced))
        data = opened(plan)
        print(describe_data(data.summary()))
        output.claim()
        trained = run_training(
            plan,
            data,
            Execution(
                directory=output.directory,
                distribution=self.devices.distribution,
                checkpoint_sec=self.devices.checkpoint_sec,
                formats=formats,
                profile=self.settings.profile,
                wall_sec=output.wall_sec,
            ),
        )
        print(repr(trained).strip("<>"))
        print(f"model: {output.directory / 'model.keras'}, report: {output.directory / 'report.md'}")

    def complete(self, output: Output) -> None:
        """See `Job.complete`: writes the formats that are missing."""
        from nas_tf.studies.exporting import check_formats, export_missing

        formats = check_formats(self.settings.export) if self.settings.export else ()
        if not output.follows:
            for path in export_missing(output.directory, formats, output.directory).values():
                print(f"exported: {path}")


def read_architecture(reader: Reader) -> Architecture:
    """Returns the architecture of a job; `config.flags` then has its text and its space.

    Raises:
        ConfigError: there is none, or what is given is none.
    """
    text = reader.read(TrainSettings).architecture
    if text is None:
        raise ConfigError(
            "--job=train builds the network of an architecture: name it with --architecture=TEXT, "
            "FILE or DIR"
        )
    from nas_tf.studies.architectures import architecture  # of a directory it reads a report

    space = reader.given["space"].value if "space" in reader.given else None
    try:
        found = architecture(text, space)
    except NasError as error:
        raise type(error)(f"--architecture: {error}") from None
    # Kept as its text: a directory's best may be another one later.
    reader.read(TrainSettings, architecture=found.text())
    reader.read(SpaceChoice, space=found.space)
    return found


def describe_data(summary: dict) -> str:
    """Returns a line that says what images are used."""
    sizes = ", ".join(f"{part['images']:,} {name}" for name, part in summary["splits"].items())
    shape = "x".join(map(str, summary["image_shape"]))
    return f"data: {summary['data']}, {summary['classes']} classes, images {shape}: {sizes}"
