"""Tests of how training images may be varied."""

import pytest

from nas_tf.core import ConfigError
from nas_tf.datasets.augmentation import Augmentation


def test_usual_is_what_papers_do():
    assert Augmentation.usual("cifar10").for_height(32).crop_padding == 4
    assert Augmentation.usual("tinyimagenet").for_height(64).crop_padding == 8
    assert Augmentation.usual("cifar100").flip
    assert Augmentation.usual("imagenet") == Augmentation(0, True, True, 0.4)
    assert Augmentation.usual("digits").for_height(8) == Augmentation(crop_padding=1)


def test_a_number_of_pixels_is_kept():
    assert Augmentation(crop_padding=3).for_height(32).crop_padding == 3


@pytest.mark.parametrize(
    "setting, message",
    [
        ({"crop_padding": -1}, "crop_padding=-1: expected at least 0"),
        ({"cutout": -2}, "cutout=-2: expected at least 0"),
        ({"cutout_probability": 1.5}, "cutout_probability=1.5: expected a share from 0 to 1"),
        ({"jitter": 2.0}, "jitter=2.0: expected a share from 0 to 1"),
        ({"jitter": float("nan")}, "jitter=nan: expected at least 0"),
    ],
)
def test_what_cannot_be_is_refused(setting, message):
    with pytest.raises(ConfigError, match=message):
        Augmentation(**setting)
