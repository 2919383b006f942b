"""From flags to a job that is done: `nas_tf.main` calls this."""

from collections.abc import Mapping
from typing import Any

from nas_tf.core import ConfigError
from nas_tf.jobs import registry
from nas_tf.jobs.output import Output
from nas_tf.jobs.job import Job
from nas_tf.jobs.reading import Given, Reader


def resolve(given: Mapping[str, Given | Any]) -> tuple[Job, Reader]:
    """Returns the job that flags describe, and what it reads.

    Args:
        given: values by the names of flags.

    Raises:
        ConfigError: a setting is impossible, or something does not read a flag that was given.
    """
    reader = Reader(given)
    kind = registry.named(reader.read(registry.JobChoice).job)
    try:
        job = kind.of(reader)
    except ConfigError as error:
        raise reader.explained(error) from None
    reader.refuse_unread(kind.name, registry.components(), kind.hints)
    return job, reader


def run(given: Mapping[str, Given | Any]) -> None:
    """Runs a job, or goes on with one that was killed.

    Raises:
        NasError: what a user can mend, in one line.
    """
    job, reader = resolve(given)
    output = Output(reader, registry.NAMES)
    with output.taken():
        output.refuse_foreign_files()
        output.refuse_other_work()
        try:
            if output.finished() and not job.repeatable:
                print(
                    f"{output.directory}: this job is finished; for another, choose another "
                    "--output_dir"
                )
                job.complete(output)
            else:
                job.run(output)
        except ConfigError as error:
            raise reader.explained(error) from None
