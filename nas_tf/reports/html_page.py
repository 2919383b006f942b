"""A page as Markdown and as HTML, such as `report.md` and `report.html`.

The HTML is the same text, complete in itself: figures are embedded, nothing is loaded from
elsewhere.
"""

import base64
import html
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import markdown
from matplotlib.figure import Figure

from nas_tf.analysis.canvas import save_figure
from nas_tf.storage import atomic_write

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
body {{ font: 15px/1.5 system-ui, sans-serif; color: #222; max-width: 62em; margin: 2em auto;
       padding: 0 1em; }}
h1, h2, h3 {{ line-height: 1.2; margin: 1.6em 0 0.6em; }}
h2 {{ border-top: 1px solid #ddd; padding-top: 1em; }}
img {{ max-width: 100%; }}
.table {{ overflow-x: auto; }}
table {{ border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 0.88em; }}
th, td {{ padding: 0.3em 0.7em; border-bottom: 1px solid #ddd; vertical-align: top; }}
th {{ border-bottom: 2px solid #222; }}
code {{ font-size: 0.92em; }}
</style>
</head>
<body>
{body}
</body>
</html>
"""


def page(blocks: Iterable[str]) -> str:
    """Returns blocks of Markdown as one text; empty ones are left out."""
    return "\n\n".join(block for block in blocks if block) + "\n"


def write_page(directory: Path, text: str, *, name: str = "report") -> None:
    """Writes a page's Markdown, and its HTML with the figures that are in the directory.

    Args:
        directory: where to.
        text: Markdown, its first line the title.
        name: of both files, without suffix.

    Raises:
        ConfigError: the directory cannot be written.
    """
    for suffix, content in (("md", text), ("html", as_html(text, directory))):
        with atomic_write(directory / f"{name}.{suffix}") as handle:
            handle.write(content.encode("utf-8"))


def save_pictures(directory: Path, figures: Mapping[str, Figure]) -> None:
    """Writes figures as PNG, and as SVG for papers, under their names."""
    for name, figure in figures.items():
        for suffix in ("png", "svg"):
            save_figure(figure, directory / f"{name}.{suffix}")


def as_html(text: str, directory: Path) -> str:
    """Returns a page of Markdown as one HTML file, its pictures within.

    Args:
        text: Markdown, its first line the title.
        directory: where its pictures are.
    """
    body = markdown.markdown(text, extensions=["tables"], output_format="html")
    body = re.sub(r'src="([^"]+\.png)"', lambda match: f'src="{_data(directory / match[1])}"', body)
    body = body.replace("<table>", '<div class="table"><table>')
    body = body.replace("</table>", "</table></div>")
    title = text.splitlines()[0].removeprefix("# ")
    return _PAGE.format(title=html.escape(title), body=body)


def _data(path: Path) -> str:
    return f"data:image/png;base64,{base64.b64encode(path.read_bytes()).decode('ascii')}"
