"""Tests of nas_tf.analysis.measures."""

from nas_tf.analysis import measures


def test_loose_and_strict_stand_side_by_side():
    quality = {
        "entry_accuracy": 0.9972, "validity": 0.3866, "uniqueness": 1.0,
        "reconstruction_accuracy": 0.873, "cell_validity": 0.0, "unique_cells": None,
    }
    assert measures.in_words(quality) == (
        "loose: right entries 99.72 %, validity as published 38.66 %, uniqueness as published "
        "100.00 %; strict: whole cells 87.30 %, samples that are cells 0.00 %, unique cells –"
    )
    assert "right entries –" in measures.in_words({})


def test_every_measure_is_named_once():
    assert set(measures.SHORT) == set(measures.LONG) == {*measures.LOOSE, *measures.STRICT}
    assert [measures.kind(name) for name in ("validity", "cell_validity")] == ["loose", "strict"]
