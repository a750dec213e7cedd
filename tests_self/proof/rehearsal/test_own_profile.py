"""An own profile that names the rehearsal's world: stamped as a rehearsal, unsigned, refused as evidence."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from nox_rehearsal.checkout import ROOT
from nox_rehearsal.world.state import World
from noxgate.trust.signing import VARIABLE, new_key

from .conftest import Gate

OF_REHEARSALS = r"^(rehearsal|wait_seconds|signing_key|signers|env_file|load_results|production) = .*\n"


def test_its_run_is_a_rehearsals(
    world: World,
    gate: Gate,
    interpreter: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With a key of its own and nothing that says rehearsal; its authority under another name."""
    public = new_key(tmp_path / "own.pem")
    ca = tmp_path / "authority.pem"
    ca.write_bytes(world.ca_file.read_bytes())
    text = re.sub(OF_REHEARSALS, "", world.profile.read_text(), flags=re.MULTILINE)
    text = text.replace(str(world.ca_file), str(ca))
    profile = tmp_path / "staging.toml"
    profile.write_text(f'signers = ["{public.name}"]\n{text}')
    for line in world.env_file.read_text().splitlines():
        monkeypatch.setenv(*line.split("=", 1))
    monkeypatch.setenv(VARIABLE, str(tmp_path / "own.pem"))

    run = gate(markers="staging and (health or rollout)", profile=profile)

    assert run.folder is not None, run.output
    assert "a rehearsal, though staging.toml does not say so: " in run.output
    results = json.loads((run.folder / "results.json").read_text())
    assert {line["outcome"] for line in results["lines"]} == {"passed", "not run"}
    assert results["target"]["rehearsal"] is True
    assert "(rehearsal)  staging" in run.output
    assert not (run.folder / "evidence.dsse.json").exists()
    command = [interpreter, "-m", "noxgate.cli", "verify", str(run.folder), "--key", str(public)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode != 0
