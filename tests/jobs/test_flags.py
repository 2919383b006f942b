"""nas_tf/jobs/flags.py: flags mirror the settings, and a flagfile repeats them."""

import pathlib

import pytest

from nas_tf.config import flag_of, settings_of
from nas_tf.core import ConfigError
from nas_tf.jobs import flags, registry, running
from nas_tf.studies.pretraining import Pretraining

CONFIGS = sorted(pathlib.Path(__file__).parents[2].glob("configs/*.flags"))


def read(*arguments):
    """Returns the values that a command line gives a job, by flag."""
    return running.resolve(flags.parse(arguments))[1].values()


def test_values_arrive_with_their_types():
    values = read(
        "--seed=7", "--pretrain_kl_weight=0.5", "--pretrain_positions", "--nopretrain_jit_compile",
        "--num_queries=none", "--cost_budget_sec=3", "--nasbench101_records=a b.tfrecord",
        "--pretrain_pooling=mean", "--seed", "8",
    )  # fmt: skip
    expected = {
        "seed": 8, "pretrain_kl_weight": 0.5, "pretrain_positions": True,
        "pretrain_jit_compile": False, "num_queries": None, "cost_budget_sec": 3.0,
        "nasbench101_records": str(pathlib.Path("a b.tfrecord").resolve()),
        "pretrain_pooling": "mean", "benchmark": "nasbench101",
    }
    assert {name: values[name] for name in expected} == expected


def test_a_written_flagfile_repeats_the_job(tmp_path):
    _, reader = running.resolve(flags.parse((
        "--seed=7", "--num_queries=none", "--cost_budget_sec=1e5", "--nopretrain_adjacency_bias"
    )))
    path = tmp_path / "config.flags"
    path.write_text(reader.text())
    assert read(f"--flagfile={path}") == reader.values()


def test_a_written_flagfile_means_the_same_anywhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for given, written in {
        ("--nasbench101_records=a.tfrecord", "--pretrained=../c"): (
            f"--nasbench101_records={tmp_path}/a.tfrecord", f"--pretrained={tmp_path.parent}/c"
        ),
        ("--job=report", "--inputs=d, e/f", "--reference=d"): (
            f"--inputs={tmp_path}/d,{tmp_path}/e/f", f"--reference={tmp_path}/d"
        ),
        ("--job=sample", "--generator=./g.keras"): (f"--generator={tmp_path}/g.keras",),
    }.items():
        _, reader = running.resolve(flags.parse(("--output_dir=out", *given)))
        lines = reader.text().splitlines()
        assert {f"--output_dir={tmp_path}/out", *written} <= set(lines)
        (tmp_path / "config.flags").write_text(reader.text())
        values = reader.values()
        with monkeypatch.context() as patch:
            patch.chdir("/")
            assert read(f"--flagfile={tmp_path}/config.flags") == values


def test_home_directories(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "mine.flags").write_text("--nasbench101_records=~/table\n")
    values = read("--output_dir=~/runs/x", "--flagfile=~/mine.flags", "--pretrained=a~b")
    assert values["output_dir"] == f"{tmp_path}/runs/x"
    assert values["nasbench101_records"] == f"{tmp_path}/table"
    assert values["pretrained"].endswith("/a~b")
    assert read("--job=report", "--inputs=~/a, ~/b")["inputs"] == f"{tmp_path}/a,{tmp_path}/b"
    with pytest.raises(ConfigError, match="no home directory is known for ~nobody_at_all"):
        read("--output_dir=~nobody_at_all/x")


