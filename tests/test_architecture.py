"""The architecture of ARCHITECTURE.md, enforced: parses every import below `nas_tf/`."""

import ast
import graphlib
import pathlib
import re
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent

# From the ground up, the table of ARCHITECTURE.md. A level is a tuple of rooms, a room a set of
# modules and packages of `nas_tf/` (the single files of a level are one room). A module imports
# from lower levels and from its own room, nothing else.
LEVELS = (
    ({"core", "graphs", "storage", "caching", "config"},),
    ({"spaces"},),
    ({"tables"}, {"layers"}, {"datasets"}),
    ({"networks"}, {"training"}, {"pools"}, {"surrogates"}),
    ({"evaluators"}, {"arch2vec"}, {"graphpnas"}, {"baselines"}),
    ({"search_loop"}, {"analysis"}),
    ({"reports"}, {"benchmarks"}),
    ({"strategies"},),
    ({"studies"},),
    ({"api"}, {"tuning"}),
    ({"jobs", "main", "__main__"},),
)
# Where a package must not be imported directly; below, so that nothing imports it indirectly.
TENSORFLOW = ("tensorflow", "keras", "tf_keras", "tensorflow_probability", "spektral",
              "keras_tuner", "tensorboard")
WITHOUT_TENSORFLOW = {
    "core", "graphs", "storage", "caching", "spaces", "config", "tables", "benchmarks",
    "strategies", "jobs",
}
ABSL_FLAGS = ("absl.flags", "absl.app")
WITH_ABSL_FLAGS = {"nas_tf/jobs/flags.py", "nas_tf/main.py"}
# What imports TensorFlow, or is slow to import, is imported where it is needed.
WITH_LATE_IMPORTS = {"main", "benchmarks", "strategies", "jobs", "studies"}
PICKLES = ("pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "shelve", "marshal")
# Python's own generator belongs to the user: the official interface alone draws from it.
WITH_PYTHONS_RANDOM = {"nas_tf/tables/nasbench101.py"}
OUTSIDE = ("tools", "tests")
BANNED_NAMES = {"utils", "util", "common", "helpers", "helper"}
MAX_LINES = 400
MAX_FILES = 8  # single files at the top, without __init__ and __main__


def rooms() -> dict[str, tuple[int, int]]:
    """Returns level and room of everything directly below `nas_tf/`."""
    return {
        name: (level, number)
        for level, neighbours in enumerate(LEVELS)
        for number, room in enumerate(neighbours)
        for name in room
    }


def imports(tree: ast.AST, known: set[str]) -> set[str]:
    """Returns the modules a syntax tree imports, as dotted names.

    Args:
        tree: of a module or of a function.
        known: dotted names of all modules below `nas_tf/`: `from nas_tf import core` names one,
            `from nas_tf.core import NasError` does not.
    """
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = "." * node.level + (node.module or "")
            names = {f"{base}.{alias.name}" for alias in node.names if alias.name != "*"} or {base}
            inside = base.startswith("nas_tf.")
            found |= {name if name in known or not inside else base for name in names}
    return found


def starts_with(name: str, prefixes: tuple[str, ...]) -> bool:
    """Returns whether a dotted name is one of the prefixes or lies below one."""
    return any(name == prefix or name.startswith(prefix + ".") for prefix in prefixes)


def violations(sources: dict[str, str]) -> list[str]:
    """Checks modules against the rules above.

    Args:
        sources: text of every module by its path, such as "nas_tf/spaces/nasbench101.py".

    Returns:
        one line for everything that breaks a rule.
    """
    known = {module_name(path) for path in sources}
    found = []
    for path, source in sorted(sources.items()):
        tree = ast.parse(source, path)
        broken = [*check_place(path, source), *check_code(path, tree)]
        for name in sorted(imports(tree, known)):
            broken += check_import(path, name)
        found += [f"{path}: {line}" for line in broken]
    return found


def check_place(path: str, source: str):
    """Yields what is wrong with a module's place, name and length."""
    parts = pathlib.PurePosixPath(path).with_suffix("").parts
    if len(parts) > 3:
        yield "packages are at most one level deep"
    if banned := BANNED_NAMES.intersection(parts):
        yield f"no module is named {min(banned)}"
    if parts[1] not in rooms() and path != "nas_tf/__init__.py":
        yield f"{parts[1]} is in no room: add it to LEVELS and to ARCHITECTURE.md"
    if (lines := len(source.splitlines())) > MAX_LINES:
        yield f"{lines} lines, at most {MAX_LINES}"


def check_code(path: str, tree: ast.AST):
    """Yields late imports and pickles that `numpy` would load."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            late = imports(node, set())
            if late and room_of(path) not in WITH_LATE_IMPORTS:
                yield f"imports {', '.join(sorted(late))} inside a function"
        if isinstance(node, ast.keyword) and node.arg == "allow_pickle":
            if not (isinstance(node.value, ast.Constant) and node.value.value is False):
                yield "allow_pickle is not the constant False"


def check_import(path: str, name: str):
    """Yields what is wrong with one import of one module."""
    room = room_of(path)
    if name.startswith("."):
        yield f"relative import {name}"
    if starts_with(name, OUTSIDE):
        yield f"imports {name}: the library needs nothing outside itself"
    if starts_with(name, PICKLES):
        yield f"imports {name}: no pickles"
    if starts_with(name, ("random",)) and path not in WITH_PYTHONS_RANDOM:
        yield f"imports {name}: generators are arguments"
    if starts_with(name, ABSL_FLAGS) and path not in WITH_ABSL_FLAGS:
        yield f"imports {name}: flags are read in flags.py and main.py"
    if starts_with(name, TENSORFLOW) and room in WITHOUT_TENSORFLOW:
        yield f"imports {name}: {room} does without TensorFlow"
    if starts_with(name, ("nas_tf",)) and name != "nas_tf.__version__":
        yield from check_levels(room, name)


def check_levels(room: str, name: str):
    """Yields an import of `nas_tf` that does not lead downwards."""
    target = name.removeprefix("nas_tf").strip(".").split(".")[0]
    if target not in rooms():
        yield f"imports {name}, which is in no room"
    elif room in rooms() and rooms()[target] != rooms()[room]:
        if rooms()[target][0] >= rooms()[room][0]:
            yield f"imports {name}: {target} is not below {room}"


def module_name(path: str) -> str:
    """Returns the dotted name of a module."""
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def room_of(path: str) -> str:
    """Returns the module or package directly below `nas_tf/` that a path belongs to."""
    return pathlib.PurePosixPath(path).with_suffix("").parts[1]


def real_sources() -> dict[str, str]:
    """Returns the text of every module of the library."""
    paths = (ROOT / "nas_tf").rglob("*.py")
    return {str(path.relative_to(ROOT).as_posix()): path.read_text("utf-8") for path in paths}


def test_the_library_keeps_the_rules():
    assert violations(real_sources()) == []


def test_the_library_has_no_import_cycle():
    sources = real_sources()
    known = {module_name(path) for path in sources}
    graph = {}
    for path, source in sources.items():
        graph[module_name(path)] = imports(ast.parse(source), known) & known
    order = list(graphlib.TopologicalSorter(graph).static_order())  # raises CycleError
    assert order.index("nas_tf.graphs") < order.index("nas_tf.core") < order.index("nas_tf.jobs.registry")


def test_the_layers_are_the_folders():
    top = {path for path in real_sources() if path.count("/") == 1}
    assert len(top - {"nas_tf/__init__.py", "nas_tf/__main__.py"}) <= MAX_FILES


def test_recipes_and_flags_need_no_tensorflow():
    """In a process of its own: nothing that these import does either."""
    program = (
        "import sys; from nas_tf.jobs import flags, registry, running; "
        "import nas_tf.benchmarks; flags.help_text(); "
        "found = {name.split('.')[0] for name in sys.modules}; "
        f"print(sorted(found.intersection({TENSORFLOW!r})))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout == "[]\n", done.stdout + done.stderr


def test_architecture_md_has_the_same_table():
    text = (ROOT / "ARCHITECTURE.md").read_text("utf-8")
    rows = re.findall(r"^\| (\d+) \| `(\w+)(?:\.py|/)` \|", text, re.MULTILINE)
    written = {name: int(level) for level, name in rows}
    built = {room_of(path) for path in real_sources() if path != "nas_tf/__init__.py"}
    assert written == {name: rooms()[name][0] for name in built}


def test_a_sound_module_passes():
    source = (
        '"""Doc."""\nimport numpy as np\nfrom absl import logging\nimport tensorflow as tf\n'
        "from nas_tf import core, graphs\nfrom nas_tf.layers.gin import DenseGIN\n"
        "from nas_tf.arch2vec import policy\nnp.load('x', allow_pickle=False)\n"
    )
    policy = {"nas_tf/arch2vec/policy.py": "", "nas_tf/core.py": "", "nas_tf/graphs.py": ""}
    assert violations({"nas_tf/arch2vec/made_up.py": source, **policy}) == []
    assert violations({"nas_tf/main.py": "def f():\n    from nas_tf import jobs\n"}) == []


@pytest.mark.parametrize(
    "path, source, message",
    [
        ("nas_tf/spaces/new.py", "import tensorflow as tf", "spaces does without TensorFlow"),
        ("nas_tf/spaces/new.py", "from keras import layers", "spaces does without TensorFlow"),
        ("nas_tf/core.py", "import tensorflow.nn", "core does without TensorFlow"),
        ("nas_tf/layers/new.py", "from nas_tf.training import trainer", "training is not below"),
        ("nas_tf/layers/new.py", "import nas_tf.tables.records", "tables is not below layers"),
        ("nas_tf/core.py", "from nas_tf import spaces", "spaces is not below core"),
        ("nas_tf/baselines/new.py", "from nas_tf.arch2vec.vgae import VGAE", "arch2vec is not"),
        ("nas_tf/search_loop.py", "from nas_tf.analysis.curves import a", "analysis is not below"),
        ("nas_tf/strategies/new.py", "from nas_tf.jobs import job", "jobs is not below strategies"),
        ("nas_tf/core.py", "from .storage import write_json", "relative import .storage"),
        ("nas_tf/core.py", "from nas_tf import *", "imports nas_tf, which is in no room"),
        ("nas_tf/jobs/new.py", "from nas_tf.magic import x", "nas_tf.magic, which is in no room"),
        ("nas_tf/magic.py", "", "magic is in no room"),
        ("nas_tf/core.py", "from tools import benchmark", "nothing outside itself"),
        ("nas_tf/core.py", "import tests.conftest", "nothing outside itself"),
        ("nas_tf/storage.py", "import random", "imports random: generators are arguments"),
        ("nas_tf/storage.py", "from random import choice", "generators are arguments"),
        ("nas_tf/storage.py", "import pickle", "no pickles"),
        ("nas_tf/storage.py", "from joblib import load", "no pickles"),
        ("nas_tf/storage.py", "np.load(path, allow_pickle=True)", "not the constant False"),
        ("nas_tf/storage.py", "np.load(path, allow_pickle=flag)", "not the constant False"),
        ("nas_tf/jobs/new.py", "from absl import flags", "flags are read in flags.py and main.py"),
        ("nas_tf/jobs/new.py", "import absl.app", "flags are read in flags.py and main.py"),
        ("nas_tf/reports/new.py", "def f():\n  import os", "imports os inside a function"),
        ("nas_tf/core.py", "class A:\n  def f(self):\n    from nas_tf import graphs",
         "inside a function"),
        ("nas_tf/spaces/utils.py", "", "no module is named utils"),
        ("nas_tf/common/new.py", "", "no module is named common"),
        ("nas_tf/spaces/deep/new.py", "", "packages are at most one level deep"),
        ("nas_tf/core.py", "\n" * 401, "401 lines, at most 400"),
    ],
)
def test_a_violation_is_caught(path, source, message):
    assert message in "\n".join(violations({path: source}))
