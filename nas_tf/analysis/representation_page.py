"""The page of an analysis: what an embedding knows of cells, in numbers and pictures."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nas_tf.analysis.canvas import save_figure
from nas_tf.analysis.cell_matrices import draw_cell_with_matrices, draw_walk
from nas_tf.analysis.drawing import CellPicture
from nas_tf.analysis.latent_distance import DistanceRelation
from nas_tf.analysis.latent_map import LatentMap
from nas_tf.analysis.measures import LONG, LOOSE, SHORT, STRICT
from nas_tf.analysis.predictive_power import PredictivePower
from nas_tf.analysis.quality_table import QualityRow, quality_table
from nas_tf.analysis.representation_figures import distance_figure, map_figure, predictive_figure
from nas_tf.analysis.smoothness import Smoothness
from nas_tf.analysis.wording import count, dataset_name, disclaimer, markdown_table, percent
from nas_tf.graphs import CellGraphs

_DRAWN = 12  # cells of a walk
_EXAMPLES = 3  # cells beside their matrices


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Findings:
    """All that an analysis found. Mappings are from the name of an embedding.

    Attributes:
        space: its name in text.
        op_names: of the space.
        dataset: of the table; None without one.
        epochs: of training behind the table's accuracies; None without one.
        num_cells: of the space, or sampled from it.
        num_table_cells: with accuracies.
        num_learned: cells that the Gaussian process and the supervised encoder learn from.
        quality: of autoencoders, see `quality_table`.
        published_quality: kind -> published measures, the loose ones.
        published_cells: how many cells these were trained on.
        quality_note: what was tried where they are not met; may be empty.
        published: "rmse", "pearson" and "neighbour_edits" -> embedding -> published text, of the
            same protocol.
        published_source: where these are from.
        cells: of the space, [K].
        smoothness: greedy walks.
        distance: distances in the embedding and edit distances.
        prediction: what a Gaussian process predicts; empty without accuracies.
        map: t-SNE; likewise.
    """

    space: str
    op_names: Sequence[str]
    dataset: str | None
    epochs: int | None
    num_cells: int
    num_table_cells: int
    num_learned: int
    quality: Sequence[QualityRow]
    published_quality: Mapping[str, Sequence[float]]
    published_cells: int
    quality_note: str
    published: Mapping[str, Mapping[str, str]]
    published_source: str
    cells: CellGraphs
    smoothness: Mapping[str, Smoothness]
    distance: Mapping[str, DistanceRelation]
    prediction: Mapping[str, PredictivePower] = dataclasses.field(default_factory=dict)
    map: Mapping[str, LatentMap] = dataclasses.field(default_factory=dict)

    def numbers(self) -> dict[str, Any]:
        """Returns the figures for a job's `summary.json`."""
        return {
            "num_cells": self.num_cells,
            "num_table_cells": self.num_table_cells,
            "epochs": self.epochs,
            "loose_measures": list(LOOSE),
            "strict_measures": list(STRICT),
            "quality": [
                {
                    "kind": row.kind,
                    "seeds": list(row.seeds),
                    "epochs": row.epochs,
                    **{
                        name: [None if np.isnan(value) else float(value) for value in column]
                        for measures, values in ((LOOSE, row.values), (STRICT, row.strict))
                        for name, column in zip(measures, values.T, strict=True)
                    },
                }
                for row in self.quality
            ],
            "embeddings": {name: self._numbers(name) for name in self.smoothness},
        }

    def _numbers(self, name: str) -> dict[str, Any]:
        walks = self.smoothness[name]
        numbers = {
            "neighbour_edits_mean": walks.mean,
            "neighbour_edits_std": _number(walks.std),
            "random_edits_mean": float(walks.random_mean),
            "distance_spearman": _number(self.distance[name].spearman),
        }
        if name in self.prediction:
            power = self.prediction[name]
            for field in ("thresholds", "rmse_mean", "rmse_std", "pearson_mean", "pearson_std"):
                numbers[field] = [_number(value) for value in getattr(power, field)]
        return numbers


