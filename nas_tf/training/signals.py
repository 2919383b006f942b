"""Signals that wait until a training has saved itself.

While a compiled program runs Python hears nothing; between two calls everything is in order. So
SIGTERM and SIGINT are only noted, the training saves itself, and then what was there before the
training decides what becomes of the process.
"""

import contextlib
import os
import signal
import threading
from collections.abc import Iterator

NUMBERS = (signal.SIGTERM, signal.SIGINT)


class SignalNoted(Exception):
    """A training must save itself and end; caught by the trainer."""


class Signals:
    """The signals noted within `noted_signals`.

    Attributes:
        held: signals are noted; otherwise they are delivered as they come.
    """

    def __init__(self):
        self.held = False
        self._number = None
        self._earlier = {}

    def check(self) -> None:
        """Raises SignalNoted if a signal has come."""
        if self._number is not None:
            raise SignalNoted

    def deliver(self) -> bool:
        """Does what the process would have done at the signal; the handlers are the earlier ones.

        Returns:
            whether there was one, where the process lives on.
        """
        number, self._number = self._number, None
        if number is not None:
            os.kill(os.getpid(), number)
        return number is not None

    def _catch(self) -> None:
        for number in NUMBERS:
            earlier = signal.getsignal(number)
            if earlier not in (None, signal.SIG_IGN):  # None: not Python's
                self._earlier[number] = earlier
                signal.signal(number, self._on_signal)

    def _give_back(self) -> None:
        for number, handler in self._earlier.items():
            signal.signal(number, handler)
        self._earlier = {}

    def _on_signal(self, number: int, unused_frame) -> None:
        again, self._number = self._number is not None, number
        if again or not self.held:  # the second is impatient; before the first call all is saved
            self._give_back()
            self.deliver()


@contextlib.contextmanager
def noted_signals(active: bool = True) -> Iterator[Signals]:
    """Notes signals within, in the main thread.

    Args:
        active: otherwise nothing is noted.
    """
    signals = Signals()
    if active and threading.current_thread() is threading.main_thread():
        signals._catch()
    try:
        yield signals
    finally:
        signals._give_back()
