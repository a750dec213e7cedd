"""How many secrets that nobody told it about the gate knows, beside PyPI's detect-secrets: totals, no text.

    pip install detect-secrets        (in an environment of its own: the gate does not need it)
    python -m benchmarks.secret_forms PATH-OF-ITS-PYTHON

Both are given the same texts, each in a file of its own: those with a secret, and harmless ones.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from tests_self.secret_texts import HARMLESS, SECRET, Maker

from noxgate.look.secret_forms import form_in


def main(python: str) -> None:
    secret = {form: make(Maker(form))[0] for form, make in SECRET.items()}
    print(f"{'':<16}{'found':>12}{'wrongly':>12}")
    for name, found in (("the gate", _gate), ("detect-secrets", lambda texts: _other(python, texts))):
        print(f"{name:<16}{found(secret):>5} of {len(secret):<4}{found(HARMLESS):>5} of {len(HARMLESS)}")


def _gate(texts: Mapping[str, str]) -> int:
    return sum(form_in(text) is not None for text in texts.values())


def _other(python: str, texts: Mapping[str, str]) -> int:
    with tempfile.TemporaryDirectory() as folder:
        for name, text in texts.items():
            (Path(folder) / f"{name}.txt").write_text(f"{text}\n", encoding="utf-8")
        command = [python, "-m", "detect_secrets", "-C", folder, "scan", "--all-files", "."]
        done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=folder)
    return len(json.loads(done.stdout)["results"])


if __name__ == "__main__":
    main(sys.argv[1])