@pytest.mark.parametrize(
    "argument, message",
    [
        ("--seed=1.5", "flag --seed=1.5: expected a whole number"),
        ("--pretrain_kl_weight=much", "flag --pretrain_kl_weight=much: expected a number"),
        ("--seed=none", "flag --seed=none: expected a whole number"),
        ("--pretrain_pooling=max", "--pretrain_pooling=max: expected one of sum, mean"),
        ("--job=sing", "--job=sing: expected one of search, pretrain, report, analyze, sample, q"),
        ("--strategy=luck", "--strategy=luck: expected one of gaussian_process, arch2vec_rl, ar"),
        ("--num_queries=many", "flag --num_queries=many: expected a whole number, or none"),
        ("--num_queries=None", "--num_queries=None: nothing is written 'none', in small letters"),
        ("--pretrained=NONE", "--pretrained=NONE: nothing is written 'none', in small letters"),
        ("--standardize=maybe", "flag --standardize=maybe: Non-boolean argument to boolean flag"),
        ("--nostandardize=false", "--nostandardize=false does not take an argument; --FLAG=true"),
        ("--num_qeuries=5", "Unknown command line flag 'num_qeuries'. Did you mean: num_queries"),
        ("--seed", "Missing value for flag --seed"),
        ("--=3", "--=3: unexpected argument"),
        ("extra", "extra: unexpected argument; flags begin with --"),
        ("--output_dir=a\nb", "expected one line without blanks at its ends"),
        ("--output_dir=a ", "expected one line without blanks at its ends"),
        ("--output_dir=a\udcff", "expected UTF-8 text"),
        ("--output_dir=", "--output_dir=: expected a text"),
        ("--num_runs=0", "--num_runs=0: expected at least 1"),
        ("--baseline=95", "--baseline=95.0: expected a share from 0 to 1, or none"),
        ("--pretrain_epochs=0", "--pretrain_epochs=0: expected at least 1"),
        ("--strategy=reinforce", "it is called arch2vec_rl or categorical_reinforce now"),
        ("--strategy=bayesian", "--strategy=bayesian: it is called arch2vec_bo now"),
        ("--strategy=supervised_reinforce", "it is called supervised_rl now"),
        ("--epochs=5", "--epochs=5: it is called --train_epochs or --pretrain_epochs now"),
        ("--noadjacency_bias", "--noadjacency_bias: it is called --pretrain_adjacency_bias now"),
        ("--pooling=sum", "it is called --pretrain_pooling or --encoder_pooling now"),
        ("--generator_hidden=64", "=64: --strategy=arch2vec_rl does not read it"),
        ("--gp_cells=64", "--gp_cells=64: --job=search does not read it"),
        ("--dataset=svhn", "--dataset=svhn: --benchmark=digits does not read it"),
        ("--num_queries=none", "no budget: set num_queries, cost_budget_sec or both to a positive"),
    ],
)
def test_a_mistake_is_one_line_with_its_place(argument, message, tmp_path):
    with pytest.raises(ConfigError) as caught:
        read(argument)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    whole = "extra", "--=3", "--output_dir=a ", "--num_queries=none"
    if argument.isprintable() and argument not in whole:
        path = tmp_path / "mine.flags"
        path.write_text(f"# Mine.\n\n{argument}\n--seed=3\n")
        with pytest.raises(ConfigError) as in_file:
            read(f"--flagfile={path}")
        assert str(in_file.value) == f"{path}, line 3: {caught.value}"


def test_a_file_that_several_experiments_share_may_say_more_than_one_reads(tmp_path):
    (tmp_path / "base.flags").write_text("--generator_hidden=64\n--seed=4\n")
    (tmp_path / "mine.flags").write_text("--flagfile=base.flags\n--strategy=random\n")
    values = read(f"--flagfile={tmp_path}/mine.flags")
    assert values["seed"] == 4 and "generator_hidden" not in values
    with pytest.raises(ConfigError, match="base.flags, line 1: --generator_hidden=64: --strategy=r"):
        read(f"--flagfile={tmp_path}/base.flags", "--strategy=random")
    (tmp_path / "base.flags").write_text("--epochs=64\n")
    with pytest.raises(ConfigError, match="base.flags, line 1: --epochs=64: it is called --train_e"):
        read(f"--flagfile={tmp_path}/mine.flags")


