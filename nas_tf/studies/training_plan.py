"""What is trained, on what and how: all that decides a trained network.

Imports no TensorFlow: the command checks a plan before it loads any.
"""

import dataclasses
from typing import Any

from nas_tf.config import Component, changed_lines, deciding_values
from nas_tf.datasets.augmentation import Augmentation
from nas_tf.datasets.settings import Data
from nas_tf.networks.settings import Network
from nas_tf.spaces.architecture_value import Architecture
from nas_tf.training.settings import Training


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrainingPlan:
    """A training that is not begun yet.

    Attributes:
        architecture: the value.
        training: how it is trained.
        network: what is around the architecture.
        data: the images; of arrays, how they are split.
        scale: "full" or "smoke".
        reduced: what the scale changed, as flags.
    """

    architecture: Architecture
    training: Training
    network: Network
    data: Data
    scale: str = "full"
    reduced: tuple[str, ...] = ()

    @property
    def components(self) -> tuple[Component, ...]:
        """All settings."""
        return self.training, self.network, self.data

    def settings(self) -> dict[str, Any]:
        """Returns the settings that decide the result, by the names of their flags."""
        return deciding_values(*self.components)

    def changed_settings(self) -> list[str]:
        """Returns those that are not as they are by default, as flags."""
        return changed_lines(*self.components)

    def augmentation(self) -> Augmentation:
        """Returns how training images are varied."""
        training = self.training
        return Augmentation.usual(self.data.data, training.cutout, training.cutout_probability)

    def around(self) -> dict[str, Any]:
        """Returns what `networks.registry.build` takes beside architecture and images."""
        return dataclasses.asdict(self.network) | {"drop_path": self.training.drop_path}
