"""nas_tf/training/signals.py."""

import os
import signal

import pytest

from nas_tf.training.signals import SignalNoted, noted_signals


@pytest.fixture(name="heard")
def _heard():
    """The signals that a handler of before hears."""
    heard = []
    earlier = signal.signal(signal.SIGTERM, lambda number, frame: heard.append(number))
    yield heard
    signal.signal(signal.SIGTERM, earlier)


def send():
    os.kill(os.getpid(), signal.SIGTERM)


def test_a_signal_waits_and_is_delivered(heard):
    with noted_signals() as signals:
        signals.held = True
        signals.check()
        send()
        assert not heard
        with pytest.raises(SignalNoted):
            signals.check()
    assert not heard
    signals.deliver()
    signals.deliver()  # once
    assert heard == [signal.SIGTERM]


def test_the_second_signal_is_heard_at_once(heard):
    with noted_signals() as signals:
        signals.held = True
        send()
        send()
        assert heard == [signal.SIGTERM]


def test_before_there_is_anything_to_save_signals_are_heard_at_once(heard):
    with noted_signals():
        send()
    assert heard == [signal.SIGTERM]


def test_ignored_signals_stay_ignored_and_others_come_back():
    earlier = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        with noted_signals() as signals:
            signals.held = True
            send()
            signals.check()
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGTERM, earlier)
    assert signal.getsignal(signal.SIGTERM) is earlier
