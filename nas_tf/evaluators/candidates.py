"""Training the candidates of a search."""

import dataclasses
import functools
import pathlib
import time
from typing import Any

import keras
import tensorflow as tf

from nas_tf import storage
from nas_tf.config import deciding_values
from nas_tf.core import DivergedError, InvalidArchitectureError
from nas_tf.datasets.augmentation import Augmentation
from nas_tf.datasets.image_data import ImageData, open_data
from nas_tf.datasets.settings import Data
from nas_tf.evaluators.outcomes import Outcome
from nas_tf.networks import registry as networks
from nas_tf.networks.settings import Network
from nas_tf.spaces.architecture_value import Architecture
from nas_tf.training.classification import Trained, train_classifier
from nas_tf.training.determinism import make_deterministic
from nas_tf.training.precision import precision
from nas_tf.training.progress import Checkpoint
from nas_tf.training.settings import Training

_OUT_OF_MEMORY = (MemoryError, tf.errors.ResourceExhaustedError)
_VERSION = 1  # of how candidates are trained; others' outcomes are not taken for these


@dataclasses.dataclass(frozen=True, kw_only=True)
class CandidateTraining:
    """How candidates are trained; see `evaluators.trained.Candidates`.

    Attributes:
        data: images.
        training: of one candidate, over its whole schedule.
        network: around an architecture.
        stop_epochs: epochs after which a training ends; None is at its last.
        last_epochs: epochs at the end whose mean validation accuracy counts.
        checkpoint_sec: least seconds between two checkpoints of a training.
    """

    data: Data
    training: Training
    network: Network
    stop_epochs: int | None = None
    last_epochs: int = 1
    checkpoint_sec: float = 30.0

    @property
    def dataset(self) -> str:
        """Name of the images."""
        return self.images.name

    @functools.cached_property
    def images(self) -> ImageData:
        """The images, opened."""
        training = self.training
        varied = Augmentation.usual(
            self.data.data, training.cutout, training.cutout_probability
        )
        return open_data(self.data, varied, fraction=training.fraction, seed=training.seed)

    def identity(self, architecture: Architecture | None, epochs: int | None) -> dict[str, Any]:
        """Returns JSON values of everything that decides a training."""
        return {
            "version": _VERSION,
            "space": architecture and architecture.space,
            "architecture": architecture and architecture.key,
            "epochs": epochs,
            "stop_epochs": self.stop_epochs,
            "last_epochs": self.last_epochs,
            "images": self.images.summary(),
            **deciding_values(self.training, self.network, self.data),
        }

    def train(
        self, architecture: Architecture, epochs: int | None, directory: pathlib.Path
    ) -> Outcome:
        """Trains one, or goes on with one whose checkpoints lie in the directory.

        Args:
            architecture: the candidate.
            epochs: of its schedule; None are those of `training`.
            directory: its own, for checkpoints.

        Raises:
            Interrupted: a signal came; checkpoints are in the directory.
        """
        started = time.monotonic()
        try:
            trained = self._fit(architecture, epochs, directory)
        except (InvalidArchitectureError, DivergedError) as error:
            return Outcome.infeasible(str(error), time.monotonic() - started)
        except _OUT_OF_MEMORY as error:
            reason = f"out of memory ({storage.one_line(error)[:200]})"
            return Outcome.infeasible(reason, time.monotonic() - started, lasting=False)
        finally:
            keras.backend.clear_session(free_memory=True)
        validation = trained.mean_validation_accuracy(self.last_epochs)
        cost_sec = max(trained.train_sec, trained.wall_sec)
        return Outcome(validation, trained.test_accuracy, cost_sec)

    def _fit(self, architecture: Architecture, epochs: int | None, directory) -> Trained:
        training, data = self.training, self.images
        if epochs is not None:
            training = dataclasses.replace(training, epochs=epochs)
        make_deterministic(training.seed)
        with precision(training.precision):
            network = networks.build(
                architecture,
                num_classes=len(data.class_names),
                input_shape=data.image_shape,
                drop_path=training.drop_path,
                **dataclasses.asdict(self.network),
            )
        checkpoint = Checkpoint(directory, self.identity(architecture, epochs), self.checkpoint_sec)
        last = training.epochs if epochs else self.stop_epochs or training.epochs
        ends = [StopAfter(last)] if last < training.epochs else []
        # With little data most of the images validate: no more often than is asked for.
        unseen = 0 if training.patience else max(0, last - self.last_epochs)
        return train_classifier(
            network, data, training, callbacks=ends, checkpoint=checkpoint,
            validation_from=unseen, title="candidate",
        )


class StopAfter(keras.callbacks.Callback):
    """Ends a training after some of the passes that its schedule is made for."""

    def __init__(self, epochs: int):
        """Args: epochs: passes that are made."""
        super().__init__()
        self._epochs = epochs

    def on_epoch_end(self, epoch, logs=None):
        """Ends it when it is time."""
        if epoch + 1 >= self._epochs:
            self.model.stop_training = True
