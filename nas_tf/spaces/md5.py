"""MD5 (Rivest, 1992, RFC 1321) of many messages of one length at once.

The standard library hashes one message a call, which costs more than the hashing where messages are
short and there are millions of them.

    messages = padded(count, length)
    messages[:, :length] = ...
    digests(messages)

Shapes: B messages of L bytes, padded to S = 64 k.
"""

import math

import numpy as np

DIGEST_BYTES = 16

_BLOCK_BYTES = 64
_BLOCK_WORDS = 16
_INITIAL = (0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476)
_SHIFTS = ((7, 12, 17, 22), (5, 9, 14, 20), (4, 11, 16, 23), (6, 10, 15, 21))
_FACTORS = ((1, 0), (5, 1), (3, 5), (7, 0))  # of the number of a step and of 1: which word it adds
# Of each of the 64 steps, in four rounds of sixteen: round, word, constant, shifts left and right.
_STEPS = [
    (
        step // 16,
        (_FACTORS[step // 16][0] * step + _FACTORS[step // 16][1]) % _BLOCK_WORDS,
        np.uint32(math.floor(2**32 * abs(math.sin(step + 1)))),
        np.uint32(_SHIFTS[step // 16][step % 4]),
        np.uint32(32 - _SHIFTS[step // 16][step % 4]),
    )
    for step in range(64)
]


def padded(count: int, length: int) -> np.ndarray:
    """Returns room for messages of a length, with the padding behind it, uint8 [B, S]."""
    size = -(-(length + 9) // _BLOCK_BYTES) * _BLOCK_BYTES
    messages = np.zeros((count, size), np.uint8)
    messages[:, length] = 0x80
    messages[:, -8:] = np.frombuffer((8 * length).to_bytes(8, "little"), np.uint8)
    return messages


def digests(messages: np.ndarray) -> np.ndarray:
    """Returns the MD5 digests of padded messages, uint8 [B, S], as uint8 [B, 16].

    A few thousand at a time keep the working set in the processor's cache.
    """
    words = np.ascontiguousarray(messages.view("<u4").T)
    state = np.repeat(np.array(_INITIAL, "<u4")[:, None], words.shape[1], axis=1)
    scratch = np.empty((2, words.shape[1]), np.uint32)
    for start in range(0, len(words), _BLOCK_WORDS):
        before = state.copy()
        _add_block(state, words[start : start + _BLOCK_WORDS], *scratch)
        state += before
    return np.ascontiguousarray(state.T).view(np.uint8)


def _add_block(
    state: np.ndarray, words: np.ndarray, mixed: np.ndarray, other: np.ndarray
) -> None:
    """Does the 64 steps of a block.

    Args:
        state: uint32 [4, B], changed in place.
        words: uint32 [16, B], the block.
        mixed: uint32 [B], for what is in between.
        other: likewise.
    """
    a, b, c, d = state
    for round_, word, constant, left, right in _STEPS:
        _mix(round_, b, c, d, mixed)
        np.add(mixed, a, out=mixed)
        np.add(mixed, words[word], out=mixed)
        np.add(mixed, constant, out=mixed)
        np.left_shift(mixed, left, out=other)
        np.right_shift(mixed, right, out=mixed)
        np.bitwise_or(mixed, other, out=mixed)
        np.add(mixed, b, out=a)
        a, b, c, d = d, a, b, c


def _mix(round_: int, b: np.ndarray, c: np.ndarray, d: np.ndarray, out: np.ndarray) -> None:
    """Writes F, G, H or I of RFC 1321, section 3.4, to `out`."""
    if round_ == 2:
        np.bitwise_xor(b, c, out=out)
        np.bitwise_xor(out, d, out=out)
    elif round_ == 3:
        np.bitwise_not(d, out=out)
        np.bitwise_or(out, b, out=out)
        np.bitwise_xor(out, c, out=out)
    else:  # (b & c) | (~b & d), and the same with the three in another order
        first, second, which = ((c, d, b), (b, c, d))[round_]
        np.bitwise_xor(first, second, out=out)
        np.bitwise_and(out, which, out=out)
        np.bitwise_xor(out, second, out=out)
