"""Write one object of a file of manifests as JSON, for kubectl: ... FILE KIND NAME, or - for stdin."""

import json
import sys
from pathlib import Path

from noxgate.systems.kubernetes.manifests import read_text


def main() -> None:
    """Exit with 1, and say so, if the file does not hold it."""
    file, kind, name = sys.argv[1:]
    text = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    found = [each.content for each in read_text(file, text) if (each.kind, each.name) == (kind, name)]
    if not found:
        sys.exit(f"{file}: expected a {kind} {name}, saw none")
    json.dump(found[0], sys.stdout)


if __name__ == "__main__":
    main()
