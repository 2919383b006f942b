"""How many steps a call of a compiled program makes."""

_AIM_SEC = 1.0
_MOST_FASTER = 8


class Pace:
    """Steps a call, so that one lasts about a second: within it no signal is heard.

    The first call compiles and tells nothing. The steps decide neither weights nor means.

    Args:
        fixed: steps of every call; None measures.
    """

    def __init__(self, fixed: int | None = None):
        self._fixed = fixed
        self._steps = fixed or 1
        self._calls = 0

    @property
    def steps(self) -> int:
        """Steps of the next call."""
        return self._steps

    @property
    def compiled(self) -> bool:
        """Tells whether a call has been made."""
        return self._calls > 0

    def took(self, steps: int, seconds: float) -> None:
        """Learns how long a call was."""
        self._calls += 1
        if self._fixed is None and self._calls > 1 and steps:
            wanted = int(_AIM_SEC * steps / max(seconds, 1e-6))
            self._steps = max(1, min(wanted, self._steps * _MOST_FASTER))
