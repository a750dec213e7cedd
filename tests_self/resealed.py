"""A seal over what `noxgate seal` itself would refuse: whoever holds a key can sign any bytes."""

import base64
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from noxgate.trust import seal, signing


def resealed(folder: Path, change: Callable[[Any], object], key: signing.SigningKey) -> None:
    """Change a sealed run's results, and sign the same statement with their new digest."""
    path = folder / "results.json"
    results = json.loads(path.read_text())
    change(results)
    path.write_text(json.dumps(results))
    envelope = folder / seal.ENVELOPE
    statement = json.loads(base64.b64decode(json.loads(envelope.read_text())["payload"]))
    for subject in statement["subject"]:
        if subject["name"] == f"{seal.FILES}{path.name}":
            subject["digest"]["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
    envelope.write_bytes(signing.sign(seal.PAYLOAD_TYPE, json.dumps(statement).encode(), key))
