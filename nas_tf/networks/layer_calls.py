"""The calls of layers that make up a functional model, in the order of computation."""

import dataclasses
from collections.abc import Iterator

import keras


@dataclasses.dataclass(frozen=True)
class Call:
    """One call of a layer; a layer that serves several tensors is called several times."""

    layer: keras.layers.Layer = dataclasses.field(hash=False, compare=False)
    name: str  # of the layer
    number: int  # of the call, from 0
    output: tuple = dataclasses.field(hash=False, compare=False)  # shape, without the batch


def calls(model: keras.Model) -> Iterator[tuple[Call, tuple[Call, ...]]]:
    """Yields every call with the calls whose tensors it takes; inputs of the model come first."""
    made, counts = {}, {}
    for depth in sorted(model._nodes_by_depth, reverse=True):
        for node in model._nodes_by_depth[depth]:
            layer = node.operation
            number = counts[layer.name] = counts.get(layer.name, -1) + 1
            call = Call(layer, layer.name, number, tuple(node.outputs[0].shape[1:]))
            sources = tuple(made[id(tensor)] for tensor in node.input_tensors)
            for tensor in node.outputs:
                made[id(tensor)] = call
            yield call, sources
