"""Hostile words on the sign-off page are only words, in a browser too."""

# ruff: noqa: F811 (fixtures of another file)
import http.server
import json
import re
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests_self.building.signoffs import BEGAN, PHASES, TINY, Release, of, outcome, release  # noqa: F401 (fixtures)

from noxgate.machine import doctor

HOSTILE = (
    "</script><script>document.title='broken'</script><img src=x onerror=alert(1)> "
    "![](http://example.com/x) @team | `\x1b[31m\x00\u202e \ud800 " + "A" * 100_000
)


def hostile(release: Release, words: str) -> None:
    """All fields that can be written into results say this, and so does a load test."""

    def change(results: dict[str, Any]) -> None:
        results["target"]["base_url"] = words.replace("\ud800", "")  # no seal could be written
        for line in results["lines"]:
            line["reason"] = words[:500]
            line["checks"][0].update(node=words[:500], reason=words[:500], seconds=float("inf"))
            line["checks"][0]["observations"] = [{"seen": words[:500], "repeat": words[:500]}] * 40
        first = results["lines"][0]
        first.update(outcome="failed", reason=words)
        first["checks"][0]["observations"] = [{"seen": words, "repeat": words}] * 3

    release.runs("staging")
    folder = release.run("staging", change=change)
    (folder / "load" / "quick" / "table.json").write_text(
        json.dumps([["SLO", words], [7, None, [words]], {}])
    )


def test_hostile_words_are_only_words(release: Release) -> None:
    """No markup, no control character, no endless line gets out of a result into the page."""
    hostile(release, HOSTILE)

    status, _ = release.sign_off()

    assert status == 1
    assert len(release.html) < 6_000_000
    for text in (release.html, release.markdown):
        assert re.search(r"<script|<img src=x|[\x00-\x08\x0b-\x1f\x7f\u202e]", text) is None
        assert "AAAAA…" in text or "characters)" in text
    assert "](http" not in release.markdown
    assert "@team" not in release.markdown


def test_the_page_refers_to_nothing_outside(release: Release) -> None:
    """Each address in it is its own, data or a report beside it; its policy lets a browser load nothing."""
    release.runs()
    release.sign_off()

    found = re.findall(r"""(?:src|href|action|poster|data|srcset)\s*=\s*["']?([^"'\s>]+)""", release.html)
    beside = [one for one in found if not one.startswith(("#", "data:"))]
    assert beside != []
    assert [one for one in beside if not re.fullmatch(r"\./[\w.-]+/report\.html", one)] == []
    assert re.findall(r"@import|url\(|<script|<iframe|<object", release.html) == []
    assert "default-src 'none'" in release.html
    anchors = {one[1:] for one in found if one.startswith("#")}
    assert anchors - set(re.findall(r'id="([^"]+)"', release.html)) == set()


def test_a_browser_opens_it_in_peace(release: Release, tmp_path: Path) -> None:
    """With hostile words in it: no error in the console, no request; and such would have been seen."""
    browser = str(doctor.program("chromium"))
    with listener() as (address, asked):
        words = (
            f"<img src={address}/img><script src={address}/js></script><style>@import '{address}/css'</style>"
        )
        hostile(release, words)
        release.sign_off()
        page = release.root / "reports" / "8.0.0" / "sign-off.html"
        naive = tmp_path / "naive.html"
        naive.write_text(f"<!doctype html>{words}<script>console.error('CONTROL')</script>")

        errors = [line for line in opened(browser, page, tmp_path) if "CONSOLE" in line]
        quiet = list(asked)
        control = opened(browser, naive, tmp_path)

    assert (errors, quiet) == ([], [])
    assert sorted(asked) == ["/css", "/img", "/js"]
    assert any("CONTROL" in line for line in control)


@contextmanager
def listener() -> Iterator[tuple[str, list[str]]]:
    """An address on this machine, and the paths that were asked for there."""
    asked: list[str] = []

    class Listener(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Listener) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()


def opened(browser: str, page: Path, folder: Path) -> Sequence[str]:
    """Open a page in a browser without a window; what the browser logs."""
    options = (
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--no-first-run",
        "--disable-background-networking",
    )
    own = (f"--user-data-dir={folder / page.stem}", "--enable-logging=stderr", "--virtual-time-budget=2000")
    done = subprocess.run(
        [browser, *options, *own, "--dump-dom", page.as_uri()],
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    assert "</html>" in done.stdout
    return done.stderr.splitlines()
