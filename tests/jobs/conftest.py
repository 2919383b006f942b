"""Studies that take a moment."""

import pytest

from tests.job_runs import change, execute


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