def save_figures(findings: Findings, directory: Path) -> dict[str, str]:
    """Draws everything as PNG and SVG.

    Returns:
        what a figure shows -> its PNG file's name.
    """
    figures = {"distance": distance_figure(findings.distance)}
    if findings.prediction:
        figures["prediction"] = predictive_figure(findings.prediction)
    if findings.map:
        figures["map"] = map_figure(findings.map)
    for name, walks in findings.smoothness.items():
        walk = findings.cells[walks.walks[0, :_DRAWN]]
        figures[f"walk_{name}"] = draw_walk(walk, findings.op_names)
    for number in range(min(_EXAMPLES, len(findings.cells))):
        figures[f"cell_{number}"] = _example(findings, number)
    for name, figure in figures.items():
        for ending in ("png", "svg"):
            save_figure(figure, directory / f"{name.replace('-', '_')}.{ending}")
    return {name: f"{name.replace('-', '_')}.png" for name in figures}


def representation_page(findings: Findings, figures: Mapping[str, str]) -> str:
    """Returns the page as Markdown.

    Args:
        findings: its numbers.
        figures: of `save_figures`.
    """
    parts = [
        f"# {findings.space}: what the embedding knows",
        _introduction(findings),
        *_quality_section(findings),
        *_prediction_section(findings, figures),
        *_distance_section(findings, figures),
        *_map_section(findings, figures),
        *_walk_section(findings, figures),
        *_cell_section(findings, figures),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _introduction(findings: Findings) -> str:
    cells = (
        f"The space has {count(findings.num_cells, 'cell')} here; the autoencoder of arch2vec has "
        "learned from its cells alone"
    )
    if findings.dataset is None:
        return f"{cells}: no table measures them."
    measured = f"{count(findings.num_table_cells, 'cell')} trained on"
    text = (
        f"{cells}, not from accuracies. Beside it stands the same encoder, *supervised*: trained on "
        f"the validation accuracies of {findings.num_learned} cells alone. Accuracies are of "
        f"{measured} {dataset_name(findings.dataset)} for {count(findings.epochs, 'epoch')}."
    )
    return f"{text}\n\n{disclaimer(findings.dataset)}".strip()


def _quality_section(findings: Findings) -> list[str]:
    return [
        "## Autoencoders",
        quality_table(findings.quality, findings.published_quality, findings.published_cells),
        f"Loose, as the released code of arch2vec counts: {_explained(LOOSE)}. Strict, of whole "
        f"cells: {_explained(STRICT)}. Entries: the lower of operations and edges. Samples: 10,000 "
        "of the prior. Mean ± sample standard deviation over seeds. Published: arch2vec, table 1, "
        "the loose ones.",
        findings.quality_note,
    ]


def _explained(names: Sequence[str]) -> str:
    return "; ".join(f"{SHORT[name]}: {LONG[name]}" for name in names)


def _prediction_section(findings: Findings, figures: Mapping[str, str]) -> list[str]:
    if not findings.prediction:
        return []
    rows = []
    for name, power in findings.prediction.items():
        for column, threshold in enumerate(power.thresholds):
            rows.append([
                name,
                percent(threshold, 2, unit=""),
                f"{int(power.counts[:, column].mean()):,}",
                _spread(power.rmse_mean[column], power.rmse_std[column], 4),
                _spread(power.pearson_mean[column], power.pearson_std[column], 2),
            ])
    headings = ["Embedding", "Accuracy above (%)", "Cells", "RMSE (fraction)", "Pearson's r"]
    first = next(iter(findings.prediction.values()))
    return [
        "## Predictive power",
        f"A Gaussian process learns the accuracy of {count(findings.num_learned, 'cell')} from "
        f"their embedding and predicts that of all others; {count(len(first.rmse), 'draw')} of "
        "these cells. Those that the supervised encoder has learned from are left out altogether.",
        f"![Predicted against true accuracy, and errors]({figures['prediction']})",
        markdown_table(headings, rows),
        _published(findings, ("rmse", "RMSE"), ("pearson", "r")),
    ]


def _distance_section(findings: Findings, figures: Mapping[str, str]) -> list[str]:
    pairs = next(iter(findings.distance.values())).num_pairs
    relations = "; ".join(
        f"{name} ρ = {relation.spearman:.2f}" for name, relation in findings.distance.items()
    )
    return [
        "## Distance",
        "L2 distance in the embedding against edit distance, for "
        f"{int(pairs):,} pairs of cells of a random walk of single edits. "
        f"Spearman's rank correlation: {relations}. {_neighbours(findings)}",
        f"![L2 distance by edit distance]({figures['distance']})",
    ]


def _neighbours(findings: Findings) -> str:
    """Says how far neighbours are apart, and beside it what would be so without any meaning."""
    edits = "; ".join(
        f"{name} {_spread(walks.mean, walks.std, 2)}, random pairs {float(walks.random_mean):.2f}"
        for name, walks in findings.smoothness.items()
    )
    return f"Edits between neighbours of the embedding: {edits}."


def _map_section(findings: Findings, figures: Mapping[str, str]) -> list[str]:
    if not findings.map:
        return []
    number = len(next(iter(findings.map.values())).points)
    return [
        "## Map",
        f"{count(number, 'cell')} by t-SNE; colour is validation accuracy, averaged over small "
        "areas.",
        f"![t-SNE of the embedding]({figures['map']})",
    ]


def _walk_section(findings: Findings, figures: Mapping[str, str]) -> list[str]:
    rows = [
        [name, _spread(walks.mean, walks.std, 2), f"{float(walks.random_mean):.2f}"]
        for name, walks in findings.smoothness.items()
    ]
    shape = next(iter(findings.smoothness.values())).walks.shape
    pictures = [
        f"The first cells of a walk in the {name} embedding:\n\n"
        f"![Walk in the {name} embedding]({figures[f'walk_{name}']})"
        for name in findings.smoothness
    ]
    return [
        "## Smoothness",
        f"{count(shape[0], 'walk')} of {count(shape[1], 'cell')}, each step to the nearest cell "
        "not visited yet.",
        markdown_table(
            ["Embedding", "Edits between neighbours", "Edits between random cells"], rows
        ),
        _published(findings, ("neighbour_edits", "edits between neighbours")),
        *pictures,
    ]


def _cell_section(findings: Findings, figures: Mapping[str, str]) -> list[str]:
    names = sorted(name for name in figures if name.startswith("cell_"))
    pictures = [f"![A cell beside its matrices]({figures[name]})" for name in names]
    return ["## Cells as the encoder reads them", *pictures]


def _example(findings: Findings, number: int):
    """Draws one of a few cells that lie evenly in the order of the space."""
    cells = findings.cells
    index = (2 * number + 1) * len(cells) // (2 * _EXAMPLES)
    matrix, ops = cells.matrix(index)
    picture = CellPicture(matrix, [findings.op_names[code] for code in ops])
    return draw_cell_with_matrices(picture, findings.op_names, max_nodes=cells.max_nodes)


def _published(findings: Findings, *names: tuple[str, str]) -> str:
    """Returns published numbers as a sentence, nothing where there are none."""
    texts = [
        f"{title} {value} ({embedding})"
        for name, title in names
        for embedding, value in findings.published.get(name, {}).items()
    ]
    return f"Published: {', '.join(texts)} ({findings.published_source})." if texts else ""


def _spread(mean: float, std: float, digits: int) -> str:
    if np.isnan(mean):
        return "–"
    return f"{mean:.{digits}f} ± {'–' if np.isnan(std) else f'{std:.{digits}f}'}"


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
