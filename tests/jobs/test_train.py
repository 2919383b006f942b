"""--job=train and --job=predict: published trainings at smoke scale, and what is refused."""

import csv
import json
import pathlib
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

import nas_tf
from nas_tf.core import NasError
from nas_tf.jobs import flags, running
from tests.job_runs import change, execute

ROOT = pathlib.Path(__file__).resolve().parents[2]
CELL = "|skip_connect~0|+|none~0|skip_connect~1|+|nor_conv_1x1~0|none~1|skip_connect~2|"
MEMBERS = (
    "job", "architecture", "space", "parameters", "multiply_adds", "dataset", "split", "epochs",
    "validation_accuracy", "test_accuracy", "images_per_sec", "wall_sec", "seed", "versions",
)


def smoke(name, *arguments):
    """Runs a published training at smoke scale; returns its output directory's flag."""
    running.run(flags.parse([f"--flagfile={name}", "--scale=smoke", *arguments]))


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """Output directory of the whole smoke run of NAS-Bench-201."""
    directory = tmp_path_factory.mktemp("nb201_final")
    smoke("nb201_final", f"--output_dir={directory}", "--export=saved_model")
    return directory


def test_a_whole_smoke_run_learns_digits(done):
    summary = json.loads((done / "summary.json").read_text())
    assert set(MEMBERS) <= set(summary)
    assert summary["test_accuracy"] > 0.8 and summary["epochs"] == 6
    assert summary["dataset"] == "digits" and summary["validation_accuracy"] is None
    lines = (done / "config.flags").read_text().splitlines()
    assert {"--scale=smoke", "--train_epochs=6", "--data=digits", "--export=saved_model"} <= set(lines)
    with open(done / "history.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == list("123456")
    assert float(rows[-1]["loss"]) < float(rows[0]["loss"])
    assert "A smoke run (`--scale=smoke`)" in (done / "report.md").read_text("utf-8")
    assert (done / "saved_model" / "saved_model.pb").exists()


def test_another_whole_smoke_run(tmp_path, capsys):
    smoke("nb101_final", f"--output_dir={tmp_path}")
    out = capsys.readouterr().out
    assert "scale=smoke: --train_epochs=6 --train_batch_size=16" in out
    assert "data: digits, 10 classes, images 8x8x1: 700 train, 288 validation, 359 test" in out
    assert nas_tf.load(tmp_path).summary()["test_accuracy"] > 0.2


def test_a_few_steps_of_a_branched_network(tmp_path):
    """An auxiliary head, dropped paths, Cutout and clipping: those of the DARTS flagfile."""
    smoke(
        "darts_final", f"--output_dir={tmp_path}", "--train_epochs=1", "--data_limit=40",
        "--network_cells=2", "--network_channels=2",
    )
    trained = nas_tf.load(tmp_path)
    assert trained.summary()["parameters"] == nas_tf.parameters(
        "darts_v2", num_classes=10, input_shape=(16, 16, 1), channels=2, cells=2
    )
    assert "auxiliary" not in (tmp_path / "layers.csv").read_text()


def test_finished_it_says_so(done, capsys):
    again = [f"--flagfile={done / 'config.flags'}"]
    running.run(flags.parse(again))
    assert capsys.readouterr().out.count("\n") == 1


def test_finished_it_exports_what_is_missing(done, capsys):
    program = done / "saved_model" / "saved_model.pb"
    before = program.stat().st_mtime_ns
    running.run(
        flags.parse([f"--flagfile={done / 'config.flags'}", "--export=litert,saved_model"])
    )
    told, written = capsys.readouterr().out.splitlines()
    assert "this job is finished" in told and written == f"exported: {done / 'model.tflite'}"
    assert (done / "model.tflite").exists() and program.stat().st_mtime_ns == before


def test_it_predicts_a_folder_in_a_fresh_process_and_by_its_job(done, tmp_path):
    images = np.random.default_rng(0).integers(256, size=(2, 8, 8), dtype=np.uint8)
    (tmp_path / "photos").mkdir()
    for number, image in enumerate(images):
        Image.fromarray(image).save(tmp_path / "photos" / f"{number}.png")
    directory = execute(
        change({}, job="predict", model=str(done), images=str(tmp_path / "photos")), tmp_path / "out"
    )
    with open(directory / "predictions.csv", newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0][:3] == ["file", "class", "probability_0"] and [r[0] for r in rows[1:]] == [
        "0.png", "1.png"
    ]
    summary = json.loads((directory / "summary.json").read_text())
    assert summary["num_images"] == 2 and sum(summary["classes"].values()) == 2
    program = (
        "import os; os.environ['KERAS_BACKEND'] = 'tensorflow'\n"
        "import json, keras, numpy as np, nas_tf.layers\n"
        f"model = keras.models.load_model({str(done / 'model.keras')!r})\n"
        "images = np.random.default_rng(0).integers(256, size=(2, 8, 8), dtype=np.uint8)\n"
        "print(json.dumps(np.asarray(model(images[..., None])).tolist()))"
    )
    fresh = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=True
    )
    written = np.array(rows[1:])[:, 2:].astype(float)
    np.testing.assert_allclose(json.loads(fresh.stdout.splitlines()[-1]), written, atol=1e-5)


