"""Boxes for a drawing of a network: what belongs together, by the names of its layers.

The builders in `networks` choose the names. First tokens such as "stage1", "stack1_cell2" or
"stage3_block1" are a block. Inside a block a box is what the next tokens hold together and one
tensor enters and leaves: a convolution with its norm, a node.
"""

import dataclasses
import re
from collections.abc import Iterable, Sequence

import keras
import networkx as nx
import numpy as np

from nas_tf.networks.layer_calls import Call, calls

_BLOCK = re.compile(r"(?:(?:stack|stage|cell|block)\d+_)+")
# What only hands tensors on in a network, by the first letters of its layers' names.
_THROUGH = {"enas_nni": "reduction", "enas_enas": "reduction"}
# Parts of the names of layers' classes, and what stands in their boxes; the first that fits.
_KINDS = {
    "WithoutFirst": "reduce", "GlobalAverage": "global mean", "MaxPool": "max pool",
    "AveragePool": "avg pool", "Dense": "dense", "Input": "input", "Concatenate": "concat",
    "Average": "mean", "Add": "+", "WeightedSum": "+", "Rescaling": "zero",
    "FirstChannels": "cut", "DropPath": "skip", "Normalization": "norm", "ReLU": "relu",
    "Activation": "relu",
}
JOINS = ("+", "mean", "concat", "input")
# A box is named after the first of these that is in it.
_RANKS = (
    ("reduce",), ("sep", "dil", "depthwise"), ("3×3", "5×5", "7×7", "max", "avg"),
    ("1×1", "dense", "input"), ("+", "mean", "concat", "zero"), ("cut", "subsample"),
    ("skip", "global"),
    ("norm",), ("relu",), ("other",),
)
_RANK = {word: rank for rank, words in enumerate(_RANKS) for word in words}


@dataclasses.dataclass(frozen=True, eq=False)
class Panel:
    """A graph of boxes.

    Attributes:
        labels: what stands in the boxes.
        operations: what each does, which is its colour.
        matrix: adjacency uint8 [N, N].
    """

    labels: tuple[str, ...]
    operations: tuple[str, ...]
    matrix: np.ndarray

    @property
    def key(self) -> tuple:
        """What panels of one structure share."""
        return self.labels, self.operations, self.matrix.tobytes()


