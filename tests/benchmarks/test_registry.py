"""nas_tf/benchmarks/registry.py."""

import pytest

from nas_tf.benchmarks import registry
from nas_tf.core import ConfigError
from nas_tf.spaces import registry as spaces


def test_what_follows_from_space_and_flags():
    assert registry.of_space("nasbench101", set()).name == "digits"
    assert registry.of_space("nasbench101", {"nasbench101_epochs"}).name == "digits"
    assert registry.of_space("nasbench101", {"nasbench101_records"}).name == "nasbench101"
    assert registry.of_space("nasbench201", set()).name == "nasbench201"
    assert registry.of_space("darts", set()) is None


def test_names():
    assert registry.named("digits").__name__ == "Digits"
    with pytest.raises(ConfigError, match="benchmark=luck: expected one of digits, nasbench101, n"):
        registry.named("luck")
    for benchmark in registry.BENCHMARKS:
        assert set(benchmark.spaces) <= set(spaces.NAMES)
