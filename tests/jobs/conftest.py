"""Studies that take a moment."""

import contextlib

import pytest
from matplotlib.figure import Figure
from PIL import Image

from tests.job_runs import change, execute

DRAW = Figure.savefig


@pytest.fixture
def undrawn(monkeypatch):
    """Figures are made and not drawn, which is half of a job here.

    For jobs of whose files only numbers are looked at, and whose like is drawn elsewhere: in
    fixtures of sessions and modules, and where a test says `with drawn():`.
    """

    def write_a_pixel(self, file, **options):
        Image.new("RGB", (1, 1)).save(file, "PNG")

    monkeypatch.setattr(Figure, "savefig", write_a_pixel)


@pytest.fixture
def drawn(monkeypatch):
    """Returns a context in which figures are drawn all the same."""

    @contextlib.contextmanager
    def context():
        with monkeypatch.context() as patch:
            patch.setattr(Figure, "savefig", DRAW)
            yield

    return context


@pytest.fixture(scope="session")
def base(records):
    """Settings of a study that takes a moment."""
    return change(
        {},
        nasbench101_records=str(records),
        pretrain_cells="table",
        pretrain_epochs=1,
        pretrain_batch_size=32,
        pretrain_jit_compile=False,
        num_runs=2,
        num_queries=60,
    )


@pytest.fixture(scope="session")
def done(base, tmp_path_factory):
    """Output directory of that study."""
    return execute(base, tmp_path_factory.mktemp("done"))


@pytest.fixture(scope="session")
def on_201(measurements):
    """Settings of random search on invented NAS-Bench-201 accuracies."""
    return change(
        {},
        space="nasbench201",
        nasbench201_table=str(measurements),
        strategy="random",
        num_runs=2,
        num_queries=20,
    )
