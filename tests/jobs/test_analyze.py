"""--job=analyze: numbers, pictures and a page of an embedding."""

import json
import pathlib
import re
import shutil

import numpy as np
import pytest

from nas_tf.arch2vec import representation
from nas_tf.arch2vec.saving import load_model, save_model
from nas_tf.core import ConfigError
from nas_tf.spaces import registry as spaces
from nas_tf.spaces.darts import DartsSpace
from nas_tf.spaces.nasbench101 import NasBench101Space
from tests.job_runs import change, execute, interrupt

pytestmark = pytest.mark.usefixtures("undrawn")

# Settings that change what an analysis finds.
ANALYZE = {
    "gp_cells": 15,
    "gp_seeds": 3,
    "supervised_steps": 3,
    "walk_cells": 20,
    "map_cells": 40,
    "num_walks": 2,
    "walk_length": 4,
}


@pytest.fixture(scope="module")
def analysis(base, done, tmp_path_factory):
    """Settings and output directory of an analysis of the 91 cells of at most 4 vertices."""
    small = NasBench101Space(max_vertices=4)
    values = dict(gp_cells=20, gp_seeds=2, supervised_steps=4, walk_cells=30, map_cells=50)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spaces, "named", lambda name: small)
        settings = change(base, job="pretrain")
        model = execute(settings, tmp_path_factory.mktemp("model"))
        settings = change(
            base, job="analyze", pretrained=str(model), num_walks=3, walk_length=5, **values
        )
        yield settings, execute(settings, tmp_path_factory.mktemp("analysis"))


def steps_of(directory) -> pathlib.Path:
    """Returns where an analysis keeps its steps: of the only model and table it was made of."""
    (found,) = (directory / "steps").iterdir()
    return found


def test_an_analysis_leaves_numbers_pictures_and_a_page(analysis):
    _, directory = analysis
    summary = json.loads((directory / "summary.json").read_text())
    assert (summary["job"], summary["space"], summary["num_cells"]) == ("analyze", "nasbench101", 91)
    assert set(summary["embeddings"]) == {"pre-trained", "supervised"}
    for numbers in summary["embeddings"].values():
        assert -1 <= numbers["distance_spearman"] <= 1
        assert 1 <= numbers["neighbour_edits_mean"] <= 15
        assert len(numbers["rmse_mean"]) == len(numbers["thresholds"])
    assert [row["kind"] for row in summary["quality"]] == ["arch2vec"]
    page = (directory / "report.md").read_text()
    pictures = re.findall(r"\]\((.*?\.png)\)", page)
    assert len(pictures) == 8
    for name in pictures:
        assert (directory / name).read_bytes().startswith(b"\x89PNG")
        assert (directory / name).with_suffix(".svg").exists()
    assert (directory / "report.html").read_text().startswith("<!DOCTYPE html>")
    labels = (directory / "tensorboard" / "embedding_metadata.tsv").read_text().splitlines()
    assert len(labels) == 92
    assert labels[0].split("\t") == ["operations", "edges", "vertices", "validation accuracy"]


def test_settings_of_an_analysis_change_what_it_finds(analysis, tmp_path):
    """All but one at once: each shows in numbers of its own."""
    settings, before = analysis
    after = execute(change(settings, **ANALYZE), tmp_path / "all")

    def found(directory, name):
        return {
            embedding: np.load(steps_of(directory) / f"{name}_{embedding}.npz")
            for embedding in ("pre_trained", "supervised")
        }

    for name in found(after, "map"):
        prediction = found(after, "prediction")[name]
        assert prediction["rmse"].shape[0] == ANALYZE["gp_seeds"]
        assert prediction["counts"][0].max() == 91 - 2 * ANALYZE["gp_cells"]  # the encoder's too
        assert found(after, "distance")[name]["num_pairs"] < 20 * 19 / 2 + 1
        assert len(found(after, "map")[name]["points"]) == ANALYZE["map_cells"]
        walks = found(after, "smoothness")[name]["walks"]
        assert walks.shape == (ANALYZE["num_walks"], ANALYZE["walk_length"])
    only = {"supervised_steps": ANALYZE["supervised_steps"]}
    after = execute(change(settings, **only), tmp_path / "one")
    old, new = (found(directory, "embedding")["supervised"] for directory in (before, after))
    assert not np.array_equal(old["space"], new["space"])


def test_a_killed_analysis_goes_on_where_it_was(analysis, tmp_path, monkeypatch):
    settings, whole = analysis
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(representation, "walk_smoothness", interrupt)
        execute(settings, tmp_path)
    first = steps_of(tmp_path) / "embedding_pre_trained.npz"
    stamp = first.stat().st_mtime_ns
    (steps_of(tmp_path) / "distance_supervised.npz").write_bytes(b"damaged")
    execute(settings, tmp_path)
    assert first.stat().st_mtime_ns == stamp
    for path in steps_of(whole).iterdir():
        assert (steps_of(tmp_path) / path.name).read_bytes() == path.read_bytes(), path.name


def test_an_analysis_of_another_model_under_the_same_name(analysis, tmp_path, monkeypatch):
    settings, _ = analysis
    given = shutil.copytree(settings["pretrained"].value, tmp_path / "given")
    settings = change(settings, pretrained=str(given))
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(representation, "walk_smoothness", interrupt)
        execute(settings, tmp_path / "page")
    model = load_model(given / "model")
    model.set_weights([1.01 * weight for weight in model.get_weights()])
    save_model(given / "model", model)
    execute(settings, tmp_path / "page")
    assert len(list((tmp_path / "page" / "steps").iterdir())) == 2


@pytest.mark.parametrize(
    "values, message",
    [
        ({"gp_cells": 45}, "--gp_cells=45: expected at most 44, by the number of measured cells"),
        ({"walk_length": 92}, "--walk_length=92: expected at most 91, by the number of cells of nasbench101"),
        ({"num_walks": 92}, "--num_walks=92"),
        ({"map_cells": 30}, "--map_cells=30: expected more than 30 of the 91 measured cells, for a map"),
        ({"pretrained": None, "inputs": "MODEL"}, "same seed among 0, 0; leave one out"),
        ({"inputs": "MODEL,MODEL"}, "expected none of them twice"),
    ],
)
def test_mistakes_of_an_analysis_are_told_before_it_begins(analysis, tmp_path, values, message):
    settings, _ = analysis
    if "inputs" in values:
        model = settings["pretrained"].value
        values = values | {"inputs": values["inputs"].replace("MODEL", model)}
        values |= {"pretrain_cells": "space"} if "pretrained" in values else {}
    with pytest.raises(ConfigError) as caught:
        execute(change(settings, **values), tmp_path)
    assert message in str(caught.value) and "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_an_analysis_without_a_table_has_one_embedding(analysis, monkeypatch, tmp_path, drawn):
    monkeypatch.setattr(spaces, "named", lambda name: DartsSpace(num_cells=200))
    settings = change(analysis[0], space="darts", nasbench101_records=None, pretrained=None,
                      pretrain_cells="space")
    with drawn():
        directory = execute(settings, tmp_path)
    summary = json.loads((directory / "summary.json").read_text())
    assert list(summary["embeddings"]) == ["pre-trained"] and summary["table"] is None
    assert "## Predictive power" not in (directory / "report.md").read_text()
