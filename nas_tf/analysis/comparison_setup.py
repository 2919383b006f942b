"""How the studies of a comparison were run: seeds, budgets, times, settings and versions."""

from collections.abc import Sequence

from nas_tf.analysis.comparison import Section
from nas_tf.analysis.finished_study import FinishedStudy, differing_flags
from nas_tf.analysis.wording import count, duration, escaped, is_missing, markdown_table

_SHOWN = ("strategy", "pretrained")  # as the name of a study, and as its model

RUNS_CAPTION = (
    "Run r of a study has its first seed + r. Queries and cost are means over runs; cost is "
    "training time by the table. Wall time is of the whole job since its last start, "
    "pre-training included where it was done there; search alone, over all starts. Model: seed of "
    "its pre-training and the beginning of its weights' checksum."
)


def runs_table(group: Section) -> str:
    """Returns a table of runs, seeds, budgets, times and directories."""
    headings = ["Study", "Runs", "Seeds", "Budget", "Queries", "Cost of a run", "Wall time",
                "Search alone", "Model", "Directory"]
    rows = [
        [
            escaped(study.label),
            f"{study.curves.num_runs:,}",
            _seeds(study.seeds),
            _budget(study),
            f"{round(study.summary['num_queries_mean'], 1):,}".removesuffix(".0"),
            duration(study.summary["evaluation_cost_sec_mean"]),
            duration(study.summary["wall_sec"]),
            _search_time(study),
            _model(study),
            escaped(str(study.directory)),
        ]
        for study in group.parts
    ]
    return markdown_table(headings, rows)


def settings_that_differ(group: Section) -> list[str]:
    """Returns heading, table and caption of the settings in which studies differ, if any."""
    names = [name for name in differing_flags(group.parts) if name not in _SHOWN]
    if not names:
        return []
    rows = [
        [escaped(study.label), escaped(" ".join(study.flags.get(name, "") for name in names))]
        for study in group.parts
    ]
    return [
        "### Settings that differ",
        markdown_table(["Study", "Settings"], rows, text=True),
        "Also those that a strategy makes no use of. All other settings are the same; each "
        "directory's `config.flags` has every one.",
    ]


def versions(group: Section) -> str:
    """Returns the versions all studies have, then those in which they differ."""
    found = [study.summary["versions"] for study in group.parts]
    names = dict.fromkeys(name for version in found for name in version)
    same = [name for name in names if len({str(v.get(name)) for v in found}) == 1]
    text = ", ".join(f"{name} {found[0][name]}" for name in same)
    lines = [f"All studies: {escaped(text)}." if same else ""]
    for study, version in zip(group.parts, found):
        own = ", ".join(f"{name} {version.get(name, '–')}" for name in names if name not in same)
        lines += [f"{escaped(study.label)}: {escaped(own)}."] if own else []
    return "\n\n".join(line for line in lines if line)


def _seeds(seeds: Sequence[int]) -> str:
    return f"{seeds[0]}" if len(seeds) == 1 else f"{seeds[0]} to {seeds[-1]}"


def _budget(study: FinishedStudy) -> str:
    queries, cost = study.summary["query_budget"], study.summary["cost_budget_sec"]
    limits = [] if queries is None else [count(queries, "query", "queries")]
    limits += [] if cost is None else [f"{cost:,.0f} s"]
    return " or ".join(limits)


def _search_time(study: FinishedStudy) -> str:
    seconds = study.summary.get("search_sec")
    return "–" if is_missing(seconds) else duration(seconds)


def _model(study: FinishedStudy) -> str:
    model = study.summary["model"]
    if not model:
        return "–"
    return f"seed {model.get('pretrain_seed', '–')}, {model['weights'][:8]}"