@pytest.mark.parametrize("arguments, message", [
    ((), "--job=train builds the network of an architecture: name it with --architecture=TEXT"),
    (("--architecture=darts_v9",), "--architecture: darts_v9: no architecture; expected a published"),
    (("--architecture=nowhere/at_all",), "--architecture: nowhere/at_all: no such file or directory"),
    (("--architecture=darts_v2", "--space=enas"), "--architecture: Genotype(normal="),
    ((f"--architecture={CELL}", "--epochs=3"), "it is called --train_epochs or --pretrain_epochs now"),
    ((f"--architecture={CELL}", "--seed=3"), "--job=train does not read it; a training has its own: -"),
    ((f"--architecture={CELL}", "--train_epochs=0"), "--train_epochs=0: expected at least 1"),
    ((f"--architecture={CELL}", "--data=mnist"), "--data=mnist: expected one of digits, cifar10"),
])  # fmt: skip
def test_a_mistake_is_one_line_before_anything_is_loaded(arguments, message):
    with pytest.raises(NasError) as caught:
        running.resolve(flags.parse(("--job=train", *arguments)))
    assert message in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("arguments, message", [
    (("--export=tflite",), "--export=tflite: expected some of saved_model, onnx, litert"),
    (("--data=folder",), "--data_path=None: data=folder needs the folder or archive where it is"),
    (("--train_batch_size=4000",), "--train_batch_size=4000: expected at most the "),
    (("--network_auxiliary",), "--network_auxiliary=True: networks of nasbench201 have none"),
])
def test_what_shows_later_is_one_line_with_its_flag(arguments, message, tmp_path):
    with pytest.raises(NasError) as caught:
        running.run(flags.parse((
            "--job=train", f"--architecture={CELL}", f"--output_dir={tmp_path / 'out'}", *arguments
        )))
    assert str(caught.value).startswith(message) and "\n" not in str(caught.value)


def test_another_architecture_is_refused_in_a_used_directory(done):
    with pytest.raises(NasError, match="holds a job with --architecture=.*, received --architecture="):
        running.run(flags.parse([f"--flagfile={done / 'config.flags'}", f"--architecture={CELL}"]))


@pytest.mark.parametrize("given, message", [
    ({}, "--job=predict says what a trained network takes images for"),
    ({"model": "x"}, "--images is missing"),
])
def test_predicting_takes_a_model_and_images(given, message):
    with pytest.raises(NasError, match=message):
        running.resolve(change({}, job="predict", **given))


def test_no_images_and_no_model_are_one_line(done, tmp_path):
    (tmp_path / "empty").mkdir()
    base = change({}, job="predict", output_dir=str(tmp_path / "out"))
    for given, message in (
        ({"model": str(done), "images": str(tmp_path / "empty")}, "empty: no images here"),
        ({"model": str(tmp_path), "images": str(tmp_path)}, "--model=.*: no such file, nor a director"),
    ):
        with pytest.raises(NasError, match=message):
            running.run(change(base, **given))
        assert not (tmp_path / "out").exists()
