"""nas_tf/studies/training_scale.py: what a smoke run makes smaller, and what it leaves alone."""

import pathlib

import pytest

from nas_tf.core import ConfigError
from nas_tf.datasets.settings import Data
from nas_tf.jobs import flags, running
from nas_tf.networks.settings import Network
from nas_tf.studies import training_scale
from nas_tf.training.settings import Training

CONFIGS = pathlib.Path(__file__).parents[2] / "configs"
FINAL = (
    "darts_final", "darts_imagenet", "randwire_final", "randwire_large", "enas_final",
    "nb101_final", "nb201_final", "macro_final",
)


def reduced(scale="smoke", space="darts", fixed=(), **given):
    settings = {kind: given.get(kind.__name__, kind()) for kind in training_scale.SETTINGS}
    return training_scale.reduced(
        scale, space, settings, lambda kind, name: (kind.__name__, name) in fixed
    )


def plan(*arguments):
    return running.resolve(flags.parse(arguments))[0].plan


def test_full_changes_nothing():
    assert reduced("full") == {Training: {}, Network: {}, Data: {}}


def test_smaller_numbers_stay():
    found = reduced(Training=Training(epochs=2, batch_size=8), Network=Network(channels=2, cells=9))
    assert "epochs" not in found[Training] and "batch_size" not in found[Training]
    assert found[Network] == {"cells": 4}


def test_what_is_said_beside_it_wins_and_named_images_stay():
    found = reduced(
        fixed={("Training", "epochs"), ("Data", "path")}, Training=Training(epochs=50),
        Data=Data("folder", "/images"),
    )
    assert "epochs" not in found[Training]
    assert found[Data] == {"limit": 700, "image_size": 16}


def test_digits_take_the_place_of_other_images():
    found = reduced(Data=Data("cifar10", "/images"))
    assert found[Data]["data"] == "digits" and found[Data]["path"] is None


def test_it_is_said_as_flags():
    text = training_scale.in_words("smoke", training_scale.lines(reduced(space="enas")))
    assert text.startswith("scale=smoke: --train_epochs=6 ") and "--network_channels=8" in text


def test_there_is_no_other_scale():
    with pytest.raises(ConfigError, match="scale=tiny: expected one of full, smoke"):
        training_scale.Scale("tiny")


@pytest.mark.parametrize("name", FINAL)
def test_every_published_training_has_a_smoke_run_on_digits(name):
    full, small = plan(f"--flagfile={name}"), plan(f"--flagfile={name}", "--scale=smoke")
    assert full.scale == "full" and not full.reduced and full.data.data != "digits"
    assert small.data.data == "digits" and small.training.epochs == 6
    assert small.architecture == full.architecture
    assert small.network.auxiliary == full.network.auxiliary
    assert small.training.optimizer == full.training.optimizer
    assert "by arithmetic" in (CONFIGS / f"{name}.flags").read_text()


def test_a_command_line_wins_over_the_scale_and_a_flagfile_does_not(tmp_path):
    given = plan("--flagfile=nb201_final", "--scale=smoke", "--train_epochs=9", "--data=cifar10")
    assert given.training.epochs == 9 and given.data.data == "cifar10"
    assert given.training.batch_size == 16 and given.network.channels == 8
    (tmp_path / "mine.flags").write_text(
        f"--flagfile={CONFIGS}/nb201_final.flags\n--scale=smoke\n--train_epochs=9\n"
    )
    in_file = plan(f"--flagfile={tmp_path}/mine.flags")
    assert in_file.training.epochs == 9 and in_file.training.batch_size == 16


def test_what_was_written_down_is_not_reduced_again(tmp_path):
    job, reader = running.resolve(
        flags.parse(["--flagfile=nb201_final", "--scale=smoke", "--train_epochs=9"])
    )
    (tmp_path / "config.flags").write_text(reader.text())
    again, reader_again = running.resolve(flags.parse([f"--flagfile={tmp_path}/config.flags"]))
    assert again.plan.components == job.plan.components
    assert reader_again.values() == reader.values()
