"""What notebooks show."""

import base64
import io


def figure_html(text: str, figure) -> str:
    """Returns a line of text above a figure, as HTML."""
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=80)
    encoded = base64.b64encode(picture.getvalue()).decode()
    line = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return f'<p>{line}</p><img src="data:image/png;base64,{encoded}" alt="{line}"/>'
