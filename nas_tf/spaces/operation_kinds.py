"""What the operations of a space do to what passes through them."""

import dataclasses
import re
from collections.abc import Sequence

_INPUTS, _OUTPUTS, _SKIPS, _BLOCKS = ("input",), ("output",), ("skip_connect", "identity"), ("none",)
_SIZE = re.compile(r"(\d+)x\1(?!\d)")


@dataclasses.dataclass(frozen=True)
class OperationKinds:
    """Kinds of operations, by their codes.

    Attributes:
        growth: D numbers of pixels by which an operation widens the receptive field: 2 of a 3x3
            convolution or pool, 4 of two of them.
        inputs: what cells begin with, which is no operation; without any, nodes that nothing
            enters.
        outputs: what cells end with, likewise.
        skips: pass on what they read.
        blocks: let nothing through.
    """

    growth: tuple[int, ...]
    inputs: tuple[int, ...] = ()
    outputs: tuple[int, ...] = ()
    skips: tuple[int, ...] = ()
    blocks: tuple[int, ...] = ()

    @property
    def interior(self) -> tuple[int, ...]:
        """Codes of the operations that let something through, skips among them."""
        others = {*self.inputs, *self.outputs, *self.blocks}
        return tuple(code for code in range(len(self.growth)) if code not in others)


def kinds_by_name(op_names: Sequence[str]) -> OperationKinds:
    """Returns what the names of operations say: sizes such as "3x3", inputs, skips and the like.

    Args:
        op_names: D names in the order of their codes.
    """
    def named(words: Sequence[str]) -> tuple[int, ...]:
        return tuple(code for code, name in enumerate(op_names) if name in words)

    sizes = (_SIZE.search(name) for name in op_names)
    growth = tuple(int(size[1]) - 1 if size else 0 for size in sizes)
    return OperationKinds(growth, named(_INPUTS), named(_OUTPUTS), named(_SKIPS), named(_BLOCKS))