class Boxes:
    """The calls of a model's layers, put into blocks and boxes.

    Args:
        model: functional, with names as the builders choose them.
    """

    def __init__(self, model: keras.Model):
        self._graph, through = nx.DiGraph(), _THROUGH.get(model.name)
        for call, sources in calls(model):
            self._graph.add_node(call)
            self._graph.add_edges_from((source, call) for source in sources)
        led = [call for call in self._graph if through and call.name.startswith(through)]
        for call in led:
            self._bridge(call)
        self.led_through = list(dict.fromkeys(call.name.split("_")[0] for call in led))
        self._order = {call: place for place, call in enumerate(self._graph)}
        self._blocks = {}
        for call in self._graph:
            self._blocks.setdefault(_block(call.name), []).append(call)

    def overview(self) -> Panel:
        """Returns a box for the first token of layers' names each."""
        members, inner = {}, {}
        for block, inside in self._blocks.items():
            members.setdefault(block.split("_")[0], []).extend(inside)
            inner.setdefault(block.split("_")[0], []).append(block)
        operations = [
            "block" if _is_block(name) else _operation(inside) for name, inside in members.items()
        ]
        labels = [
            _overview_label(name, inner[name], operation)
            for name, operation in zip(members, operations)
        ]
        return Panel(tuple(labels), tuple(operations), self._quotient(list(members.values())))

    def kinds(self) -> list[tuple[list[str], Panel]]:
        """Returns the names of the blocks of each structure, and that structure."""
        found = {}
        for block, inside in self._blocks.items():
            if _is_block(block):
                panel = self._inside(block, inside)
                found.setdefault(panel.key, ([], panel))[0].append(block)
        return list(found.values())

    def output(self, block: str) -> tuple:
        """Returns the shape of a block's last tensor."""
        return self._blocks[block][-1].output

    def _bridge(self, call: Call) -> None:
        """Takes a call out; its sources lead to its readers."""
        sources, readers = self._graph.predecessors(call), list(self._graph.successors(call))
        ends = [(source, reader) for source in sources for reader in readers]
        self._graph.remove_node(call)
        self._graph.add_edges_from(ends)

    def _inside(self, block: str, inside: list[Call]) -> Panel:
        """Returns the boxes of a block, after one for each tensor that enters it."""
        boxes = self._split(inside, block, 1)
        sources = {source for call in inside for source in self._graph.predecessors(call)}
        entering = sorted(sources - set(inside), key=self._order.get)
        operations = [_operation(box) for box in boxes]
        count = len(entering)
        inputs = [f"input {k + 1}" for k in range(count)] if count > 1 else ["input"] * count
        return Panel(
            (*inputs, *_labels(block, boxes, operations)),
            (*["input"] * count, *operations),
            self._quotient([*([source] for source in entering), *boxes], count),
        )

    def _split(self, inside: list[Call], block: str, depth: int) -> list[list[Call]]:
        """Returns groups of calls, each with one way in and one out, by tokens of their names."""
        groups = {}
        for call in inside:
            tokens = _rest(call, block).split("_")
            groups.setdefault((*tokens[:depth], len(tokens) < depth), []).append(call)
        boxes = []
        for group in groups.values():
            whole = len(group) == 1 or self._ways(group) == (1, 1)
            boxes += [group] if whole else self._split(group, block, depth + 1)
        return boxes

    def _ways(self, group: list[Call]) -> tuple[int, int]:
        """Returns how many calls of a group read from outside, and are read from there."""
        known = set(group)
        ins = sum(not known.issuperset(self._graph.predecessors(call)) for call in group)
        outs = sum(not known.issuperset(self._graph.successors(call)) for call in group)
        return ins, outs

    def _quotient(self, groups: list[list[Call]], num_inputs: int = 0) -> np.ndarray:
        """Returns the adjacency of groups, uint8 [N, N]; inputs come first, without edges in."""
        number = {call: place for place, group in enumerate(groups) for call in group}
        matrix = np.zeros((len(groups), len(groups)), np.uint8)
        for source, target in self._graph.edges:
            if source in number and target in number and number[source] != number[target]:
                matrix[number[source], number[target]] = 1
        matrix[:, :num_inputs] = 0
        return matrix


def _block(name: str) -> str:
    """Returns the block a layer belongs to, or the first token of its name."""
    found = _BLOCK.match(name + "_")
    return found.group().rstrip("_") if found else name.split("_")[0]


def _is_block(name: str) -> bool:
    return _BLOCK.match(name + "_") is not None


def _rest(call: Call, block: str) -> str:
    return call.name[len(block) :].strip("_")


def _labels(block: str, boxes: list[list[Call]], operations: Sequence[str]) -> Iterable[str]:
    """Returns what boxes do; numbers of nodes where all that are no joins do the same."""
    same = len({name for name in operations if name not in JOINS}) == 1
    for box, operation in zip(boxes, operations):
        number = re.match(r"node(\d+)", _rest(box[0], block))
        yield number[1] if same and number and operation not in JOINS else operation


def _overview_label(name: str, inner: list[str], operation: str) -> str:
    """Returns the name of a box, with what it does or holds."""
    if len(inner) > 1:
        kind = inner[0].split("_")[1].rstrip("0123456789")
        return f"{name}: {len(inner)} {kind}s"
    if number := re.fullmatch(r"layer(\d+)", name):
        return f"{number[1]}  {operation}"
    return f"{name} {operation}" if re.match("stem|reduction|downsample", name) else name


def _operation(box: Sequence[Call]) -> str:
    """Returns what a box mainly does, in a word or two."""
    names = {_layer_operation(call.layer) for call in box}
    return min(names, key=lambda name: (_RANK.get(name.split()[0], 2), name))


def _layer_operation(layer: keras.layers.Layer) -> str:
    kind = type(layer).__name__
    if kind in ("SeparableConv2D", "DepthwiseConv2D", "Conv2D"):
        prefix = {"SeparableConv2D": "sep ", "DepthwiseConv2D": "depthwise "}.get(kind, "")
        prefix = "dil " if max(layer.dilation_rate) > 1 else prefix
        return f"{prefix}{layer.kernel_size[0]}×{layer.kernel_size[1]}"
    if kind == "AveragePooling2D" and max(layer.pool_size) == 1:
        return "subsample"
    return next((name for part, name in _KINDS.items() if part in kind), "other")
