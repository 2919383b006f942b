"""What README.md and docs/ show: their Python runs, their links lead somewhere, pages are made."""

import json
import os
import pathlib
import re
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[1]
OWN = ROOT / "docs" / "own.md"
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def blocks(path) -> list[str]:
    """Returns the Python of a page, block by block."""
    return re.findall(r"^```python\n(.*?)^```", path.read_text("utf-8"), re.MULTILINE | re.DOTALL)


# Runs programs that it reads from its input, each in a directory and with names of its own.
RUNNER = """
import contextlib, io, json, os, pathlib, sys, traceback
results = {}
for name, program in json.load(sys.stdin).items():
    pathlib.Path(name).mkdir()
    with contextlib.chdir(name), contextlib.redirect_stdout(io.StringIO()) as out:
        try:
            exec(program, {"__name__": "__main__"})
            results[name] = True, out.getvalue()
        except Exception:
            results[name] = False, traceback.format_exc()
print(json.dumps(results))
"""


def programs() -> dict[str, str]:
    """Returns the examples with smaller numbers: the whole is the main job's minute."""
    example, network = blocks(ROOT / "README.md")
    small = example.replace("num_runs=500", "num_runs=3").replace("num_queries=150", "num_queries=20")
    assert small.count("num_runs=3") == 2
    page = "\n".join(blocks(ROOT / "docs" / "networks.md"))
    (training,) = re.findall("^trained = .*$", network, re.MULTILINE)
    assert training in page  # once is enough
    # Six queries: four random ones, and one after the generator has learned from five.
    own = [
        block.replace("num_queries=10", "num_queries=6")
        .replace("generator_hidden=16", "generator_hidden=4, generator_jit_compile=False")
        for block in blocks(OWN)
    ]
    assert "num_queries=6" in own[0] and "generator_jit_compile=False" in own[0]
    return {
        **{f"own {number}": block for number, block in enumerate(own)},
        "readme": small.replace("epochs=5", "epochs=1"),
        "networks": page + network.replace(training, ""),
        "walk-through": "\n".join(blocks(ROOT / "docs" / "walkthrough.md")),
    }


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """Runs all examples as a user would, in one process; returns a function to see what one did.

    XLA compiles fast here and not for speed.
    """
    directory = tmp_path_factory.mktemp("examples")
    done = subprocess.run(
        [sys.executable, "-c", RUNNER], input=json.dumps(programs()), cwd=directory,
        env=os.environ | {"XLA_FLAGS": "--xla_backend_optimization_level=0"},
        capture_output=True, text=True,
    )
    assert done.returncode == 0, done.stderr
    results = json.loads(done.stdout)

    def look(name):
        right, output = results[name]
        assert right, output
        return output, directory / name

    return look


def test_the_walk_through_runs(ran):
    output, directory = ran("walk-through")
    assert "<Study: random search, 20 runs x 50 queries" in output
    assert (directory / "regret.png").read_bytes().startswith(b"\x89PNG")
    assert (directory / "runs" / "mine" / "report.md").exists()


@pytest.mark.parametrize("number", [0, 1, 2, 3])
def test_examples_of_ones_own_run_and_are_short(ran, number):
    lines = [line for line in blocks(OWN)[number].splitlines() if line.strip()]
    assert len(lines) <= 30
    output, _ = ran(f"own {number}")
    assert ("<Study: ", "<Comparison:")[number == 0] in output


def test_the_example_of_the_readme_runs(ran):
    _, directory = ran("readme")
    assert (directory / "regret.png").read_bytes().startswith(b"\x89PNG")


def test_the_examples_of_networks_run(ran):
    output, directory = ran("networks")
    assert "3,349,342 parameters" in output and "('0', '1', '2')" in output
    assert (directory / "digits.keras").stat().st_size > 10_000


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_links_lead_somewhere(path):
    text = path.read_text("utf-8")
    targets = re.findall(r"\]\(([^)#:]+)(?:#[\w-]+)?\)", text) + re.findall(r'src="([^":]+)"', text)
    for target in targets:
        assert (path.parent / target).exists(), target


def test_pages_of_the_api_are_made_of_docstrings(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "-q", "--site-dir", str(tmp_path / "site")],
        cwd=ROOT, capture_output=True, text=True,
    )
    assert done.returncode == 0, done.stderr
    for page, said in {
        "nas_tf": "Searches for good architectures", "strategies": "full_neighbourhood",
        "arch2vec": "Variational", "core": "seed_sequence", "jobs": "SearchJob",
    }.items():
        assert said.lower() in (tmp_path / "site" / "api" / page / "index.html").read_text().lower()


def test_every_room_has_a_page():
    pages = "\n".join(path.read_text() for path in (ROOT / "docs" / "api").glob("*.md"))
    shown = set(re.findall(r"^::: nas_tf\.(\w+)$", pages, re.MULTILINE))
    built = {path.stem for path in (ROOT / "nas_tf").iterdir() if path.suffix == ".py" or (
        path.is_dir() and (path / "__init__.py").exists()
    )}
    assert shown == built - {"__init__", "__main__"}
