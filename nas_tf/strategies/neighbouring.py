"""What strategies that move from cell to neighbouring cell have in common."""

import dataclasses

from nas_tf.config import setting, within
from nas_tf.strategies.strategy import Strategy


@dataclasses.dataclass(frozen=True)
class Neighbouring(Strategy):
    """Base of strategies that ask for the neighbours of a cell."""

    _: dataclasses.KW_ONLY  # the settings of a strategy itself come first where no name is given

    neighbour_edits: int = setting(
        2,
        "In a table of a part of a space: a cell that has no neighbour in it takes those two edits "
        "away for its neighbours, or (1) has none. Tables of whole spaces know no difference.",
        within(1, 2),
    )
