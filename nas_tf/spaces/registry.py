"""The search spaces of the library by name, one line a space."""

from nas_tf.config import by_name
from nas_tf.spaces.darts import DartsSpace
from nas_tf.spaces.enas import EnasSpace
from nas_tf.spaces.macro import MacroSpace
from nas_tf.spaces.nasbench101 import NasBench101Space
from nas_tf.spaces.nasbench201 import NasBench201Space
from nas_tf.spaces.randwire import RandWireSpace
from nas_tf.spaces.space import SearchSpace

SPACES: tuple[type[SearchSpace], ...] = (
    NasBench101Space,
    NasBench201Space,
    DartsSpace,
    RandWireSpace,
    EnasSpace,
    MacroSpace,
)
NAMES = tuple(space.name for space in SPACES)


def named(name: str) -> SearchSpace:
    """Returns the whole space of a name.

    Raises:
        ConfigError: there is none; the message has those there are.
    """
    return by_name(SPACES, name, "space")()
