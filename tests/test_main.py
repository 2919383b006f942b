"""The command as a user runs it: real processes, a small synthetic table."""

import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

import numpy as np
import pytest

import nas_tf
from nas_tf import main
from tests.forked import Forked

ROOT = pathlib.Path(__file__).parents[1]
RUNS, QUERIES = 6, 40


@pytest.fixture(scope="module")
def arguments(records):
    """A study that takes seconds."""
    return [
        "--flagfile=configs/nb101_rl.flags",
        f"--nasbench101_records={records}",
        f"--num_runs={RUNS}",
        f"--num_queries={QUERIES}",
        "--pretrain_cells=table",
        "--pretrain_epochs=2",
        "--pretrain_batch_size=8",
        "--nopretrain_jit_compile",
        "--checkpoint_sec=0",
    ]


def with_model(arguments, directory):
    """Returns a search in the model of another job, which pre-trains nothing."""
    kept = [one for one in arguments if "pretrain_" not in one]
    return [*kept, f"--pretrained={directory}"]


def command(arguments, directory):
    return [sys.executable, "-m", "nas_tf.main", *arguments, f"--output_dir={directory}"]


def run(arguments, directory, **options):
    return subprocess.run(
        command(arguments, directory), cwd=ROOT, capture_output=True, text=True, **options
    )


def run_forked(arguments, directory):
    """As `run`, in a process that has TensorFlow from the start: where that makes no difference."""
    with tempfile.TemporaryDirectory() as folder:
        own = [*arguments, f"--output_dir={directory}"]
        process = Forked(main_program, own, errors=pathlib.Path(folder) / "errors")
        status = process.wait()
        return subprocess.CompletedProcess(own, status, process.output(), process.errors())


def main_program(arguments):
    """Is the forked process."""
    os.chdir(ROOT)
    sys.exit(main.run(arguments))


def error_line(result):
    """The one line a user gets; fails if there was a traceback or more than a line."""
    assert result.returncode == 1, result.stdout + result.stderr
    assert "Traceback" not in result.stderr
    lines = [line for line in result.stderr.splitlines() if line.startswith("nas_tf: ")]
    assert len(lines) == 1, result.stderr
    return lines[0].removeprefix("nas_tf: ")


@pytest.fixture(scope="module")
def finished(arguments, tmp_path_factory):
    """A study that nothing disturbed."""
    directory = tmp_path_factory.mktemp("finished")
    result = run(arguments, directory)
    assert result.returncode == 0, result.stderr
    return directory, result


def test_the_job_leaves_what_scripts_depend_on(finished, records):
    directory, result = finished
    assert f"table: synthetic, 91 cells, {records}" in result.stdout
    summary = json.loads((directory / "summary.json").read_text())
    assert summary["job"] == "search"
    assert summary["space"] == "nasbench101"
    assert summary["strategy"] == "arch2vec_rl"
    assert (summary["num_runs"], summary["num_queries"], summary["seed"]) == (RUNS, QUERIES, 0)
    assert (summary["table_path"], summary["table_num_cells"]) == (str(records), 91)
    assert set(summary["incumbent"]) == {
        "validation_accuracy_mean",
        "validation_accuracy_std",
        "test_accuracy_mean",
        "test_accuracy_std",
        "test_regret_mean",
    }
    assert list(summary["curve"]) == ["1", "2", "5", "10", "20", "40"]
    assert summary["curve"]["40"] == summary["incumbent"]
    assert summary["evaluation_cost_sec_mean"] > 0
    assert summary["wall_sec"] > summary["search_sec"] > 0
    assert summary["versions"]["keras"].startswith("3.")


def test_the_trace_agrees_with_the_summary(finished):
    directory, _ = finished
    summary = json.loads((directory / "summary.json").read_text())
    with np.load(directory / "trace.npz") as trace:
        assert {name: trace[name].shape for name in trace} == dict.fromkeys(
            ["key", "validation_accuracy", "test_accuracy", "cost_sec", "partial", "incumbent"],
            (RUNS, QUERIES),
        ) | {"keys_version": ()}
        assert trace["keys_version"] == summary["keys_version"] == 2
        assert trace["key"].dtype == np.uint64
        assert all(len(set(keys)) == QUERIES for keys in trace["key"])
        last = trace["incumbent"][:, -1]
        assert np.array_equal(last, trace["validation_accuracy"].argmax(axis=1))
        test = trace["test_accuracy"][np.arange(RUNS), last]
        assert summary["incumbent"]["test_accuracy_mean"] == pytest.approx(test.mean())


