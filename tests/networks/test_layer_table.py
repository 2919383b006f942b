"""nas_tf/networks/layer_table.py: every number by hand, and the three forms of the table."""

import keras
import numpy as np
import pytest
from keras import layers

from nas_tf.networks.layer_table import layer_table, multiply_adds, parameters


@pytest.fixture(scope="module")
def model():
    """Every kind of layer that multiplies; the last convolution serves two tensors."""
    images = layers.Input((8, 6, 2), name="images")
    net = layers.Conv2D(4, 3, 2, "same", name="conv")(images)
    net = layers.BatchNormalization(name="norm")(net)
    grouped = layers.Conv2D(4, 3, padding="same", groups=2, use_bias=False, name="grouped")(net)
    depthwise = layers.DepthwiseConv2D(3, padding="same", name="depthwise")(net)
    shared = layers.Conv2D(2, 1, use_bias=False, name="shared")
    net = layers.Concatenate(name="join")([shared(grouped), shared(depthwise)])
    net = layers.SeparableConv2D(5, 5, name="separable", padding="same", use_bias=False)(net)
    net = layers.GlobalAveragePooling2D(name="mean")(net)
    return keras.Model(images, layers.Dense(3, name="logits")(net), name="toy")


# Parameters and multiply-adds; images are 8 x 6, later 4 x 3.
EXPECTED = {
    "conv": ((4, 3, 4), 3 * 3 * 2 * 4 + 4, 12 * 9 * 2 * 4),
    "norm": ((4, 3, 4), 8, 0),  # moving statistics are no parameters
    "grouped": ((4, 3, 4), 3 * 3 * 2 * 4, 12 * 9 * 2 * 4),
    "depthwise": ((4, 3, 4), 3 * 3 * 4 + 4, 12 * 9 * 4),
    "shared": ((4, 3, 2), 4 * 2, 2 * 12 * 4 * 2),
    "join": ((4, 3, 4), 0, 0),
    "separable": ((4, 3, 5), 5 * 5 * 4 + 4 * 5, 12 * (25 * 4 + 4 * 5)),
    "mean": ((5,), 0, 0),
    "logits": ((3,), 18, 15),
}


def test_rows_are_what_is_counted_by_hand(model):
    rows = {row.name: row for row in layer_table(model).rows}
    found = {name: (row.output, row.parameters, row.multiply_adds) for name, row in rows.items()}
    assert found == EXPECTED
    assert rows["separable"].type == "SeparableConv2D"


def test_sums(model):
    sizes, work = (sum(row[column] for row in EXPECTED.values()) for column in (1, 2))
    table = layer_table(model)
    assert (table.parameters, table.multiply_adds) == (sizes, work)
    assert (parameters(model), multiply_adds(model)) == (sizes, work)


def test_nested_models_are_counted(model):
    images = layers.Input((8, 6, 2))
    outer = keras.Model(images, layers.Softmax()(model(images)))
    assert multiply_adds(outer) == multiply_adds(model)
    assert len(layer_table(outer).rows) == len(EXPECTED) + 1


def test_the_table_as_text(model):
    lines = layer_table(model).text().splitlines()
    assert lines[0].split() == ["name", "type", "output", "parameters", "multiply-adds"]
    assert lines[1].split() == ["conv", "Conv2D", "4x3x4", "76", "864"]
    assert lines[-1].split() == ["total", "toy", str(parameters(model)), str(multiply_adds(model))]
    assert {len(line) for line in lines} == {len(lines[0])}


def test_the_table_in_markdown_and_as_csv(model):
    table = layer_table(model)
    assert table.markdown().splitlines()[:3] == [
        "| name | type | output | parameters | multiply-adds |",
        "| --- | --- | --- | ---: | ---: |",
        "| conv | Conv2D | 4x3x4 | 76 | 864 |",
    ]
    lines = table.csv().splitlines()
    assert lines[0] == "name,type,output,parameters,multiply-adds"
    assert lines[-1] == "logits,Dense,3,18,15"
    assert np.sum([int(line.split(",")[3]) for line in lines[1:]]) == table.parameters
