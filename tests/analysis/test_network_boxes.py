"""nas_tf/analysis/network_boxes.py: blocks, boxes and edges of small networks."""

import numpy as np
import pytest

from nas_tf.analysis.network_boxes import Boxes
from nas_tf.networks import enas, randwire, registry, resnet

GRAPH = np.array([[0, 1, 0, 1], [0, 0, 0, 0], [0, 0, 0, 1], [0, 0, 0, 0]])
CHAIN = np.array([[0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1], [0, 0, 0, 0]])
SMALL = {"input_shape": (8, 8, 1), "num_classes": 2, "channels": 4}


@pytest.fixture(scope="module")
def boxes():
    return Boxes(randwire.build_network([GRAPH, CHAIN, GRAPH], **SMALL))


def _edges(panel):
    """Returns the edges as pairs of labels."""
    return sorted((panel.labels[a], panel.labels[b]) for a, b in zip(*np.nonzero(panel.matrix)))


def test_the_overview_is_a_row_of_blocks_and_what_stands_beside_them(boxes):
    panel = boxes.overview()
    labels = (
        "images", "stem1 3×3", "stem2 sep 3×3", "stage1", "stage2", "stage3", "head", "logits"
    )
    assert panel.labels == labels
    assert _edges(panel) == sorted(zip(labels, labels[1:]))


def test_stages_of_one_graph_are_one_kind(boxes):
    (first, panel), (second, chain) = boxes.kinds()
    assert (first, second) == (["stage1", "stage3"], ["stage2"])
    assert _edges(panel) == [
        ("0", "1"), ("0", "3"), ("1", "mean"), ("2", "3"), ("3", "mean"), ("input", "0"),
        ("input", "2"),
    ]
    assert set(panel.operations) == {"input", "sep 3×3", "mean"}
    assert chain.labels == ("input", "0", "1", "2", "3")
    assert boxes.output("stage3") == (1, 1, 16)


@pytest.mark.parametrize("form", ["nni", "enas"])
def test_skip_connections_lead_through_reductions(form):
    skips = ((), (1,), (0, 1), (1, 0, 0))
    ops = ("conv_3x3", "avg_pool_3x3", "sep_conv_5x5", "max_pool_3x3")
    boxes = Boxes(enas.build_network(ops, skips, form=form, **SMALL))
    assert boxes.led_through == ["reduction1", "reduction2"] and not boxes.kinds()
    assert _edges(boxes.overview()) == sorted([
        ("images", "stem 3×3"), ("stem 3×3", "1  3×3"), ("1  3×3", "2  avg pool"),
        ("stem 3×3", "2  avg pool"), ("2  avg pool", "3  sep 5×5"), ("1  3×3", "3  sep 5×5"),
        ("3  sep 5×5", "4  max pool"), ("stem 3×3", "4  max pool"), ("4  max pool", "head"),
        ("head", "logits"),
    ])


def test_edges_of_a_cell_say_what_they_do():
    cell = "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|none~0|none~1|nor_conv_3x3~2|"
    boxes = Boxes(registry.build(cell, channels=4, cells=1, input_shape=(8, 8, 1)))
    ((_, panel),) = boxes.kinds()
    assert sorted(panel.labels) == ["+", "3×3", "3×3", "3×3", "3×3", "input"]


def test_blocks_of_stages_are_drawn_by_kind(monkeypatch):
    monkeypatch.setitem(resnet.VARIANTS, "short", resnet.Variant((2, 1, 1, 1), bottleneck=False))
    boxes = Boxes(resnet.build_network("short", **SMALL))
    assert boxes.overview().labels == (
        "images", "stem 3×3", "stage1: 2 blocks", "stage2", "stage3", "stage4", "logits"
    )
    (plain, first), (projected, second) = boxes.kinds()
    assert plain == ["stage1_block1", "stage1_block2"] and len(projected) == 3
    assert first.labels == ("input", "3×3", "3×3", "+", "relu")
    assert sorted(second.labels) == ["+", "1×1", "3×3", "3×3", "input", "relu"]