def test_pictures_events_and_model_are_there(finished):
    directory, _ = finished
    for name in ("regret.png", "incumbents.png", "best_cells.png"):
        assert (directory / name).read_bytes().startswith(b"\x89PNG")
        assert name in (directory / "report.md").read_text()
    assert list((directory / "tensorboard").glob("events.*"))
    assert (directory / "tensorboard" / "projector_config.pbtxt").exists()
    assert (directory / "model" / "weights.npz").exists()


def test_a_finished_job_is_not_run_again(finished, arguments):
    directory, _ = finished
    before = (directory / "summary.json").read_bytes()
    result = run_forked(arguments, directory)
    assert result.returncode == 0
    assert "this job is finished" in result.stdout
    assert (directory / "summary.json").read_bytes() == before


@pytest.fixture
def other_keras(tmp_path):
    """An environment whose Keras and Matplotlib are set to what the library cannot work with."""
    settings = {"floatx": "float64", "backend": "jax", "image_data_format": "channels_first"}
    (tmp_path / "keras.json").write_text(json.dumps(settings))
    return os.environ | {
        "KERAS_BACKEND": "jax", "KERAS_HOME": str(tmp_path), "TF_USE_LEGACY_KERAS": "1",
        "MPLBACKEND": "no_such",
    }  # fmt: skip


def wait_for(path, process):
    """Waits until a process has written a file."""
    while not path.exists():
        assert process.poll() is None, process.stdout.read()
        time.sleep(0.005)


def test_a_killed_job_ends_with_the_same_trace(finished, tmp_path, other_keras):
    """Killed in the pre-training and again in the search.

    On the way `config.flags` repeats a job, a second job cannot share the directory of one that is
    alive, and the user's Keras does not matter.
    """
    own, out = [f"--flagfile={finished[0] / 'config.flags'}"], tmp_path / "out"
    for checkpoint in ("pretraining/ckpt-1.index", "search.npz"):
        job = subprocess.Popen(
            command(own, out), cwd=ROOT, env=other_keras, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        try:
            wait_for(out / "checkpoints" / checkpoint, job)
            job.send_signal(signal.SIGSTOP)
            if checkpoint != "search.npz":
                line = error_line(run_forked(own, out))
                assert line.startswith(f"{out} is in use by another job (process {job.pid})")
        finally:
            job.kill()
            job.communicate()
        assert not (out / "trace.npz").exists()
    result = run(own, out, env=other_keras)
    assert result.returncode == 0, result.stderr
    assert (out / "trace.npz").read_bytes() == (finished[0] / "trace.npz").read_bytes()


def test_two_replicas_give_the_search_trace_of_one(finished, arguments, tmp_path):
    directory, _ = finished
    result = run_forked(
        [*with_model(arguments, directory), "--distribution=mirrored", "--cpu_devices=2"],
        tmp_path,
    )
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "trace.npz").read_bytes() == (directory / "trace.npz").read_bytes()


def test_pretraining_alone(records, tmp_path):
    result = run_forked(
        [
            "--flagfile=configs/pretrain_nb101.flags",
            "--pretrain_cells=table",
            f"--nasbench101_records={records}",
            "--pretrain_epochs=2",
            "--pretrain_batch_size=8",
            "--nopretrain_jit_compile",
        ],
        tmp_path,
    )
    assert result.returncode == 0, result.stderr
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert summary["job"] == "pretrain"
    assert (summary["num_cells"], summary["epochs"], summary["seed"]) == (91, 2, 0)
    for name in ("reconstruction_accuracy", "validity"):
        assert 0 <= summary[name] <= 1
    assert {"uniqueness", "graphs_per_sec"} <= set(summary)
    assert (tmp_path / "losses.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    "how, bad, message",
    [
        (run_forked, ["--num_queries=92"], "--num_queries=92: synthetic has only 91 cells"),
        (run, ["extra"], "extra: unexpected argument"),
    ],
    ids=["jobs", "main"],
)
def test_bad_input_gets_one_line(arguments, tmp_path, how, bad, message):
    line = error_line(how([*arguments, *bad], tmp_path))
    assert message in line
    assert not (tmp_path / "summary.json").exists()


