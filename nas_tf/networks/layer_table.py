"""A table of a network's layers: what each makes, how many parameters and multiply-adds it has.

Multiply-adds are those of convolutions and dense layers for one image, biases not counted: the
number that papers print as FLOPs or MAdds. Parameters are the trainable ones.
"""

import csv
import dataclasses
import io
import math
from collections.abc import Iterator

import keras

from nas_tf.networks.layer_calls import calls

COLUMNS = ("name", "type", "output", "parameters", "multiply-adds")


@dataclasses.dataclass(frozen=True)
class LayerRow:
    """A layer of a network."""

    name: str
    type: str
    output: tuple  # shape of an image's (first) output
    parameters: int
    multiply_adds: int

    def cells(self) -> tuple[str, ...]:
        """Returns what stands in the columns."""
        shape = "x".join("?" if side is None else str(side) for side in self.output)
        return (self.name, self.type, shape, str(self.parameters), str(self.multiply_adds))


@dataclasses.dataclass(frozen=True)
class LayerTable:
    """All layers of a network in the order of computation."""

    network: str
    rows: tuple[LayerRow, ...]

    @property
    def parameters(self) -> int:
        """Trainable parameters of the network."""
        return sum(row.parameters for row in self.rows)

    @property
    def multiply_adds(self) -> int:
        """Multiply-adds of convolutions and dense layers for one image."""
        return sum(row.multiply_adds for row in self.rows)

    def text(self) -> str:
        """Returns the table in columns of one width each, with a line of sums."""
        lines = [COLUMNS, *self._cells()]
        widths = [max(map(len, column)) for column in zip(*lines)]
        return "".join(
            "  ".join(
                cell.rjust(width) if number > 2 else cell.ljust(width)
                for number, (cell, width) in enumerate(zip(line, widths))
            ).rstrip()
            + "\n"
            for line in lines
        )

    def markdown(self) -> str:
        """Returns the table in Markdown, with a line of sums."""
        lines = [COLUMNS, ("---", "---", "---", "---:", "---:"), *self._cells()]
        return "".join(f"| {' | '.join(line)} |\n" for line in lines)

    def csv(self) -> str:
        """Returns the table as comma-separated values, without sums."""
        stream = io.StringIO()
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerows([COLUMNS, *(row.cells() for row in self.rows)])
        return stream.getvalue()

    def _cells(self) -> list[tuple[str, ...]]:
        sums = ("total", self.network, "", str(self.parameters), str(self.multiply_adds))
        return [*(row.cells() for row in self.rows), sums]


def layer_table(model: keras.Model) -> LayerTable:
    """Returns the table of a built functional model; layers of nested models stand in it singly.

    A layer that is called several times has its parameters once, the multiply-adds of every call,
    and the output of its last call.
    """
    return LayerTable(model.name, tuple(_rows(model)))


def parameters(model: keras.Model) -> int:
    """Returns the trainable parameters of a built model."""
    return sum(math.prod(weight.shape) for weight in model.trainable_weights)


def multiply_adds(model: keras.Model) -> int:
    """Returns the multiply-adds of convolutions and dense layers for one image."""
    return layer_table(model).multiply_adds


def _rows(model: keras.Model) -> Iterator[LayerRow]:
    outputs = {}
    for call, _ in calls(model):
        outputs.setdefault(call.name, []).append(call.output)
    for layer in model.layers:
        if isinstance(layer, keras.layers.InputLayer):
            continue
        if isinstance(layer, keras.Model):
            yield from _rows(layer)
            continue
        weights = sum(math.prod(weight.shape) for weight in layer.trainable_weights)
        work = sum(_work(layer, shape) for shape in outputs[layer.name])
        yield LayerRow(layer.name, type(layer).__name__, outputs[layer.name][-1], weights, work)


def _work(layer: keras.layers.Layer, output: tuple) -> int:
    """Returns the multiply-adds of one call."""
    if isinstance(layer, keras.layers.Dense):
        return math.prod(output[:-1]) * math.prod(layer.kernel.shape)
    pixels = math.prod(output[:-1])
    if isinstance(layer, keras.layers.SeparableConv2D):
        kernels = (layer.depthwise_kernel, layer.pointwise_kernel)
    elif isinstance(layer, (keras.layers.Conv2D, keras.layers.DepthwiseConv2D)):
        kernels = (layer.kernel,)  # [height, width, channels of a group, channels]
    else:
        return 0
    return pixels * sum(math.prod(kernel.shape) for kernel in kernels)
