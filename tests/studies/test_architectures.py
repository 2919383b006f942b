"""nas_tf/studies/architectures.py: `nas_tf.architecture` and the directories that jobs leave."""

import json
import pathlib
import re
import subprocess
import sys

import numpy as np
import pytest

import nas_tf
from nas_tf.core import ConfigError, DataError, InvalidArchitectureError
from nas_tf.spaces import registry

PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs" / "architectures.md"
OPTIONS = {"num_runs": 2, "num_queries": 10, "progress": False}


def _measured(value):
    """Accuracy of an ENAS network: the share of 3x3 convolutions."""
    return value["ops"].count("conv_3x3") / 12


@pytest.fixture(scope="module")
def searched(tmp_path_factory):
    """Directory of a search of a space that cannot be listed."""
    directory = tmp_path_factory.mktemp("searched")
    benchmark = nas_tf.benchmarks.measured(registry.named("enas"), _measured)
    nas_tf.search(benchmark, nas_tf.RandomSearch(), output_dir=directory, **OPTIONS)
    return directory


def test_texts_and_files(tmp_path):
    assert nas_tf.architecture("darts_v2").space == "darts"
    path = tmp_path / "cell.txt"
    path.write_text("0-1 0-2", encoding="utf-8")
    assert nas_tf.architecture(path, "randwire") == nas_tf.architecture("0-1 0-2")
    with pytest.raises(DataError, match="runs/nothing: no such file or directory"):
        nas_tf.architecture("runs/nothing")


def test_reading_does_not_import_tensorflow():
    program = (
        "import sys, nas_tf; nas_tf.architecture('darts_v2'); "
        "print(*sorted({'tensorflow', 'keras'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == "\n", done.stderr


def test_the_example_of_the_page_runs(capsys):
    (example,) = re.findall(r"^```python\n(.*?)^```", PAGE.read_text("utf-8"), re.M | re.S)
    exec(compile(example, str(PAGE), "exec"), {})
    assert "32 nodes, 32: 0-1 0-2 1-3 2-3" in capsys.readouterr().out


def test_the_best_of_a_search(searched):
    study = nas_tf.load(searched)
    cells, accuracy = study.history.cells.reshape(-1), study.history.validation_accuracy.ravel()
    found = [nas_tf.architecture(f"{searched}#{number}") for number in (1, 2, 3, 20)]
    assert nas_tf.architecture(searched) == nas_tf.architecture(str(searched), "enas") == found[0]
    assert len({one.key for one in found}) == 4
    best = np.sort(accuracy)[::-1]
    assert [_measured(one.value()) for one in found] == best[[0, 1, 2, 19]].tolist()
    assert all(one.cells().keys[0] in cells.keys for one in found)
    with pytest.raises(ConfigError, match=r"#21: the directory holds 20 architectures$"):
        nas_tf.architecture(f"{searched}#21")
    with pytest.raises(InvalidArchitectureError, match="of space enas; expected one of darts"):
        nas_tf.architecture(searched, "darts")


def test_the_best_of_a_search_of_a_pool(tmp_path):
    benchmark = nas_tf.benchmarks.measured(
        registry.named("nasbench201"), lambda value: value["arch_str"].count("nor_conv_3x3") / 6
    )
    study = nas_tf.search(benchmark, nas_tf.RandomSearch(), output_dir=tmp_path, **OPTIONS)
    for number, best in enumerate(study.best_cells(3), 1):
        one = nas_tf.architecture(f"{tmp_path}#{number}")
        assert one.cells().keys[0] == best.key
        assert one.ops.count("nor_conv_3x3") / 6 == best.validation_accuracy


def test_one_that_a_search_could_not_build_does_not_count(tmp_path):
    def measure(value):
        if value["ops"][0] != "conv_3x3":
            raise InvalidArchitectureError("not this one")
        return 0.5

    benchmark = nas_tf.benchmarks.measured(registry.named("enas"), measure)
    study = nas_tf.search(benchmark, nas_tf.RandomSearch(), output_dir=tmp_path, **OPTIONS)
    count = int((~np.isnan(study.history.validation_accuracy)).sum())
    assert nas_tf.architecture(f"{tmp_path}#{count}").ops[0] == "conv_3x3"
    with pytest.raises(ConfigError, match=f"#{count + 1}: the directory holds {count} architectur"):
        nas_tf.architecture(f"{tmp_path}#{count + 1}")


@pytest.mark.parametrize("name", registry.NAMES)
def test_samples_in_their_order(name, tmp_path):
    space = registry.named(name)
    cells = space.random_cells(np.random.default_rng(0), (3,))[np.array([0, 0, 1, 2])]
    wanted = space.architectures(cells)
    records = []
    for index in range(4):
        matrix, ops = cells.matrix(index)
        records.append({"matrix": matrix.tolist(), "ops": [space.op_names[op] for op in ops],
                        "log_prob": -1.5})
    (tmp_path / "samples.json").write_text(json.dumps({"space": name, "cells": records}))
    (tmp_path / "summary.json").write_text(json.dumps({"job": "sample", "space": name}))
    assert nas_tf.architecture(tmp_path) == wanted[0]
    assert [nas_tf.architecture(f"{tmp_path}#{number}") for number in (2, 3)] == wanted[2:]
    with pytest.raises(ConfigError, match="#4: the directory holds 3 architectures"):
        nas_tf.architecture(f"{tmp_path}#4")
    records[0]["ops"][0] = "luck"
    (tmp_path / "samples.json").write_text(json.dumps({"space": name, "cells": records}))
    with pytest.raises(DataError, match=r"samples.json: damaged \(.*\); run the job again"):
        nas_tf.architecture(tmp_path)


def test_what_was_trained(tmp_path):
    wanted = nas_tf.architecture("darts_v1")
    summary = {"job": "train", "space": "darts", "architecture": wanted.text()}
    (tmp_path / "summary.json").write_text(json.dumps(summary))
    assert nas_tf.architecture(tmp_path) == wanted
    with pytest.raises(ConfigError, match="#2: the directory holds 1 architectures"):
        nas_tf.architecture(f"{tmp_path}#2")
    (tmp_path / "summary.json").write_text(json.dumps(summary | {"architecture": "luck"}))
    with pytest.raises(DataError, match="summary.json: architecture: .*luck.*: expected Genotype"):
        nas_tf.architecture(tmp_path)


def test_other_directories(tmp_path):
    with pytest.raises(ConfigError, match="expected the directory of a finished job; it has no summ"):
        nas_tf.architecture(tmp_path)
    (tmp_path / "summary.json").write_text('{"job": "pretrain", "space": "darts"}')
    with pytest.raises(ConfigError, match="of --job=pretrain; expected a search, samples or a train"):
        nas_tf.architecture(tmp_path)
    for job in ("search", "sample"):
        (tmp_path / "summary.json").write_text(json.dumps({"job": job, "space": "mlp"}))
        with pytest.raises(ConfigError, match="its cells are of space mlp, which has no networks"):
            nas_tf.architecture(tmp_path)


def test_a_directory_may_have_a_number_sign(searched, tmp_path):
    place = tmp_path / "run#2"
    place.mkdir()
    for name in ("summary.json", "trace.npz"):
        (place / name).write_bytes((searched / name).read_bytes())
    assert nas_tf.architecture(place) == nas_tf.architecture(searched)
    assert nas_tf.architecture(f"{place}#2") == nas_tf.architecture(f"{searched}#2")
