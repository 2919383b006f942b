"""nas_tf/paths.py."""

import pathlib

import pytest

from nas_tf.core import ConfigError
from nas_tf.paths import expand_home


def test_a_home_directory_stands_at_the_start_alone(monkeypatch):
    monkeypatch.setenv("HOME", "/home/ada")
    assert expand_home("~") == "/home/ada"
    assert expand_home(pathlib.Path("~/a b")) == "/home/ada/a b"
    for name in ("", "a/~", "a~", "./~/x", "/~"):
        assert expand_home(name) == name


def test_an_unknown_user_is_named():
    with pytest.raises(ConfigError) as caught:
        expand_home("~no_such_user/x")
    assert str(caught.value) == (
        "~no_such_user/x: no home directory is known for ~no_such_user; ./~no_such_user/x is a "
        "file of that name"
    )
