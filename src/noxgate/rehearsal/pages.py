"""The tools that the release record links to: a page for each, on loopback."""

import sys
from functools import partial
from pathlib import Path

from noxgate.rehearsal.ports import answers
from noxgate.rehearsal.processes import Part

NAME = "pages"
TOOLS = ("grafana", "sentry", "elk", "wiki")


def prepare(folder: Path, port: int) -> Part:
    """Write the pages."""
    home = folder / NAME
    for tool in TOOLS:
        (home / tool).mkdir(parents=True)
        (home / tool / "index.html").write_text(f"<h1>{tool}</h1>\n", encoding="utf-8")
    return Part(
        name=NAME,
        address=url(port, ""),
        command=(
            sys.executable,
            "-m",
            "http.server",
            "--bind",
            "127.0.0.1",
            "--directory",
            str(home),
            str(port),
        ),
        folder=home,
        serves=partial(answers, port),
    )


def url(port: int, tool: str) -> str:
    return f"http://127.0.0.1:{port}/{tool}"
