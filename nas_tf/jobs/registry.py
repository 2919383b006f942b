"""The jobs that `--job` knows, one line each."""

import dataclasses

from nas_tf.config import NOT_EMPTY, Component, by_name, setting
from nas_tf.jobs.analyze import AnalyzeJob
from nas_tf.jobs.job import Job
from nas_tf.jobs.predict import PredictJob
from nas_tf.jobs.pretrain import PretrainJob
from nas_tf.jobs.query import QueryJob
from nas_tf.jobs.report import ReportJob
from nas_tf.jobs.sample import SampleJob
from nas_tf.jobs.search import SearchJob
from nas_tf.jobs.train import TrainJob

JOBS: tuple[type[Job], ...] = (
    SearchJob,
    PretrainJob,
    ReportJob,
    AnalyzeJob,
    SampleJob,
    QueryJob,
    TrainJob,
    PredictJob,
)
NAMES = tuple(job.name for job in JOBS)


@dataclasses.dataclass(frozen=True)
class JobChoice(Component):
    """What is done, and where its results go."""

    job: str = setting("search", "What to do.", NAMES)
    output_dir: str = setting(
        "runs/search",
        "Where everything the job makes is written. Taken up again if unfinished.",
        NOT_EMPTY,
        path=True,
        decides=False,
    )


def named(name: str) -> type[Job]:
    """Returns the job of a word of `--job`.

    Raises:
        ConfigError: it is none.
    """
    return by_name(JOBS, name, "job")


def components() -> list[type[Component]]:
    """Returns the types of everything that some job may read, each once."""
    return list(dict.fromkeys([JobChoice, *(part for job in JOBS for part in job.components)]))
