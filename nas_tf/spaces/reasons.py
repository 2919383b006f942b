"""Why cells are outside a space, as codes of arrays and in words.

Shapes: [...] any leading dimensions.
"""

import enum

import numpy as np

from nas_tf.core import InvalidArchitectureError


class Reason(enum.IntEnum):
    """Base of a space's reasons, `NAME = code, words`; code 0 is valid.

    Attributes:
        text: the reason in words.
    """

    text: str

    def __new__(cls, code: int, text: str) -> "Reason":
        """Makes a member: the number `code`, with words."""
        member = int.__new__(cls, code)
        member._value_, member.text = code, text
        return member


def refuse_outside(codes: np.ndarray, reasons: type[Reason], title: str) -> None:
    """Refuses cells that are outside a space.

    Args:
        codes: int8 [...], of `reasons`.
        reasons: the space's.
        title: what people call the space.

    Raises:
        InvalidArchitectureError: a code is not 0; the message names the first such cell.
    """
    codes = codes.ravel()
    if codes.any():
        index = int(np.argmax(codes != 0))
        text = reasons(int(codes[index])).text
        raise InvalidArchitectureError(f"cell {index} is outside {title}: {text}")
