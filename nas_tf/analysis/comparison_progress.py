"""What the studies of a comparison had reached after fewer queries than in the end."""

import numpy as np

from nas_tf.analysis.comparison import Endpoint, Section, mean_or_nan, outcome
from nas_tf.analysis.curves import query_counts
from nas_tf.analysis.finished_study import FinishedStudy
from nas_tf.analysis.wording import escaped, markdown_table, mean_std_of_models

_FIRST = 10  # queries; before, searches have hardly begun


def after_fewer_queries(group: Section) -> list[str]:
    """Returns heading, table and caption; nothing where no query counts less than the last.

    Args:
        group: the studies.
    """
    if group.endpoint.queries is None:
        return []
    counts = [n for n in query_counts(group.endpoint.queries).tolist() if n >= _FIRST]
    if len(counts) < 2:
        return []
    accuracy = [[_test_accuracy(study, queries) for queries in counts] for study in group.studies]
    best = np.argmax(np.nan_to_num([[mean_or_nan(v) for v in row] for row in accuracy]), axis=0)
    rows = []
    for index, (study, row) in enumerate(zip(group.studies, accuracy)):
        leads = (best == index) & (len(accuracy) > 1)
        texts = [mean_std_of_models(values, study.run_models) for values in row]
        texts = [_bold(text, lead) for text, lead in zip(texts, leads)]
        texts = [text + _published(study, queries) for text, queries in zip(texts, counts)]
        rows.append([escaped(study.label), *texts])
    headings = ["Study", *(f"{queries:,}" for queries in counts)]
    caption = (
        "Test accuracy (%) of the incumbents after so many queries, mean ± sample standard "
        "deviation over runs. Bold: the best mean."
    )
    if any(len(study.models) > 1 for study in group.studies):
        caption += " Models: the deviation between the means of models, beside that within them."
    if any(_published(study, queries) for study in group.studies for queries in counts):
        caption += " In brackets: published by this protocol after as many queries."
    return ["### After fewer queries", markdown_table(headings, rows), caption]


def _test_accuracy(study: FinishedStudy, queries: int) -> np.ndarray:
    return outcome(study.curves, Endpoint(queries, None)).test_accuracy


def _bold(text: str, wanted: bool) -> str:
    return f"**{text}**" if wanted else text


def _published(study: FinishedStudy, queries: int) -> str:
    found = study.notes.after_queries(study.summary, queries)
    return "" if found is None else f" ({found.text})"
