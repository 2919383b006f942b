"""`--job=report`: puts finished studies side by side, on one page."""

import dataclasses

from nas_tf import storage
from nas_tf.config import Component, setting
from nas_tf.core import ConfigError
from nas_tf.jobs.job import Job
from nas_tf.jobs.output import SUMMARY, Output
from nas_tf.jobs.reading import Reader


@dataclasses.dataclass(frozen=True)
class Inputs(Component):
    """Output directories that are read."""

    inputs: str | None = setting(
        None,
        "Output directories, separated by commas: of finished searches for --job=report, of "
        "pre-trainings for the table of --job=analyze.",
        path=True,
        several=True,
    )

    def directories(self) -> list[str]:
        """Returns the inputs one by one."""
        return [name.strip() for name in (self.inputs or "").split(",") if name.strip()]


@dataclasses.dataclass(frozen=True)
class ReportSettings(Component):
    """The comparison of finished studies."""

    reference: str | None = setting(
        None,
        "One of --inputs, which the others are tested against; the most accurate when not given.",
        path=True,
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class ReportJob(Job):
    """A comparison of finished studies."""

    name = "report"
    components = (Inputs, ReportSettings)
    repeatable = True

    inputs: Inputs
    settings: ReportSettings

    @classmethod
    def of(cls, reader: Reader) -> "ReportJob":
        """See `Job.of`."""
        return cls(inputs=reader.read(Inputs), settings=reader.read(ReportSettings))

    def run(self, output: Output) -> None:
        """See `Job.run`."""
        from nas_tf.studies.comparison import write_comparison_of

        inputs = self.inputs.directories()
        if not inputs:
            raise ConfigError(
                "--job=report compares finished searches: name their output directories, separated "
                "by commas, with --inputs"
            )
        summary = write_comparison_of(output.directory, inputs, self.settings.reference)
        output.claim()
        storage.write_json(
            output.directory / SUMMARY, summary | {"wall_sec": output.wall_sec()}
        )
        print(f"report: {output.directory / 'report.md'} and {output.directory / 'report.html'}")
