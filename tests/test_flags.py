"""Flags mirror the settings, and a flagfile repeats them."""

import dataclasses
import pathlib

import pytest

from nas_tf import flags
from nas_tf.core import ConfigError
from nas_tf.settings import JOBS, Settings

CONFIGS = sorted(pathlib.Path(__file__).parents[1].glob("configs/*.flags"))


def parse(*arguments):
    return flags.parse(arguments)


def test_defaults_are_those_of_the_settings():
    assert parse() == Settings()


def test_values_arrive_with_their_types():
    settings = parse(
        "--seed=7", "--kl_weight=0.5", "--positions", "--nojit_compile", "--num_queries=none",
        "--cost_budget_sec=3", "--nasbench101_records=a b.tfrecord", "--pooling=mean",
    )  # fmt: skip
    assert settings.job.seed == 7
    assert settings.pretrain.kl_weight == 0.5
    assert settings.pretrain.positions is True
    assert settings.pretrain.jit_compile is False
    assert settings.search.num_queries is None
    assert settings.search.cost_budget_sec == 3.0
    assert settings.table.nasbench101_records == "a b.tfrecord"
    assert settings.pretrain.pooling == "mean"


def test_a_written_flagfile_repeats_the_job(tmp_path):
    settings = parse("--seed=7", "--num_queries=none", "--cost_budget_sec=1e5", "--noadjacency_bias")
    path = tmp_path / "config.flags"
    path.write_text(flags.flagfile(settings))
    job = dataclasses.replace(settings.job, output_dir=str(pathlib.Path("runs/search").resolve()))
    assert parse(f"--flagfile={path}") == dataclasses.replace(settings, job=job)


def test_a_written_flagfile_means_the_same_anywhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    settings = parse(
        "--output_dir=out", "--nasbench101_records=a.tfrecord", "--nasbench201_table=../b.csv",
        "--pretrained=c", "--inputs=d, e/f", "--reference=d", "--generator=./g.keras",
    )  # fmt: skip
    lines = flags.flagfile(settings).splitlines()
    assert {f"--output_dir={tmp_path}/out", f"--nasbench101_records={tmp_path}/a.tfrecord",
            f"--nasbench201_table={tmp_path.parent}/b.csv", f"--pretrained={tmp_path}/c",
            f"--inputs={tmp_path}/d,{tmp_path}/e/f", f"--reference={tmp_path}/d",
            f"--generator={tmp_path}/g.keras"} <= set(lines)
    (tmp_path / "config.flags").write_text("\n".join(lines))
    monkeypatch.chdir("/")
    assert flags.flagfile(parse(f"--flagfile={tmp_path}/config.flags")).splitlines() == lines


def test_home_directories(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "mine.flags").write_text("--nasbench101_records=~/table\n--inputs=~/a, ~/b\n")
    settings = parse("--output_dir=~/runs/x", "--flagfile=~/mine.flags", "--pretrained=a~b")
    assert settings.job.output_dir == f"{tmp_path}/runs/x"
    assert settings.table.nasbench101_records == f"{tmp_path}/table"
    assert settings.report.directories() == [f"{tmp_path}/a", f"{tmp_path}/b"]
    assert settings.pretrain.pretrained == "a~b"
    with pytest.raises(ConfigError, match="no home directory is known for ~nobody_at_all"):
        parse("--output_dir=~nobody_at_all/x")


def test_an_impossible_value_is_a_config_error():
    with pytest.raises(ConfigError, match="--num_runs=0: expected at least 1"):
        parse("--num_runs=0")


@pytest.mark.parametrize(
    "argument, message",
    [
        ("--seed=1.5", "flag --seed=1.5: expected a whole number"),
        ("--kl_weight=much", "flag --kl_weight=much: expected a number"),
        ("--seed=none", "flag --seed=none: expected a whole number"),
        ("--pooling=max", "flag --pooling=max: value should be one of <sum|mean>"),
        ("--job=train", "flag --job=train: value should be one of <search|pretrain|report|analyze|s"),
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
        ("--num_runs=0", "--num_runs=0: expected at least 1"),
    ],
)
def test_a_mistake_is_one_line_with_its_place(argument, message, tmp_path):
    with pytest.raises(ConfigError) as caught:
        parse(argument)
    assert str(caught.value).startswith(message) or message in str(caught.value)
    assert "\n" not in str(caught.value)
    if argument.isprintable() and argument not in ("extra", "--=3", "--output_dir=a "):
        path = tmp_path / "mine.flags"
        path.write_text(f"# Mine.\n\n{argument}\n--seed=3\n")
        with pytest.raises(ConfigError) as in_file:
            parse(f"--flagfile={path}")
        assert str(in_file.value) == f"{path}, line 3: {caught.value}"


def test_help_has_every_flag_and_every_job():
    text = flags.help_text()
    for component in dataclasses.fields(Settings):
        for field in dataclasses.fields(component.type):
            assert f"  --{field.name}" in text or f"  --[no]{field.name}\n" in text
    assert f"--job=<{'|'.join(JOBS)}>\n" in text and "train>" not in text
    assert max(map(len, text.splitlines())) < 200


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.name)
def test_every_flagfile_is_valid_and_says_what_it_is(path, monkeypatch):
    monkeypatch.chdir("/")
    assert path.read_text().startswith("# ")
    settings = parse(f"--flagfile={path}")
    if "base" not in path.stem:
        assert settings.job.output_dir == f"runs/{path.stem}"
        assert "Published" in path.read_text() or settings.job.job == "query"


def test_there_are_flagfiles():
    assert {path.stem for path in CONFIGS} >= {"nb101_base", "nb101_rl", "pretrain_nb101"}
