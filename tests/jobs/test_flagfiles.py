"""nas_tf/jobs/flagfiles.py."""

import os
import pathlib

import pytest

from nas_tf.jobs import flagfiles
from nas_tf.core import ConfigError

ROOT = pathlib.Path(__file__).resolve().parents[2]


def expand(*arguments):
    return [argument.text for argument in flagfiles.expand(arguments)]


def refused(*arguments) -> str:
    with pytest.raises(ConfigError) as caught:
        flagfiles.expand(arguments)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    "content",
    [
        b"--seed=3\n--dataset=\xc3\xa9\n",
        b"\xef\xbb\xbf--seed=3\n--dataset=\xc3\xa9",
        b"--seed=3\r\n--dataset=\xc3\xa9\r\n",
        b"\xef\xbb\xbf# Mine.\r\n\r\n--seed=3\r\n// too\r\n  --dataset=\xc3\xa9  \r\n",
        b"--seed=3\r--dataset=\xc3\xa9\r",
    ],
    ids=["plain", "mark", "crlf", "both", "cr"],
)
def test_text_is_utf8_with_any_line_ends(tmp_path, content):
    (tmp_path / "a.flags").write_bytes(content)
    assert expand("--x=1", f"--flagfile={tmp_path}/a.flags", "--y") == [
        "--x=1", "--seed=3", "--dataset=é", "--y",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "content, message",
    [
        ("--seed=3\n--dataset=é\n".encode("latin-1"), "line 2: byte 0xe9 is not UTF-8 text"),
        ("--seed=3\n".encode("utf-16"), "line 1: byte 0xff is not UTF-8 text"),
        ("--seed=3\n".encode("utf-16-le"), "line 1: byte 0x00 is not UTF-8 text"),
        (b"--seed=3\nseed=4\n", "line 2: seed=4: expected a flag, which begins with --"),
        (b"--seed=3\n--\n", "line 2: --: expected a flag, which begins with --"),
        (b"--flagfile=\n", "line 1: --flagfile=: expected the name of a file"),
        (b"--flagfile\n", "line 1: --flagfile=: expected the name of a file"),
        (b"\n--flagfile=no/such\n", "line 2: --flagfile=no/such: no such file"),
        (b"--flagfile=a.flags\n", "line 1: --flagfile=a.flags: that file names this one in turn"),
        (b"--flagfile=b.flags\n", "b.flags, line 2: --flagfile=a.flags: that file names this one"),
    ],
)
def test_a_mistake_is_one_line(tmp_path, content, message):
    (tmp_path / "b.flags").write_text("--seed=3\n--flagfile=a.flags\n")
    (tmp_path / "a.flags").write_bytes(content)
    assert message in refused(f"--flagfile={tmp_path}/a.flags")


def test_files_nest_from_where_they_lie_then_from_here(tmp_path, monkeypatch):
    for name in ("here", "there/below"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "there" / "a").write_text("--flagfile=b\n--flagfile=below/c\n--flagfile=d\n")
    (tmp_path / "there" / "b").write_text("--b=there\n")
    (tmp_path / "there" / "below" / "c").write_text("--flagfile=../b\n")
    (tmp_path / "here" / "b").write_text("--b=here\n")
    (tmp_path / "here" / "d").write_text("--d=here\n")
    monkeypatch.chdir(tmp_path / "here")
    assert expand("--flagfile=../there/a") == ["--b=there", "--b=there", "--d=here"]
    assert expand("-flagfile", "b") == ["--b=here"]


def test_one_file_may_be_named_twice(tmp_path):
    (tmp_path / "a").write_text("--flagfile=b\n--flagfile=b\n")
    (tmp_path / "b").write_text("--seed=1\n")
    assert expand(f"--flagfile={tmp_path}/a") == ["--seed=1"] * 2


def test_published_experiments_are_found_from_anywhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    whole = expand(f"--flagfile={ROOT}/configs/nb101_rl.flags")
    assert "--space=nasbench101" in whole and "--strategy=arch2vec_rl" in whole
    (tmp_path / "nb101_rl").mkdir()  # an output directory of that name
    for name in ("nb101_rl", "nb101_rl.flags", "configs/nb101_rl", "configs/nb101_rl.flags"):
        assert expand(f"--flagfile={name}") == whole
    (tmp_path / "mine").write_text("--flagfile=nb101_rl\n--seed=1\n")
    assert expand("--flagfile=mine") == [*whole, "--seed=1"]
    (tmp_path / "nb101_random").write_text("--seed=2\n")
    assert expand("--flagfile=nb101_random") == ["--seed=2"]


def test_what_is_not_there_is_named_with_what_is_close(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert refused("--flagfile=nb101_lr").startswith(
        "--flagfile=nb101_lr: no such file, and no published experiment; of these there are nb101_r"
    )
    (tmp_path / "out").mkdir()
    assert refused("--flagfile=out") == "--flagfile=out: is a directory; name a file in it"
    (tmp_path / "out" / "config.flags").write_text("")
    assert "--flagfile=out/config.flags repeats its job" in refused("--flagfile=out")
    assert "no such file" in refused(f"--flagfile={'long' * 2000}")
    assert refused("--flagfile=") == "--flagfile=: expected the name of a file"
    assert refused("--flagfile") == "--flagfile=: expected the name of a file"


def test_a_file_that_may_not_be_read(tmp_path, monkeypatch):
    path = tmp_path / "a"
    path.write_text("")

    def read_bytes(self):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(pathlib.Path, "read_bytes", read_bytes)
    assert refused(f"--flagfile={path}") == f"{path}: cannot be read (Permission denied)"


def test_flags_may_come_through_a_pipe(tmp_path):
    reading, writing = os.pipe()
    os.write(writing, b"--seed=4\n")
    os.close(writing)
    try:
        assert expand(f"--flagfile=/dev/fd/{reading}") == ["--seed=4"]
    finally:
        os.close(reading)


def test_arguments_after_two_dashes_are_left_alone():
    assert expand("--a", "--", "--flagfile=x") == ["--a", "--", "--flagfile=x"]


def test_an_argument_knows_its_line(tmp_path):
    (tmp_path / "a").write_text("# x\n--flagfile=b\n--seed=1\n")
    (tmp_path / "b").write_text("--seed=2\n")
    found = flagfiles.expand([f"--flagfile={tmp_path}/a", "--seed=3"])
    assert [argument.origin for argument in found] == [
        f"{tmp_path}/b, line 1: ", f"{tmp_path}/a, line 3: ", "",
    ]  # fmt: skip
