"""nas_tf/studies/exporting.py: each format, read by its own library, says what the model says."""

import importlib.util

import numpy as np
import onnxruntime
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

from nas_tf.core import ConfigError, DataError
from nas_tf.networks import packaging, registry
from nas_tf.studies import exporting
from tests.small_networks import CLASSES, MEAN, STD, pixels, small_network

TOLERANCE = 1e-6  # of probabilities; saved model 0.0, onnx 1.5e-7, litert 7.5e-8 measured


def read_saved_model(path):
    loaded = tf.saved_model.load(path)  # its variables live as long as this
    return lambda images: loaded.serve(images).numpy()


def read_onnx(path):
    session = onnxruntime.InferenceSession(path)
    (given,) = session.get_inputs()
    return lambda images: session.run(None, {given.name: images})[0]


def read_litert(path):
    interpreter = Interpreter(str(path))
    (given,), (wanted,) = interpreter.get_input_details(), interpreter.get_output_details()

    def run(images):
        interpreter.resize_tensor_input(given["index"], images.shape)
        interpreter.allocate_tensors()
        interpreter.set_tensor(given["index"], images)
        interpreter.invoke()
        return interpreter.get_tensor(wanted["index"])

    return run


READERS = {"saved_model": read_saved_model, "onnx": read_onnx, "litert": read_litert}


@pytest.fixture(scope="module")
def model():
    """A network with separable and dilated convolutions, pools and drop path."""
    network = registry.build(
        "darts_v2", num_classes=3, input_shape=(8, 8, 3), channels=2, cells=1, auxiliary=True,
        drop_path=0.2,
    )
    return packaging.package(network, mean=MEAN, std=STD, class_names=CLASSES)


@pytest.fixture(scope="module")
def small():
    """A model that takes a moment to export."""
    return packaging.package(small_network(), mean=MEAN, std=STD, class_names=CLASSES)


@pytest.fixture(scope="module")
def directory(model, tmp_path_factory):
    directory = tmp_path_factory.mktemp("exported")
    packaging.write_model(directory / "model.keras", model)
    return directory


@pytest.mark.parametrize("name, file", [
    ("saved_model", "saved_model"), ("onnx", "model.onnx"), ("litert", "model.tflite"),
])
def test_what_is_read_again_gives_the_same_probabilities(name, file, model, directory):
    before = set(directory.iterdir())
    assert exporting.export(directory, name) == {name: directory / file}
    assert set(directory.iterdir()) - before == {directory / file}  # no traces
    run = READERS[name](directory / file)
    for count in (1, 5):  # the batch is free
        images = pixels(count).astype(np.float32)
        np.testing.assert_allclose(run(images), model(images), atol=TOLERANCE)


def test_an_older_export_is_replaced(small, tmp_path):
    (tmp_path / "saved_model").mkdir()
    (tmp_path / "saved_model" / "old").write_text("old")
    (tmp_path / "saved_model" / "assets").mkdir()
    exporting.export(small, ["saved_model"], output_dir=tmp_path)
    assert not (tmp_path / "saved_model" / "old").exists()
    assert (tmp_path / "saved_model" / "saved_model.pb").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["saved_model"]


def test_a_full_disk_is_one_line_and_the_older_export_stays(small, tmp_path, monkeypatch):
    def fails(*unused_arguments, **unused_options):
        raise tf.errors.ResourceExhaustedError(None, None, "part-0;\nNo space left on device")

    (tmp_path / "saved_model").mkdir()
    monkeypatch.setattr(type(small), "export", fails)
    with pytest.raises(ConfigError) as caught:
        exporting.export(small, "saved_model", output_dir=tmp_path)
    assert str(caught.value) == (
        f"cannot write {tmp_path / 'saved_model'}: part-0; No space left on device"
    )
    assert [path.name for path in tmp_path.iterdir()] == ["saved_model"]


def test_several_formats_are_a_text_or_a_list():
    assert exporting.check_formats("litert, saved_model,litert") == ("litert", "saved_model")
    assert exporting.check_formats(["onnx"]) == ("onnx",)


@pytest.mark.parametrize("formats, message", [
    ("tflite", "export=tflite: expected some of saved_model, onnx, litert"),
    ("", "export=: expected some of saved_model, onnx, litert"),
    ([], "export=: expected some of"),
])
def test_unknown_formats_are_told(formats, message):
    with pytest.raises(ConfigError, match=message):
        exporting.check_formats(formats)


def test_a_missing_library_is_told_with_what_brings_it(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ConfigError) as caught:
        exporting.check_formats("saved_model,onnx")
    assert str(caught.value) == (
        "export=onnx: onnx and tf2onnx cannot be imported; pip install nas_tf[export] brings what "
        "it takes"
    )


def test_where_it_goes_must_be_known(small, tmp_path):
    with pytest.raises(ConfigError, match="output_dir=None: expected a directory, as this model"):
        exporting.export(small, "saved_model")
    with pytest.raises(ConfigError, match="no such file, nor a directory with a model.keras"):
        exporting.export(tmp_path, "saved_model")
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="cannot write .*saved_model: "):
        exporting.export(small, "saved_model", output_dir=tmp_path / "file")


def test_another_file_is_told(tmp_path):
    (tmp_path / "model.keras").write_text("no model")
    with pytest.raises(DataError, match="not a .keras file"):
        exporting.export(tmp_path, "litert")
