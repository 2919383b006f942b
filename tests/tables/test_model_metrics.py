"""The ModelMetrics message against bytes put together by hand."""

import numpy as np
import pytest

from nas_tf.tables import model_metrics

# Tags: 09 11 19 21 29 are the doubles 1 to 5 of an evaluation, 0a an evaluation (45 = 2d bytes),
# 10 the parameters (a varint), 19 the total time. Doubles are little-endian.
START = bytes.fromhex(
    "09 0000000000000000 11 0000000000000000 19 000000000000c03f 21 000000000000c03f"
    "29 000000000000c03f"
)  # 0.0, 0.0, 0.125, 0.125, 0.125
HALF = bytes.fromhex(
    "09 0000000000004b40 11 0000000000005940 19 000000000000e83f 21 000000000000e03f"
    "29 000000000000d03f"
)  # 54.0, 100.0, 0.75, 0.5, 0.25
END = bytes.fromhex(
    "09 0000000000005b40 11 0000000000006940 19 000000000000f03f 21 000000000000ec3f"
    "29 000000000000e83f"
)  # 108.0, 200.0, 1.0, 0.875, 0.75
EVALUATIONS = [
    [0.0, 0.0, 0.125, 0.125, 0.125],
    [54.0, 100.0, 0.75, 0.5, 0.25],
    [108.0, 200.0, 1.0, 0.875, 0.75],
]
MESSAGE = (
    b"\x0a\x2d" + START + b"\x0a\x2d" + HALF + b"\x0a\x2d" + END
    + b"\x10\x96\x01"  # 150
    + bytes.fromhex("19 0000000000406f40")  # 250.0
)


def test_decode_a_message_made_by_hand():
    decoded = model_metrics.decode([MESSAGE])
    np.testing.assert_array_equal(decoded.evaluations, [EVALUATIONS])
    assert decoded.trainable_parameters.tolist() == [150]
    assert decoded.total_time_sec.tolist() == [250.0]


def test_encode_gives_the_same_bytes():
    metrics = model_metrics.ModelMetrics(
        np.array([EVALUATIONS]), np.array([150]), np.array([250.0])
    )
    assert model_metrics.encode(metrics) == [MESSAGE]


def test_order_unknown_fields_and_missing_doubles_do_not_matter():
    checkpoint = b"\x32\x03abc"  # field 6, a string
    unknown = b"\x3d\x01\x02\x03\x04" + b"\x40\xff\xff\x01" + b"\x4a\x00" + b"\xd1\x02" + bytes(8)
    without_test = END[:-9] + checkpoint
    message = (
        b"\x10\x96\x01" + unknown
        + b"\x0a" + bytes([len(START + checkpoint)]) + START + checkpoint
        + b"\x0a\x2d" + HALF[9:] + HALF[:9]
        + b"\x0a" + bytes([len(without_test)]) + without_test
    )
    decoded = model_metrics.decode([MESSAGE, message, MESSAGE])
    expected = np.array([EVALUATIONS] * 3)
    expected[1, 2, 4] = np.nan
    np.testing.assert_array_equal(decoded.evaluations, expected)
    np.testing.assert_array_equal(decoded.total_time_sec, [250.0, np.nan, 250.0])
    assert decoded.trainable_parameters.tolist() == [150] * 3


def test_the_last_value_of_a_repeated_scalar_counts():
    decoded = model_metrics.decode([MESSAGE + b"\x10\x07"])
    assert decoded.trainable_parameters.tolist() == [7]


@pytest.mark.parametrize("value, expected", [
    (0, "00"), (127, "7f"), (128, "8001"), (8555530, "8a98 8a04"), (2**31 - 1, "ffffffff07"),
])
def test_varints(value, expected):
    assert model_metrics.encode_varint(value) == bytes.fromhex(expected)


def test_round_trip_of_random_metrics():
    rng = np.random.default_rng(0)
    evaluations = rng.uniform(size=(500, 3, 5))
    evaluations[rng.uniform(size=evaluations.shape) < 0.1] = np.nan
    parameters = rng.integers(0, 2**31, 500) >> rng.integers(0, 31, 500)
    metrics = model_metrics.ModelMetrics(evaluations, parameters, rng.uniform(size=500))
    decoded = model_metrics.decode(model_metrics.encode(metrics))
    np.testing.assert_array_equal(decoded.evaluations, evaluations)
    np.testing.assert_array_equal(decoded.trainable_parameters, parameters)
    np.testing.assert_array_equal(decoded.total_time_sec, metrics.total_time_sec)


def test_no_messages():
    assert model_metrics.decode([]).evaluations.shape == (0, 3, 5)


@pytest.mark.parametrize(
    "message, reason",
    [
        (b"", "fewer than three evaluations"),
        (MESSAGE[47:], "fewer than three evaluations"),
        (MESSAGE + b"\x0a\x00", "more than three evaluations"),
        (MESSAGE[:-1], "cut short"),
        (MESSAGE + b"\x10", "cut short"),
        (MESSAGE + b"\x0a\x7f", "cut short"),
        (MESSAGE + b"\x0b", "unknown protobuf wire type 3"),
        (MESSAGE + b"\x00\x00", "number 0"),
        (MESSAGE + b"\x20" + b"\xff" * 11, "no end"),
        (MESSAGE.replace(END, END[:-1]), "cut short|unknown protobuf|evaluations"),
        (b"\x0a\x2c" + START[:-1] + MESSAGE[47:], "cut short"),
    ],
)
def test_malformed_messages_name_their_place(message, reason):
    with pytest.raises(model_metrics.MessageError, match=reason) as caught:
        model_metrics.decode([MESSAGE, message, MESSAGE])
    assert caught.value.index == 1
