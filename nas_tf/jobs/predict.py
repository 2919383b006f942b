"""`--job=predict`: classes and probabilities that a trained network gives a folder of images."""

import dataclasses

from nas_tf import storage
from nas_tf.config import NOT_EMPTY, Component, setting
from nas_tf.core import ConfigError
from nas_tf.jobs.job import Job
from nas_tf.jobs.output import SUMMARY, Output
from nas_tf.jobs.reading import Reader

PREDICTIONS = "predictions.csv"


@dataclasses.dataclass(frozen=True)
class PredictSettings(Component):
    """What is predicted, and by what."""

    model: str | None = setting(
        None,
        "The trained network: a model.keras, or the output directory of its training.",
        NOT_EMPTY,
        path=True,
    )
    images: str | None = setting(
        None,
        "Folder of the images, those of its sub-folders among them; or one image.",
        NOT_EMPTY,
        path=True,
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class PredictJob(Job):
    """Predictions of images."""

    name = "predict"
    components = (PredictSettings,)

    settings: PredictSettings

    @classmethod
    def of(cls, reader: Reader) -> "PredictJob":
        """See `Job.of`."""
        settings = reader.read(PredictSettings)
        for name, value in (("model", settings.model), ("images", settings.images)):
            if value is None:
                raise ConfigError(
                    "--job=predict says what a trained network takes images for: name both with "
                    f"--model=DIR|FILE and --images=FOLDER; --{name} is missing"
                )
        return cls(settings=settings)

    def run(self, output: Output) -> None:
        """See `Job.run`."""
        from nas_tf.analysis.summary import SCHEMA, library_versions
        from nas_tf.studies.prediction import open_model, predictions

        model = open_model(self.settings.model)
        found = predictions(model, self.settings.images)
        output.claim()
        found.write(output.directory / PREDICTIONS)
        summary = {
            "job": self.name,
            "schema": SCHEMA,
            "model": self.settings.model,
            "images": self.settings.images,
            "num_images": len(found.probabilities),
            "classes": found.counts(),
            "wall_sec": output.wall_sec(),
            "versions": library_versions(),
        }
        storage.write_json(output.directory / SUMMARY, summary)
        counts = ", ".join(f"{name} {count:,}" for name, count in found.counts().items() if count)
        print(f"{len(found.probabilities):,} images: {counts}")
        print(f"predictions: {output.directory / PREDICTIONS}")
