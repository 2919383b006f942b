"""What a report says of a study beyond its own numbers: its title, and published numbers."""

from collections.abc import Mapping
from typing import Any

from nas_tf.reports.notes import Published, ReportNotes
from nas_tf.reports.wording import dataset_name, trained_for
from nas_tf.strategies import registry

_DATASETS = {"unknown": "unknown data", "synthetic": "invented accuracies"}


def study_notes(
    summary: Mapping[str, Any],
    *,
    published: tuple[Published, ...] = (),
    is_random: bool = False,
    quality: Mapping[str, Any] | None = None,
) -> ReportNotes:
    """Returns what a report says of a study.

    Args:
        summary: of the study.
        published: numbers of the strategy; each stands beside studies of its protocol alone.
        is_random: the strategy draws cells evenly.
        quality: what a pre-training measured; None where nothing was pre-trained.
    """
    title = _title(summary, "strategy")
    return ReportNotes(
        title=f"{_title(summary, 'space')} ({_data(summary)}): {title}",
        strategy_label=title,
        is_random=is_random,
        published=published,
        pretraining=quality,
    )


def notes_of_summary(
    summary: Mapping[str, Any], quality: Mapping[str, Any] | None = None
) -> ReportNotes:
    """Returns the notes of a study read back; its recipe is known by its name, if at all."""
    recipe = next((one for one in registry.STRATEGIES if one.name == summary["strategy"]), None)
    if recipe is None:
        return study_notes(summary, quality=quality)
    return study_notes(
        summary, published=recipe.published, is_random=recipe.is_random, quality=quality
    )


def _title(summary: Mapping[str, Any], of: str) -> str:
    """Returns what people call the strategy or the space of a study."""
    return summary.get("titles", {}).get(of, summary[of])


def _data(summary: Mapping[str, Any]) -> str:
    """Returns what networks were trained on, and for how long."""
    dataset = summary["dataset"]
    return f"{_DATASETS.get(dataset) or dataset_name(dataset)}, {trained_for(summary)}"
