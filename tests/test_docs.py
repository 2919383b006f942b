"""What README.md and docs/ show: their Python runs, their links lead somewhere, pages are made."""

import pathlib
import re
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def blocks(path) -> list[str]:
    """Returns the Python of a page, block by block."""
    return re.findall(r"^```python\n(.*?)^```", path.read_text("utf-8"), re.MULTILINE | re.DOTALL)


def run(program, directory) -> str:
    """Runs a program as a user would, in a directory of its own."""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=directory, capture_output=True, text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_walk_through_runs(tmp_path):
    output = run("\n".join(blocks(ROOT / "docs" / "walkthrough.md")), tmp_path)
    assert "<Study: random search, 20 runs x 50 queries" in output
    assert (tmp_path / "regret.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "runs" / "mine" / "report.md").exists()


@pytest.mark.parametrize("number", [0, 1, 2])
def test_examples_of_ones_own_run_and_are_short(tmp_path, number):
    example = blocks(ROOT / "docs" / "own.md")[number]
    lines = [line for line in example.splitlines() if line.strip()]
    assert len(lines) <= 30
    output = run(example, tmp_path)
    assert ("<Study: ", "<Comparison:")[number == 0] in output


def test_the_example_of_the_readme_runs(tmp_path):
    """With smaller numbers: the whole is the main job's minute."""
    (example,) = blocks(ROOT / "README.md")
    small = example.replace("num_runs=500", "num_runs=3").replace("num_queries=150", "num_queries=20")
    assert small.count("num_runs=3") == 2
    run(small.replace("epochs=5", "epochs=1"), tmp_path)
    assert (tmp_path / "regret.png").read_bytes().startswith(b"\x89PNG")


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
