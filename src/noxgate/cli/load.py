"""The command `noxgate load`."""

import argparse
import json
import os
import shlex
from pathlib import Path

from noxgate.errors import Exit, ProfileError, UnreachableError
from noxgate.project.profile import is_skipped, read_target
from noxgate.project.runbook import read_runbook
from noxgate.project.target import Target
from noxgate.project.which.rule import choose
from noxgate.slo import plots, ramps
from noxgate.slo.kept.results import REAL
from noxgate.slo.live import shown
from noxgate.slo.result import Result, results_folder
from noxgate.slo.run import LoadError, NoResultError, Processes, free_port, keep, refused, run
from noxgate.slo.slos import SloOutcome, read_slos
from noxgate.slo.table import TABLE, LoadVerdict, new_job_rows, table_of, text, verdict
from noxgate.trust.keys import read_trust
from noxgate.trust.loads import Making, begin
from noxgate.trust.signing import VARIABLE, SigningError

OF_RAMP = "ramp"
ERRORS = (LoadError, ramps.RampError, ProfileError, SigningError)
STATUS = {SloOutcome.PASSED: Exit.GO, SloOutcome.FAILED: Exit.NO_GO}


def load(given: argparse.Namespace) -> int:
    """Run the load test that was asked for; returns the exit status."""
    root: Path = given.root()
    if is_skipped(os.environ):
        print(
            "SKIP_LOAD_TEST is set: nothing was run, so the SLO lines are not run and the gate cannot say GO"
        )
        return Exit.INCONCLUSIVE
    runbook = read_runbook(root / "runbook.toml")
    phases = [phase.name for phase in runbook.phases.values() if phase.folder]
    chosen = choose(root, given.target)
    print(chosen, flush=True)
    target = read_target(root, chosen.name, phases)
    if reason := refused(target, runbook):
        raise LoadError(reason)
    ramp = _ramp(root, given)
    processes = _processes(given)
    folder = results_folder(root, target, runbook.release.version)
    making = _begin(root, target, folder) if not (processes.ui or processes.worker) else None
    if processes.ui:
        print(f"Locust's page: http://127.0.0.1:{processes.ui}  (Ctrl-C ends it)", flush=True)
    else:
        print(
            f"{target.base_url}: {ramp.name}, {ramp.what}; about {ramp.seconds:.0f} s. Ctrl-C ends it early.",
            flush=True,
        )
    try:
        with shown(ramp, read_slos(runbook.lines)) as tell:
            result = run(root, target, runbook, ramp, processes, tell, making.nonce if making else "")
    except (UnreachableError, NoResultError) as error:
        print(f"UNREACHABLE: {error}")
        return Exit.INCONCLUSIVE
    if result is None or making is None:
        print("the master has the result" if processes.worker else "nothing is kept of it")
        return Exit.DONE
    judged = verdict(result, read_slos(runbook.lines))
    rows = table_of(judged.judgements, new_job_rows(result))
    table = text(rows)

    def show(draft: Path) -> None:
        (draft / "table.txt").write_text(f"{table}\n", encoding="utf-8")
        (draft / TABLE).write_text(json.dumps(rows, indent=1, ensure_ascii=False), encoding="utf-8")
        limit = min(slo.seconds for slo in read_slos(runbook.lines) if slo.each)
        plots.draw(result, draft, 1000 * limit)

    kept = keep(result, folder, show=show, sign=lambda draft: making.sign(draft, result))
    return _said(result, judged, table, kept, target.called)


def _begin(root: Path, target: Target, folder: Path) -> Making:
    """Draw the nonce; say at once what would not count in the end."""
    trust = read_trust(root, str(target.path))
    making = begin(trust, os.environ, folder)
    if trust.signers and making.key.id not in {signer.id for signer in trust.signers}:
        known = ", ".join(map(str, trust.signers))
        print(f"! this load test will not count: expected a key of {known} to sign it: export {VARIABLE}")
    return making


def _said(result: Result, judged: LoadVerdict, table: str, kept: Path, called: str) -> int:
    print(f"\n{table}\n")
    for reason in judged.reasons:
        print(f"! {reason}")
    for problem in result.failures[:5]:
        kind = f"{problem.reason} ({problem.status or 'no answer'})"
        print(f"  {problem.count} x {kind}: {problem.group} {problem.name}")
    proves = (
        "" if result.ramp.evidence else f" (the ramp {result.ramp.name} is not evidence for a real target)"
    )
    print(f"{str(judged.outcome).upper()}{proves}\nkept in {os.path.relpath(kept)}")
    if nothing := counts_for_nothing(result, called):
        print(nothing)
    return STATUS.get(judged.outcome, Exit.INCONCLUSIVE)


def counts_for_nothing(result: Result, called: str) -> str:
    """What is said at the end of a ramp that is not evidence; empty if it is, and in a rehearsal."""
    if result.ramp.evidence or result.rehearsal:
        return ""
    ramps_ = ", then ".join(f"make load-test TARGET={shlex.quote(called)} RAMP={ramp}" for ramp in REAL)
    return f"it counts for nothing: no line is judged by it; what counts: {ramps_}"


def _ramp(root: Path, given: argparse.Namespace) -> ramps.Ramp:
    ramp = ramps.chosen(root, given.ramp)
    if given.users != OF_RAMP:
        if not given.users.isdecimal():
            raise ramps.RampError(f"--users: expected a number or {OF_RAMP!r}, saw {given.users!r}")
        ramp = ramp.of_users(int(given.users))
    asked = given.duration or os.environ.get("LOAD_TEST_DURATION")
    if not asked:
        return ramp
    if len(ramp.levels) > 1:
        if given.duration:
            raise ramps.RampError(
                f"--duration: {ramp.name} has {len(ramp.levels)} holds with times of their own"
            )
        return ramp
    return ramp.lasting(ramps.duration(asked))


def _processes(given: argparse.Namespace) -> Processes:
    for option in ("master", "worker"):
        value = getattr(given, option)
        host, _, port = (value or "").rpartition(":")
        if value and not (host and port.isdecimal()):
            raise LoadError(f"--{option}: expected HOST:PORT, saw {value!r}")
    if given.processes < 1:
        raise LoadError(f"--processes: expected 1 or more, saw {given.processes}")
    return Processes(given.processes, given.master or "", given.worker or "", free_port() if given.ui else 0)
