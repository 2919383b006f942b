"""The page of an analysis: what an embedding knows of cells, in numbers and pictures."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from nas_tf.analysis.cell_matrices import draw_cell_with_matrices, draw_walk
from nas_tf.analysis.drawing import CellPicture
from nas_tf.analysis.measures import LOOSE, STRICT
from nas_tf.analysis.spread import spread
from nas_tf.arch2vec.predictive_power import PredictivePower
from nas_tf.arch2vec.representation import Representation
from nas_tf.reports import arch2vec_numbers
from nas_tf.reports.autoencoders import HOW_TO_READ, QualityRow, quality_table
from nas_tf.reports.html_page import page, save_pictures, write_page
from nas_tf.reports.representation_figures import distance_figure, map_figure, predictive_figure
from nas_tf.reports.wording import count, dataset_name, disclaimer, facts, number, percent, table
from nas_tf.spaces.space import SearchSpace

_DRAWN = 12  # cells of a walk
_EXAMPLES = 3  # cells beside their matrices
_PREDICTION = """## Predictive power

A Gaussian process learns accuracies from the embedding and predicts those of all other cells. \
Those that the supervised encoder has learned from are left out altogether. Mean ± sample standard \
deviation over draws. Beside the embeddings, what needs no pre-training: *path counts* are learned \
from by the same process, *features* are those of the strategy `GaussianProcess`, with its kernel.

![Predicted against true accuracy, and errors](prediction.png)"""
_EMBEDDINGS = """## Distance and smoothness

Distance: L2 distance in the embedding against edit distance, for pairs of cells of a random walk \
of single edits. Smoothness: walks in the embedding, each step to the nearest cell not visited \
yet; mean ± sample standard deviation over walks. The pictures show the first cells of a walk.

![L2 distance by edit distance](distance.png)"""
_MAP = """## Map

By t-SNE; colour is validation accuracy, averaged over small areas.

