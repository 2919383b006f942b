"""nas_tf/spaces/md5.py."""

import hashlib

import numpy as np
import pytest

from nas_tf.spaces import md5


def _digests(messages):
    """Returns the digests of uint8 [B, L], in hexadecimal."""
    room = md5.padded(*messages.shape)
    room[:, : messages.shape[1]] = messages
    return [digest.tobytes().hex() for digest in md5.digests(room)]


@pytest.mark.parametrize(
    "text, expected",
    [
        (b"", "d41d8cd98f00b204e9800998ecf8427e"),  # RFC 1321, appendix A.5
        (b"abc", "900150983cd24fb0d6963f7d28e17f72"),
        (b"1234567890" * 8, "57edf4a22be3c955ac49da2e2107b67a"),
    ],
)
def test_published_digests(text, expected):
    assert _digests(np.frombuffer(text, np.uint8)[None]) == [expected]


@pytest.mark.parametrize("length", [1, 54, 55, 56, 57, 63, 64, 65, 119, 120, 300])
def test_many_messages_of_any_length(length):
    messages = np.random.default_rng(length).integers(0, 256, (20, length), dtype=np.uint8)
    expected = [hashlib.md5(message.tobytes()).hexdigest() for message in messages]
    assert _digests(messages) == expected
