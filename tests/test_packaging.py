"""setup.py, constraints.txt and .ci/run."""

import ast
import os
import pathlib
import re
import shutil
import subprocess
import sys
import zipfile

import numpy as np
import pytest

from tools import make_nasbench101_records

ROOT = pathlib.Path(__file__).resolve().parent.parent
# Distributions whose name is not that of the module.
DISTRIBUTIONS = {"sklearn": "scikit-learn", "absl": "absl-py"}
# ModelSpec.visualize, and the first reading of a NATS-Bench folder; each says so when missing.
OPTIONAL = {"graphviz", "nats_bench"}


def normalized(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def requirements(key: str) -> list[str]:
    """Returns the names of the distributions in one list of setup.py."""
    tree = ast.parse((ROOT / "setup.py").read_text("utf-8"))
    keywords = [node for node in ast.walk(tree) if isinstance(node, ast.keyword)]
    (listing,) = [node.value for node in keywords if node.arg == key]
    texts = [node.value for node in ast.walk(listing) if isinstance(node, ast.Constant)]
    return [normalized(re.match(r"[\w-]+", text)[0]) for text in texts if re.match(r"[a-z]", text)]


def constraints() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    pins = [line.split("==") for line in lines if not line.startswith("#")]
    return {normalized(name): version for name, version in pins}


def third_party_imports(*directories: str) -> set[str]:
    found = set()
    for path in (path for name in directories for path in (ROOT / name).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                found.add(node.module.split(".")[0])
    return found - set(sys.stdlib_module_names) - {"nas_tf", "tools"}


def test_every_import_is_required():
    needed = {normalized(DISTRIBUTIONS.get(name, name))
              for name in third_party_imports("nas_tf", "tools") - OPTIONAL}
    assert {"tensorflow", "numpy", "scikit-learn", "google-crc32c"} <= needed
    assert needed <= set(requirements("install_requires"))


def test_every_requirement_is_pinned():
    needed = {*requirements("install_requires"), "pytest", "pytest-xdist", "nats-bench"} - {"setuptools"}
    assert needed <= set(constraints())
    assert all(re.fullmatch(r"[0-9][0-9a-z.]*", version) for version in constraints().values())


def run_ci(directory: pathlib.Path, readme: str | None) -> subprocess.CompletedProcess:
    """Runs .ci/run in a made-up checkout, from another directory."""
    (directory / ".ci").mkdir()
    shutil.copy(ROOT / ".ci" / "run", directory / ".ci" / "run")
    if readme is not None:
        (directory / "README.md").write_text(readme, "utf-8")
    return subprocess.run([directory / ".ci" / "run"], cwd="/", capture_output=True, text=True)


def test_ci_runs_the_second_command_of_the_readme(tmp_path):
    readme = (
        "# x\n```bash\necho first\n```\n```python\nprint()\n```\n"
        "```bash\necho second && \\\n  pwd\nexit 3\n```\n```bash\necho third\n```\n"
    )
    done = run_ci(tmp_path, readme)
    assert done.returncode == 3
    assert done.stdout.endswith(f"exit 3\nsecond\n{tmp_path}\n")
    assert "echo second && \\\n  pwd\n" in done.stdout


@pytest.mark.parametrize("readme", [None, "", "```bash\necho first\n```\n",
                                    "```bash\necho first\n```\n```bash\n\n```\n"])
def test_ci_says_when_there_is_no_second_command(tmp_path, readme):
    done = run_ci(tmp_path, readme)
    assert done.returncode == 1
    assert done.stderr.startswith(".ci/run: ") and done.stderr.count("\n") == 1
    assert "first\n" not in done.stdout


def test_ci_would_run_the_tests_with_the_real_readme():
    blocks = re.findall(r"^```bash\n(.*?)^```", (ROOT / "README.md").read_text("utf-8"),
                        re.MULTILINE | re.DOTALL)
    assert "-m nas_tf.main --flagfile=configs/nb101_rl.flags" in blocks[0]
    assert '-e ".[test]"' in blocks[1] and "-m pytest" in blocks[1]


def test_the_documents_open_a_table_as_a_library(tmp_path, monkeypatch, capsys):
    page = (ROOT / "docs" / "tables.md").read_text("utf-8")
    snippet = re.search(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL)[1]
    path = tmp_path / "synthetic.tfrecord"
    make_nasbench101_records.write_file(path, max_vertices=3, epochs=(108,))
    monkeypatch.chdir(tmp_path)
    exec(snippet.replace("nasbench_only108.tfrecord", path.name), {})
    assert 0 < float(capsys.readouterr().out.splitlines()[-1]) < 1


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    """A copy of what is packaged: building leaves files beside it."""
    directory = tmp_path_factory.mktemp("sources")
    for name in ("setup.py", "pyproject.toml", "MANIFEST.in", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, directory)
    for name in ("nas_tf", "configs"):
        shutil.copytree(ROOT / name, directory / name,
                        ignore=shutil.ignore_patterns("__pycache__"))
    return directory


def build(sources, kind: str, site: pathlib.Path) -> None:
    """Builds a wheel with setuptools, as pip does, and unpacks it."""
    call = f"print(__import__('setuptools.build_meta').build_meta.build_{kind}({str(site)!r}))"
    site.mkdir()
    built = subprocess.run([sys.executable, "-c", call], cwd=sources, capture_output=True, text=True)
    assert built.returncode == 0, built.stderr
    with zipfile.ZipFile(site / built.stdout.splitlines()[-1]) as wheel:
        wheel.extractall(site)


def installed(site: pathlib.Path, code: str) -> str:
    """Runs code far from any sources, with nas_tf from a site alone."""
    packages = str(pathlib.Path(np.__file__).parents[1])  # -S: no other installation of nas_tf
    start = f"import site, sys; site.addsitedir({str(site)!r}); sys.path.append({packages!r})\n"
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run([sys.executable, "-S", "-c", start + code], cwd="/", env=environment,
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


FIND = (
    "from nas_tf.jobs import flagfiles, flags\n"
    "from nas_tf.tables.nasbench101 import EMBEDDED_FILE, NasBench101Table\n"
    "print(flags.parse(['--flagfile=nb201_graphpnas_released'])['strategy'].value)\n"
    "print(len(NasBench101Table.embedded().cells))\n"
    "print(flagfiles.experiments())\n"
)


def test_a_wheel_has_experiments_and_data(sources, tmp_path):
    site = tmp_path / "site"
    stale = sources / "build" / "lib" / "nas_tf" / "configs" / "old.flags"
    stale.parent.mkdir(parents=True)
    stale.write_text("")
    build(sources, "wheel", site)
    assert installed(site, FIND).splitlines() == ["graphpnas", "2532", f"{site}/nas_tf/configs"]
    names = {path.name for path in (ROOT / "configs").glob("*.flags")}
    assert {path.name for path in (site / "nas_tf" / "configs").iterdir()} == names
    assert len(names) > 40
    text = (next(site.glob("*.dist-info")) / "entry_points.txt").read_text()
    assert "nas_tf = nas_tf.main:run" in text


def test_an_editable_installation_has_experiments_and_data(sources, tmp_path):
    build(sources, "editable", tmp_path / "site")
    found = installed(tmp_path / "site", FIND).splitlines()
    assert found == ["graphpnas", "2532", f"{sources}/configs"]
    assert not (sources / "nas_tf" / "configs").exists()