@pytest.mark.parametrize(
    "bad, message",
    [
        ("--num_qeuries=5", "Unknown command line flag 'num_qeuries'. Did you mean: num_queries"),
        ("--strategy=magic", "--strategy=magic: expected one of gaussian_process, arch2vec_rl, "),
        ("--flagfile=no/such.flags", "no/such.flags"),
        ("--nostandardize=false", "--nostandardize=false does not take an argument"),
        ("--num_queries=None", "'none', in small letters"),
    ],
)
def test_unknown_flags_and_values(tmp_path, bad, message):
    assert message in error_line(run([bad], tmp_path))


def without_tensorflow(*arguments):
    """Runs the command in a process that must not import TensorFlow."""
    code = (
        "import sys, nas_tf.main as main\n"
        f"status = main.run({arguments!r})\n"
        "assert 'tensorflow' not in sys.modules\nsys.exit(status)"
    )
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert (result.returncode, result.stderr) == (0, "")
    return result.stdout


def test_help_names_every_flag_without_loading_tensorflow():
    text = without_tensorflow("--help")
    for name in ("--num_queries", "--pretrain_kl_weight", "--[no]pretrain_positions", "--nasbench101_records"):
        assert name in text
    assert without_tensorflow("--flagfile=nb101_rl", "-h") == text


def test_the_package_is_the_command():
    for module in ("nas_tf", "nas_tf.main"):
        result = subprocess.run(
            [sys.executable, "-m", module, "--version"], cwd=ROOT, capture_output=True, text=True
        )
        assert (result.returncode, result.stdout) == (0, f"nas_tf {nas_tf.__version__}\n")
    assert without_tensorflow("--version") == f"nas_tf {nas_tf.__version__}\n"


RANDOM = ("--flagfile=nb101_random", "--num_runs=2", "--num_queries=10")


@pytest.mark.parametrize(
    "settings, reason",
    [("[]", ""), ('{"floatx": []}', ""), ('{"floatx": "float7"}', "Invalid `floatx`")],
)
def test_a_keras_json_that_is_none_is_one_line(tmp_path, other_keras, settings, reason):
    (tmp_path / "keras.json").write_text(settings)
    environment = other_keras if reason else os.environ | {"KERAS_HOME": str(tmp_path)}
    line = error_line(run(RANDOM, tmp_path / "out", env=environment))
    assert line.startswith(f"Keras refuses its settings, keras.json or KERAS_*: {reason}")


@pytest.fixture
def started(tmp_path):
    """Returns a function that starts a job and what it has printed first."""
    processes = []

    def start(*arguments):
        process = subprocess.Popen(
            command(arguments, tmp_path / "out"), cwd=ROOT, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        processes.append(process)
        return process, process.stdout.readline()

    yield start
    for process in processes:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("number, status, word", [
    (signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated"),
])  # fmt: skip
def test_a_signal_while_the_libraries_load(started, tmp_path, number, status, word):
    process, line = started("--flagfile=nb101_rl")
    assert line == f"nas_tf {nas_tf.__version__}: search, results go to {tmp_path / 'out'}\n"
    process.send_signal(number)
    _, errors = process.communicate()
    assert (process.returncode, errors) == (status, f"nas_tf: {word}\n")
    assert not (tmp_path / "out").exists()


def test_signals_during_a_search(started, arguments, finished, tmp_path):
    """A job goes on after Ctrl-C, and after the SIGTERM that ended it the second time."""
    own = with_model(arguments, finished[0])
    checkpoint = tmp_path / "out" / "checkpoints" / "search.npz"
    for number, status in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
        before = checkpoint.stat().st_mtime_ns if checkpoint.exists() else 0
        process, _ = started(*own)
        while not checkpoint.exists() or checkpoint.stat().st_mtime_ns == before:
            assert process.poll() is None
            time.sleep(0.005)
        process.send_signal(number)
        _, errors = process.communicate()
        assert process.returncode == status, errors
        lines = [line for line in errors.splitlines() if "nas_tf: " in line]
        assert len(lines) == 1 and "the same command goes on" in lines[0]
        assert "Traceback" not in errors
    result = run_forked(own, tmp_path / "out")
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "out" / "trace.npz").read_bytes() == (finished[0] / "trace.npz").read_bytes()