@pytest.mark.parametrize("arguments, message", [
    (["--benchmark=digits", "--space=darts"], "it measures cells of nasbench101; received --space=d"),
    (["--benchmark=digits", "--nasbench101_records=x"], "--benchmark=digits does not read it"),
    (["--job=pretrain", "--nasbench101_records=x"], "--job=pretrain does not read it"),
    (["--job=pretrain", "--seed=4"], "a model, whose seed is its own: --pretrain_seed"),
    (["--job=pretrain", "--pretrained=x"], "--job=pretrain does not read it; it makes one"),
    (["--strategy=random", "--pretrained=x"], "=x: --strategy=random does not read it"),
    (["--strategy=random", "--pretrain_epochs=2"], "=2: --strategy=random does not read it"),
    (["--job=report", "--seed=4"], "--seed=4: --job=report does not read it"),
    (["--space=darts"], "--space=darts: no table measures its cells; --job=search needs one"),
])
def test_who_does_not_read_a_flag_is_named(arguments, message):
    with pytest.raises(ConfigError) as caught:
        read(*arguments)
    assert message in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("arguments, space, benchmark", [
    ([], "nasbench101", "digits"),
    (["--nasbench101_records=x"], "nasbench101", "nasbench101"),
    (["--space=nasbench201"], "nasbench201", "nasbench201"),
    (["--benchmark=nasbench201"], "nasbench201", "nasbench201"),
    (["--benchmark=nasbench101"], "nasbench101", "nasbench101"),
])
def test_space_and_benchmark_follow_from_each_other(arguments, space, benchmark):
    values = read(*arguments)
    assert (values["space"], values["benchmark"]) == (space, benchmark)


def test_a_given_model_is_not_pretrained(tmp_path):
    """What an experiment's file says of its pre-training is overruled; a command line means it."""
    values = read("--flagfile=nb101_rl", "--pretrained=x")
    assert "pretrain_epochs" not in values and values["pretrain_pooling"] == "sum"
    with pytest.raises(ConfigError, match="--pretrain_epochs=77: --strategy=arch2vec_rl does not "):
        read("--pretrained=x", "--pretrain_epochs=77")


def test_a_job_has_the_settings_that_it_reads_alone():
    values = read("--strategy=random")
    assert set(values) == {
        "job", "output_dir", "space", "benchmark", "nasbench101_validation", "nasbench101_epochs",
        "strategy", "seed", "num_runs", "num_queries", "cost_budget_sec", "distribution",
        "cpu_devices", "checkpoint_sec",
    }
    pretraining = {flag_of(Pretraining, field) for field in settings_of(Pretraining)}
    assert pretraining < set(read()) and not pretraining & set(read("--strategy=graphpnas"))
    assert set(read("--job=report")) == {"job", "output_dir", "inputs", "reference"}


def test_a_flag_is_declared_alike_wherever_it_is():
    """A name that several components read takes the same words in all of them."""
    found = {}
    for component in registry.components():
        for field in settings_of(component):
            kind = field.type, field.metadata["choices"], field.metadata["path"]
            assert found.setdefault(flag_of(component, field), kind) == kind, field.name
            assert field.metadata["help"].endswith("."), field.name


def test_help_has_every_flag_and_every_job():
    text = flags.help_text()
    for component in registry.components():
        for field in settings_of(component):
            name = flag_of(component, field)
            assert f"  --{name}" in text or f"  --[no]{name}\n" in text
    assert f"--job=<{'|'.join(registry.NAMES)}>\n" in text
    assert "GraphPNAS (--strategy=graphpnas)\n" in text
    assert max(map(len, text.splitlines())) < 200


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.name)
def test_every_flagfile_is_valid_and_says_what_it_is(path, monkeypatch):
    monkeypatch.chdir("/")
    assert path.read_text().startswith("# ")
    if "base" not in path.stem:
        values = read(f"--flagfile={path}")
        assert values["output_dir"] == f"/runs/{path.stem}"
        assert "Published" in path.read_text() or values["job"] == "query"


def test_there_are_flagfiles():
    assert {path.stem for path in CONFIGS} >= {"nb101_base", "nb101_rl", "pretrain_nb101"}
