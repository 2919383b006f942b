"""How training images are varied. Imports no TensorFlow: `transforms` does it."""

import dataclasses

from nas_tf.core import ConfigError


@dataclasses.dataclass(frozen=True)
class Augmentation:
    """How training images are varied, each on its own; by default not at all.

    Attributes:
        crop_padding: pixels of black around an image, of which a window of the image's size is
            cut; None is an eighth of the height, so 4 for CIFAR-10.
        flip: left and right change places in half of the images.
        resized_crop: a part of random size and shape is cut and resized, as for ImageNet; crops
            with padding are then left out.
        jitter: bound of the random changes of brightness, contrast and saturation, as shares; half
            of it is that of the hue's turn, as a share of a whole turn. 0 leaves colours alone.
        cutout: side in pixels of the square that Cutout (DeVries and Taylor, 2017,
            arXiv:1708.04552) blanks with the mean colour; 0 is none. Its centre lies anywhere in
            the image, and what is outside the border is lost; an odd side is one less.
        cutout_probability: share of the images that Cutout blanks.
    """

    crop_padding: int | None = 0
    flip: bool = False
    resized_crop: bool = False
    jitter: float = 0.0
    cutout: int = 0
    cutout_probability: float = 1.0

    def __post_init__(self):
        for name in ("crop_padding", "jitter", "cutout"):
            value = getattr(self, name)
            if value is not None and not value >= 0:
                raise ConfigError(f"{name}={value}: expected at least 0")
        if not 0 <= self.cutout_probability <= 1:
            raise ConfigError(
                f"cutout_probability={self.cutout_probability}: expected a share from 0 to 1"
            )
        if not self.jitter <= 1:
            raise ConfigError(f"jitter={self.jitter}: expected a share from 0 to 1")

    @classmethod
    def usual(
        cls, data_name: str, cutout: int = 0, cutout_probability: float = 1.0
    ) -> "Augmentation":
        """Returns what papers do with a data set, which `--data` names, and Cutout where asked.

        Digits are not flipped: a mirrored 2 is no 2. ImageNet is varied as in DARTS' code.
        """
        blanks = {"cutout": cutout, "cutout_probability": cutout_probability}
        if data_name == "imagenet":
            return cls(flip=True, resized_crop=True, jitter=0.4, **blanks)
        return cls(crop_padding=None, flip=data_name != "digits", **blanks)

    def for_height(self, height: int) -> "Augmentation":
        """Returns it with a number of pixels in the place of None, for images of a height."""
        if self.crop_padding is not None:
            return self
        return dataclasses.replace(self, crop_padding=height // 8)
