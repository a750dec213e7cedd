"""Make the pictures of the README anew, from a rehearsal that is played for them, in headless Chromium.

Each picture says in itself of which runbook it is, so that a test finds those that are of another day.
"""

import struct
import subprocess
import sys
import tempfile
import zlib
from pathlib import Path

from noxgate.machine import doctor
from noxgate.project.runbook import Runbook, read_runbook

ROOT = Path(__file__).parents[1]
KEYWORD = b"Runbook"
BROKEN = "staging.version:rc1"
SIGNATURE = b"\x89PNG\r\n\x1a\n"
# name: what is played before, which page it is of, its width and height in pixels
PICTURES = {
    "signoff": ((), "sign-off-rehearsal.html", 1100, 1500),
    "report": ((f"--sabotage={BROKEN}",), "*-rehearsal-staging/report.html", 1280, 900),
}


def main() -> None:
    """Exit with 1, and leave the old pictures, where a rehearsal does not end as it must."""
    browser = str(doctor.program("chromium"))
    runbook = read_runbook(ROOT / "runbook.toml")
    for name, (options, page, width, height) in PICTURES.items():
        played = [sys.executable, "-m", "noxgate.cli", "rehearse", "run", *options]
        subprocess.run(played, cwd=ROOT, check=True)
        newest = max((ROOT / "reports" / runbook.release.version).glob(page))
        with tempfile.TemporaryDirectory() as folder:
            drawn = Path(folder) / "drawn.png"
            size, to = f"--window-size={width},{height}", f"--screenshot={drawn}"
            words = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", size, to]
            subprocess.run([*words, newest.as_uri()], check=True, capture_output=True)
            (ROOT / "docs" / f"{name}.png").write_bytes(marked(drawn.read_bytes(), lines_of(runbook)))


def lines_of(runbook: Runbook) -> bytes:
    """The runbook as a picture names it: its release, and how many lines and derived lines it has."""
    derived = sum(line.kind == "derived" for line in runbook.lines.values())
    return f"{runbook.release.version}, {len(runbook.lines)} lines, {derived} of them derived".encode()


def marked(png: bytes, text: bytes) -> bytes:
    """A PNG with a text of its own (W3C PNG 11.3.3.2, tEXt) behind its header."""
    end = len(SIGNATURE) + 25  # the header chunk is always as long
    body = KEYWORD + b"\0" + text
    crc = zlib.crc32(b"tEXt" + body)
    return png[:end] + struct.pack(">I", len(body)) + b"tEXt" + body + struct.pack(">I", crc) + png[end:]


def mark_of(png: bytes) -> bytes | None:
    """That text. None if it is missing."""
    _, there, rest = png.partition(b"tEXt" + KEYWORD + b"\0")
    start = png.find(b"tEXt" + KEYWORD)
    length = struct.unpack(">I", png[start - 4 : start])[0] if there else 0
    return rest[: length - len(KEYWORD) - 1] if there else None


if __name__ == "__main__":
    main()
