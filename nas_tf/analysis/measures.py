"""Which measures of an autoencoder are loose and which are strict, and what each is called.

The loose ones count as the released code of arch2vec does, and with it table 1 of the paper (Yan et
al., 2020, arXiv:2006.06936): right entries of cells, samples that look valid, graphs as decoded.
The strict ones count whole cells (appendix B): decoded without any error, samples that are cells of
the space, different cells. Wherever a loose one stands, its strict one stands beside it, labelled.
"""

from collections.abc import Mapping
from typing import Any

LOOSE = ("entry_accuracy", "validity", "uniqueness")  # in the order of table 1
STRICT = ("reconstruction_accuracy", "cell_validity", "unique_cells")  # each beside its loose one
SHORT = {
    "entry_accuracy": "right entries",
    "validity": "validity as published",
    "uniqueness": "uniqueness as published",
    "reconstruction_accuracy": "whole cells",
    "cell_validity": "samples that are cells",
    "unique_cells": "unique cells",
}
LONG = {
    "entry_accuracy": "right entries of cells held out, as the paper counts",
    "reconstruction_accuracy": "cells held out, decoded without any error",
    "validity": "prior samples that are valid as the paper counts",
    "cell_validity": "prior samples that decode to a cell of the space",
    "uniqueness": "different decoded graphs among the valid, dead vertices kept",
    "unique_cells": "different cells among the samples that are cells, dead vertices pruned",
}


def kind(name: str) -> str:
    """Returns "loose" or "strict"."""
    return "loose" if name in LOOSE else "strict"


def in_words(quality: Mapping[str, Any]) -> str:
    """Returns all measures on one line, the loose ones first; a dash for what is missing."""
    return "; ".join(
        f"{label}: " + ", ".join(f"{SHORT[name]} {_percent(quality.get(name))}" for name in names)
        for label, names in (("loose", LOOSE), ("strict", STRICT))
    )


def _percent(value: float | None) -> str:
    return "–" if value is None or value != value else f"{100 * value:.2f} %"
