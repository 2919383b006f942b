"""nas_tf/reports/representation_page.py."""

import dataclasses
import re

import numpy as np
import pytest

from nas_tf.analysis.measures import LOOSE, STRICT
from nas_tf.arch2vec.latent_distance import distance_relation
from nas_tf.arch2vec.latent_map import LatentMap
from nas_tf.arch2vec.predictive_power import predictive_power
from nas_tf.arch2vec.representation import Representation
from nas_tf.reports.autoencoders import QualityRow
from nas_tf.reports.representation_page import (
    Findings, representation_page, write_representation_page,
)
from nas_tf.arch2vec.smoothness import walk_smoothness
from nas_tf.spaces.nasbench101 import NasBench101Space

SPACE = NasBench101Space(max_vertices=4)
CELLS = SPACE.enumerate_cells()
QUALITY = {
    name: np.array([value])
    for name, value in zip((*LOOSE, *STRICT), (1.0, 0.0, np.nan, 1.0, 0.4, 0.9))
}


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
        space=SPACE,
        dataset="digits",
        epochs=36,
        num_table_cells=91,
        num_learned=30,
        quality=[QualityRow("arch2vec", (0,), 8, 423_624, QUALITY)],
        found=Representation(
            cells=CELLS,
            smoothness={
                k: walk_smoothness(CELLS, e, num_walks=3, length=6, seed=0) for k, e in names
            },
            distance={k: distance_relation(CELLS, e, seed=0) for k, e in names},
            prediction={k: predictive_power(e, accuracy, **options) for k, e in names},
            map={k: LatentMap(np.arange(91), e[:, :2], accuracy) for k, e in names},
        ),
    )


@pytest.fixture(scope="module")
def page(findings, tmp_path_factory):
    """The directory of the figures, and the page's text."""
    directory = tmp_path_factory.mktemp("page")
    write_representation_page(directory, findings)
    return directory, (directory / "report.md").read_text("utf-8")


def test_every_picture_of_the_page_is_there(page):
    directory, text = page
    names = re.findall(r"\]\((.*?\.png)\)", text)
    assert len(names) == len(set(names)) == 8
    for name in names:
        assert (directory / name).exists() and (directory / name).with_suffix(".svg").exists()
    assert (directory / "report.html").read_text("utf-8").count("data:image/png") == 8


def test_the_numbers_stand_in_the_tables(findings, page):
    _, text = page
    row = "100.00 | 0.00 | no valid cell | 100.00 | 40.00 | 90.00 |"
    assert f"| arch2vec | 8 | 0 | {row}" in text
    assert "| arch2vec, published | – | – | 100.00 | 44.97 | 99.69 |" in text
    assert "Loose, as the released code of arch2vec counts: right entries: " in text
    numbers = findings.numbers()["embeddings"]
    edits = "{neighbour_edits_mean:.2f} ± {neighbour_edits_std:.2f} | {random_edits_mean:.2f} |"
    for name, found in numbers.items():
        rho = f"{found['distance_spearman']:.2f}"
        assert f"| {name} | 4,095 | {rho} | {edits.format(**found)}" in text
    assert "| 2.9 |\n" in text and "Published RMSE" not in text  # of other accuracies
    power = numbers["pre-trained"]
    assert f"| {power['rmse_mean'][1]:.4f} ± {power['rmse_std'][1]:.4f} |" in text
    assert "of networks trained on handwritten digits for 36 epochs |" in text


def test_published_numbers_of_the_same_accuracies(findings):
    text = representation_page(dataclasses.replace(findings, dataset="cifar10", epochs=108))
    assert "| 2.9 | 0.018 ± 0.001 | 0.67 ± 0.02 |\n" in text
    assert "| Published | arch2vec, section 4.1 |" in text


def test_numbers_by_hand(findings):
    numbers = findings.numbers()
    walks = findings.found.smoothness["supervised"].edit_distances.mean(axis=1)
    found = numbers["embeddings"]["supervised"]
    assert found["neighbour_edits_mean"] == pytest.approx(walks.mean())
    assert found["neighbour_edits_std"] == pytest.approx(walks.std(ddof=1))
    rmse = findings.found.prediction["supervised"].rmse
    np.testing.assert_allclose(found["rmse_std"], rmse.std(axis=0, ddof=1))
    assert numbers["strict_measures"][0] == "reconstruction_accuracy"
    assert numbers["num_cells"] == 91


def test_without_accuracies_there_is_less_to_say(findings):
    found = dataclasses.replace(findings.found, prediction={}, map={})
    some = dataclasses.replace(findings, dataset=None, epochs=None, found=found)
    text = representation_page(some)
    for words in ("## Predictive power", "## Map", "Published RMSE", "Supervised embedding"):
        assert words not in text
    assert "| none: no table |" in text
    assert "rmse_mean" not in some.numbers()["embeddings"]["supervised"]
