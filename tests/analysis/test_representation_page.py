"""nas_tf/analysis/representation_page.py."""

import dataclasses
import re

import numpy as np
import pytest

from nas_tf.analysis.latent_distance import distance_relation
from nas_tf.analysis.latent_map import LatentMap
from nas_tf.analysis.predictive_power import predictive_power
from nas_tf.analysis.quality_table import QualityRow
from nas_tf.analysis.representation_page import Findings, representation_page, save_figures
from nas_tf.analysis.smoothness import walk_smoothness
from nas_tf.spaces.nasbench101 import NasBench101Space

SPACE = NasBench101Space(max_vertices=4)
CELLS = SPACE.enumerate_cells()


@pytest.fixture(scope="module")
def findings():
    """Of an embedding that counts edges and operations, and of a random one."""
    rng = np.random.default_rng(0)
    counts = np.stack([(CELLS.ops == op).sum(axis=1) for op in range(1, 4)], axis=1)
    embeddings = {
        "pre-trained": np.concatenate([counts, CELLS.num_edges[:, None]], axis=1) + 0.0,
        "supervised": rng.normal(size=(91, 4)),
    }
    accuracy = 0.5 + embeddings["pre-trained"] @ [0.05, 0.03, 0.01, 0.02]
    thresholds = (0.0, float(np.median(accuracy)))
    options = {"num_train": 30, "seeds": range(2), "thresholds": thresholds}
    names = embeddings.items()
    return Findings(
        space="NAS-Bench-101",
        op_names=SPACE.op_names,
        dataset="digits",
        epochs=36,
        num_cells=91,
        num_table_cells=91,
        num_learned=30,
        quality=[
            QualityRow(
                "arch2vec", (0,), 8, 91, np.array([[1.0, 0.5, np.nan]]),
                np.array([[1.0, 0.4, 0.9]]),
            )
        ],
        published_quality={"arch2vec": (1.0, 0.4497, 0.9969)},
        published_cells=91,
        quality_note="Much was tried.",
        published={"rmse": {"pre-trained": "0.018 ± 0.001"}, "neighbour_edits": {"pre-trained": "2.9"}},
        published_source="Someone, section 4.1",
        cells=CELLS,
        smoothness={
            k: walk_smoothness(CELLS, e, num_walks=3, length=6, seed=0) for k, e in names
        },
        distance={k: distance_relation(CELLS, e, seed=0) for k, e in names},
        prediction={k: predictive_power(e, accuracy, **options) for k, e in names},
        map={k: LatentMap(np.arange(91), e[:, :2], accuracy) for k, e in names},
    )


@pytest.fixture(scope="module")
def page(findings, tmp_path_factory):
    """The directory of the figures, and the page's text."""
    directory = tmp_path_factory.mktemp("page")
    return directory, representation_page(findings, save_figures(findings, directory))


def test_every_picture_of_the_page_is_there(page):
    directory, text = page
    names = re.findall(r"\]\((.*?\.png)\)", text)
    assert len(names) == len(set(names)) == 8
    for name in names:
        assert (directory / name).exists() and (directory / name).with_suffix(".svg").exists()


def test_the_numbers_stand_in_the_tables(findings, page):
    _, text = page
    row = "100.00 ± – | 50.00 ± – | no valid cell | 100.00 ± – | 40.00 ± – | 90.00 ± – |"
    assert f"| arch2vec, 8 passes, seed 0 | {row}" in text
    assert "Loose, as the released code of arch2vec counts: right entries: " in text
    walks = findings.smoothness["supervised"]
    row = f"| supervised | {walks.mean:.2f} ± {walks.std:.2f} | {walks.random_mean:.2f} |"
    assert row in text
    power = findings.prediction["pre-trained"]
    assert f"| {power.rmse_mean[1]:.4f} ± {power.rmse_std[1]:.4f} |" in text
    assert "Published: RMSE 0.018 ± 0.001 (pre-trained) (Someone, section 4.1)." in text
    assert "Published: edits between neighbours 2.9 (pre-trained) (Someone, section 4.1)." in text
    assert "trained on handwritten digits for 36 epochs." in text


def test_neighbours_stand_beside_random_pairs_where_distances_do(findings, page):
    text = page[1]
    section = text[text.index("## Distance") : text.index("## Map")]
    for name, walks in findings.smoothness.items():
        edits = f"{name} {walks.mean:.2f} ± {walks.std:.2f}, random pairs {walks.random_mean:.2f}"
        assert edits in section
    assert findings.numbers()["strict_measures"][0] == "reconstruction_accuracy"


def test_the_embedding_that_means_something_wins(findings):
    numbers = findings.numbers()["embeddings"]
    good, random = numbers["pre-trained"], numbers["supervised"]
    assert good["distance_spearman"] > random["distance_spearman"] + 0.2
    assert good["neighbour_edits_mean"] < random["neighbour_edits_mean"]
    assert good["rmse_mean"][0] < 0.5 * random["rmse_mean"][0]
    assert good["pearson_mean"][0] > 0.95


def test_without_accuracies_there_is_less_to_say(findings, tmp_path):
    some = dataclasses.replace(findings, dataset=None, prediction={}, map={}, published={})
    text = representation_page(some, save_figures(some, tmp_path))
    assert "## Predictive power" not in text and "## Map" not in text and "Published: RMSE" not in text
    assert "no table measures them" in text
    assert "rmse_mean" not in some.numbers()["embeddings"]["supervised"]
