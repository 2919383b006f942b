"""The writer of synthetic record files."""

import numpy as np
import pytest

from nas_tf.spaces import nasbench101 as space
from nas_tf.tables import nasbench101
from tools import make_nasbench101_records


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("NAS_TF_CACHE", str(tmp_path / "cache"))


def test_command_line_writes_a_readable_file(tmp_path, capsys):
    path = tmp_path / "synthetic.tfrecord.gz"
    arguments = ["--max_vertices=3", "--epochs", "4", "12", "--repeats=2", "--compress"]
    assert make_nasbench101_records.main([f"--output={path}", *arguments]) == 0
    assert "28 records of invented metrics" in capsys.readouterr().out
    table = nasbench101.NasBench101Table.load(path)
    assert (table.num_cells, table.epochs, table.num_repeats) == (7, (4, 12), 2)


def test_the_same_seed_gives_the_same_file(tmp_path):
    paths = [tmp_path / name for name in ("a_synthetic", "b_synthetic", "c_synthetic")]
    for path, seed in zip(paths, (1, 1, 2)):
        make_nasbench101_records.write_file(path, max_vertices=3, seed=seed)
    contents = [path.read_bytes() for path in paths]
    assert contents[0] == contents[1] != contents[2]


def test_more_training_and_more_convolutions_are_better(tmp_path):
    path = tmp_path / "synthetic.tfrecord"
    make_nasbench101_records.write_file(path, max_vertices=4, epochs=(4, 108))
    table = nasbench101.NasBench101Table.load(path)
    accuracy = table.validation_accuracy.mean(axis=2)
    assert (accuracy[:, 1, 1] > accuracy[:, 0, 1]).all()
    assert (table.training_time_sec[..., 1] > table.training_time_sec[..., 0]).all()
    chain = (table.cells.num_nodes == 3) & (table.cells.num_edges == 2)
    by_op = {int(table.cells.ops[i, 1]): accuracy[i, 1, 1] for i in np.flatnonzero(chain)}
    assert by_op[space.CONV3X3] > by_op[space.CONV1X1] > by_op[space.MAXPOOL3X3]


def test_depth_is_the_longest_path():
    cells = space.CellGraphs.from_matrices(
        [[[0, 1], [0, 0]], [[0, 1, 1, 1], [0, 0, 1, 0], [0, 0, 0, 1], [0, 0, 0, 0]]],
        [[0, 4], [0, 1, 2, 4]], 7,
    )
    assert make_nasbench101_records.depth(cells).tolist() == [1, 3]


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--output={}/nasbench.tfrecord"], "'synthetic' in it"),
        (["--output={}/synthetic.tfrecord", "--compress"], ".gz with --compress"),
        (["--output={}/synthetic.tfrecord.gz"], ".gz with --compress"),
        (["--output={}/synthetic", "--repeats=0"], "--repeats=0"),
        (["--output={}/synthetic", "--max_vertices=9"], "max_vertices=9"),
    ],
)
def test_refusals_are_one_line_and_write_nothing(tmp_path, capsys, arguments, message):
    arguments = [item.format(tmp_path) for item in arguments]
    assert make_nasbench101_records.main(arguments) == 1
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1
    assert not [path for path in tmp_path.iterdir() if path.is_file()]


def test_metrics_lie_in_range():
    metrics, parameters = make_nasbench101_records.invent_metrics(
        space.enumerate_cells(5), epochs=108, repeats=3, rng=np.random.default_rng(0)
    )
    assert metrics.shape == (2532, 3, 3, 5) and parameters.shape == (2532,)
    assert np.isfinite(metrics).all()
    assert (metrics[..., 2:] >= 0).all() and (metrics[..., 2:] <= 1).all()