![t-SNE of the embedding](map.png)"""

@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Findings:
    """All that a page shows.

    Attributes:
        space: that was embedded.
        dataset: of the table; None without one.
        epochs: of training behind the table's accuracies; None without one.
        num_table_cells: with accuracies; 0 without a table.
        num_learned: cells that the Gaussian process and the supervised encoder learn from.
        quality: of autoencoders, see `autoencoders`.
        found: what was measured, by the name of an embedding.
    """

    space: SearchSpace
    dataset: str | None
    epochs: int | None
    num_table_cells: int
    num_learned: int
    quality: Sequence[QualityRow]
    found: Representation

    @property
    def published(self) -> Mapping[str, Mapping[str, str]]:
        """What was published of the same accuracies: name -> embedding -> text."""
        return arch2vec_numbers.representation(self.space.name, self.dataset, self.epochs)

    def numbers(self) -> dict[str, Any]:
        """Returns the numbers for a job's `summary.json`; deviations are the sample's (n - 1)."""
        quality = [
            {"kind": row.kind, "seeds": list(row.seeds), "epochs": row.epochs}
            | dict(row.values)
            for row in self.quality
        ]
        return {
            "num_cells": len(self.found.cells),
            "num_table_cells": self.num_table_cells,
            "epochs": self.epochs,
            "loose_measures": list(LOOSE),
            "strict_measures": list(STRICT),
            "quality": quality,
            "embeddings": {name: self._numbers(name) for name in self.found.smoothness},
            "features": {
                name: _prediction_numbers(power)
                for name, power in self.found.prediction.items()
                if name not in self.found.smoothness
            },
        }

    def _numbers(self, name: str) -> dict[str, Any]:
        edits = spread(self.found.smoothness[name].walk_means)
        numbers = {
            "neighbour_edits_mean": edits.mean,
            "neighbour_edits_std": edits.std,
            "random_edits_mean": self.found.smoothness[name].random_mean,
            "distance_spearman": self.found.distance[name].spearman,
        }
        if name in self.found.prediction:
            numbers |= _prediction_numbers(self.found.prediction[name])
        return numbers


def _prediction_numbers(power: PredictivePower) -> dict[str, Any]:
    rmse, pearson = spread(power.rmse), spread(power.pearson)
    return {
        "thresholds": power.thresholds,
        "rmse_mean": rmse.mean,
        "rmse_std": rmse.std,
        "pearson_mean": pearson.mean,
        "pearson_std": pearson.std,
    }


def write_representation_page(directory: Path, findings: Findings) -> None:
    """Writes `report.md`, `report.html` and their figures, PNG and SVG.

    Raises:
        ConfigError: the directory cannot be written.
    """
    save_pictures(directory, representation_figures(findings))
    write_page(directory, representation_page(findings))


def representation_figures(findings: Findings) -> dict[str, Figure]:
    """Draws everything; returns file name without ending -> figure."""
    found, op_names = findings.found, findings.space.op_labels
    figures = {"distance": distance_figure(found.distance)}
    if found.prediction:
        figures["prediction"] = predictive_figure(found.prediction)
    if found.map:
        figures["map"] = map_figure(found.map)
    for name, walks in found.smoothness.items():
        figures[_walk_file(name)] = draw_walk(found.cells[walks.walks[0, :_DRAWN]], op_names)
    for example in range(_num_examples(findings)):
        index = (2 * example + 1) * len(found.cells) // (2 * _EXAMPLES)  # evenly in their order
        matrix, ops = found.cells.matrix(index)
        picture = CellPicture(matrix, [op_names[code] for code in ops])
        figures[f"cell_{example}"] = draw_cell_with_matrices(
            picture, op_names, max_nodes=found.cells.max_nodes
        )
    return figures


def representation_page(findings: Findings) -> str:
    """Returns the page as Markdown, with links to the figures of `representation_figures`."""
    space, found = findings.space, findings.found
    matrices = range(_num_examples(findings))
    return page([
        f"# {space.title}: what the embedding knows",
        disclaimer(findings.dataset) if findings.dataset else "",
        facts(_what_is_compared(findings)),
        "## Autoencoders",
        quality_table(findings.quality, space.name),
        HOW_TO_READ,
        arch2vec_numbers.TRIED.get(space.name, ""),
        *([_PREDICTION, table(_predictions(findings))] if found.prediction else []),
        _EMBEDDINGS,
        table(_embeddings(findings)),
        *(f"![First cells of a walk, {name}]({_walk_file(name)}.png)" for name in found.smoothness),
        _MAP if found.map else "",
        "## Cells as the encoder reads them",
        *(f"![A cell beside its matrices](cell_{example}.png)" for example in matrices),
    ])


def _what_is_compared(findings: Findings) -> dict[str, str]:
    found, known = findings.found, findings.dataset is not None
    walks = next(iter(found.smoothness.values())).walks
    learned = count(findings.num_learned, "cell")
    published = arch2vec_numbers.REPRESENTATION_SOURCE
    if findings.num_table_cells < len(found.cells):
        published += ", of accuracies of the whole space, each the mean of three trainings"
    return {
        "Cells of the space": f"{len(found.cells):,}",
        "Cells with accuracies": f"{findings.num_table_cells:,}" if known else "none: no table",
        "Accuracies": "validation, of networks trained on "
        f"{dataset_name(findings.dataset)} for {count(findings.epochs, 'epoch')}" if known else "",
        "Pre-trained embedding": "of arch2vec's autoencoder, which learns from cells alone",
        "Supervised embedding": f"of the same encoder, trained on accuracies of {learned}" * known,
        "The Gaussian process learns from": learned * bool(found.prediction),
        "Draws of these": "".join(str(len(p.rmse)) for p in list(found.prediction.values())[:1]),
        "Cells of the map": "".join(f"{len(m.points):,}" for m in list(found.map.values())[:1]),
        "Walks": f"{walks.shape[0]:,} of {count(walks.shape[1], 'cell')}",
        "Published": published * bool(findings.published),
    }


def _predictions(findings: Findings) -> list[dict[str, str]]:
    return [
        {
            "Learned from": name,
            "Accuracy above (%)": percent(threshold, 2, unit=""),
            "Cells": f"{int(power.counts[:, index].mean()):,}",
            "RMSE (fraction)": number(found["rmse_mean"][index], found["rmse_std"][index], 4),
            "Pearson's r": number(found["pearson_mean"][index], found["pearson_std"][index], 2),
        }
        for name, power in findings.found.prediction.items()
        for found in (_prediction_numbers(power),)
        for index, threshold in enumerate(power.thresholds)
    ]


def _embeddings(findings: Findings) -> list[dict[str, str]]:
    """Returns what is measured of each embedding, and published of the same accuracies."""
    rows, theirs = [], findings.published
    for name, numbers in findings.numbers()["embeddings"].items():
        edits = (numbers["neighbour_edits_mean"], numbers["neighbour_edits_std"])
        rows.append({
            "Embedding": name,
            "Pairs": f"{int(findings.found.distance[name].num_pairs):,}",
            "Spearman's ρ": number(numbers["distance_spearman"], None, 2),
            "Edits between neighbours": number(*edits, 2),
            "Edits between random cells": number(numbers["random_edits_mean"], None, 2),
            "Published edits": theirs.get("neighbour_edits", {}).get(name, ""),
            "Published RMSE": theirs.get("rmse", {}).get(name, ""),
            "Published r": theirs.get("pearson", {}).get(name, ""),
        })
    return rows


def _num_examples(findings: Findings) -> int:
    return min(_EXAMPLES, len(findings.found.cells))


def _walk_file(embedding: str) -> str:
    return f"walk_{embedding.replace('-', '_')}"
