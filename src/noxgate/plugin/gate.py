"""One run of the gate: what was asked, of which target, and what has come back so far."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from noxgate.errors import Exit
from noxgate.look.written.harmless import ReportScrubber
from noxgate.plugin.checkpoint import Now
from noxgate.plugin.committed import CommittedLook, look
from noxgate.project.checks import Check, public_text, refuse_words
from noxgate.project.profile import is_skipped
from noxgate.project.runbook import Line, Runbook
from noxgate.project.schedule import PHASE
from noxgate.project.target import Target
from noxgate.project.waivers import FILE as WAIVERS
from noxgate.project.waivers import Waiver, read_waivers
from noxgate.project.which.names import names_of
from noxgate.run.causes import Shared, of_results
from noxgate.run.record import Record
from noxgate.run.verdict import CheckResult, Judgement, Verdict, judge
from noxgate.slo.result import Result
from noxgate.trust.keys import Trust, read_trust
from noxgate.trust.loads import BEGUN, refused
from noxgate.trust.persons.attest import attestations
from noxgate.trust.records import Chain, RecordError
from noxgate.trust.signing import SigningKey


@dataclass
class Gate:
    """The state that the hooks share. `target` is None if nothing runs (`--collect-only`)."""

    root: Path
    runbook: Runbook
    checks: Sequence[Check]
    target: Target | None
    phases: tuple[str, ...]
    folder: Path | None = None
    id: str = field(default_factory=lambda: uuid4().hex)  # by which a record counts this run
    started: datetime = field(default_factory=lambda: datetime.now(UTC))
    results: dict[str, CheckResult] = field(default_factory=dict)
    judgement: Judgement | None = None
    doubts: list[str] = field(default_factory=list)
    kept: list[Path] = field(default_factory=list)  # folders that belong to the evidence
    trust: Trust | None = None
    key: SigningKey | None = None
    waivers: Mapping[str, Waiver] = field(default_factory=dict)
    attested: Mapping[str, Record] = field(default_factory=dict)
    allure: Any = None  # what stands beside a check in Allure
    now: Now | None = None  # of a run of the 48-hour window
    before: CommittedLook | None = None  # what was committed when a run of a real target began

    def __post_init__(self) -> None:
        self.by_node = {check.node: check for check in self.checks}
        self.scrubber = ReportScrubber([])
        self.names: Mapping[str, str] = {}  # what the target calls its namespaces
        if self.target is None:
            return
        self.names = names_of(self.root, self.target)
        if not self.target.rehearsal:
            self.before = look(self.root, self.target)
        self.trust = read_trust(self.root, str(self.target.path))
        self.key = self.trust.signing_key(os.environ) and self.trust.to_sign(os.environ)
        # a rehearsal accepts no failure: its sabotages are to be seen
        waivers = read_waivers(self.root / WAIVERS, self.runbook, self.started.date())
        self.waivers = {} if self.target.rehearsal else waivers
        public = public_text(self.root, self.runbook, self.target.path)
        refuse_words(self.target.secrets(), public)
        self.scrubber = ReportScrubber(
            [*self.target.secrets(), *(self.key.secrets() if self.key else ())], public
        )

    @property
    def skips_load_test(self) -> bool:
        """Whether SKIP_LOAD_TEST leaves the load test's lines not run. A rehearsal does not read it."""
        return self.target is not None and not self.target.rehearsal and is_skipped()

    def line(self, node: str) -> Line:
        """The runbook line that this check proves."""
        return self.runbook.lines[self.by_node[node].line_id]

    def due(self) -> list[Line]:
        """Every line of the phases asked for; of the 48-hour window those that are due at its checkpoint."""
        lines = self.runbook.of_phase(*self.phases)
        if self.now is None:
            return lines
        return [line for line in lines if line.phase != PHASE or line in self.now.lines]

    def judge(self) -> Judgement:
        """Judge what has come back, against every line of the phases asked for."""
        nodes: dict[str, list[str]] = {}
        for check in self.checks:
            nodes.setdefault(check.line_id, []).append(check.node)
        rehearsal = self.target is not None and self.target.rehearsal
        return judge(
            self.due(),
            nodes,
            self.results,
            rehearsal=rehearsal,
            attested=self.attested,
            waivers=self.waivers,
        )

    def refused_load(self, folder: Path, result: Result) -> str:
        """Why no load test made a result; empty if one did."""
        signers = self.trust.signers if self.trust else ()
        return refused(folder, result, signers, held=folder.parent / BEGUN)

    def records(self) -> Chain:
        """The records of this release on this target."""
        assert self.folder is not None
        assert self.trust is not None
        return self.trust.chain(self.folder.parent.parent, self.runbook.release.version)

    def read_attestations(self) -> str | None:
        """Take in what persons have attested up to now; what is wrong with their records, if anything is."""
        assert self.trust is not None
        try:
            found = attestations(self.records(), self.trust.hours)
            self.attested = {
                line: replace(
                    record,
                    by=self.scrubber.scrub(record.by, people=False),
                    seen=self.scrubber.scrub(record.seen, people=False),
                )
                for line, record in found.items()
            }
        except RecordError as error:
            return str(error)
        return None

    def doubt(self, why: str) -> None:
        """Something is wrong with the run itself: it cannot be GO."""
        assert self.judgement is not None
        self.doubts.append(why)
        if self.judgement.verdict.exit is Exit.GO:
            self.judgement = replace(self.judgement, verdict=Verdict.INCONCLUSIVE)

    def causes(self) -> list[Shared]:
        """What many lines have in common."""
        if self.judgement is None or self.target is None:
            return []
        return of_results(self.judgement.lines, self.target.base_url)

    def headline(self) -> str:
        """The verdict in one line."""
        judgement = self.judgement or self.judge()
        assert self.target is not None
        word = f"{judgement.verdict} (rehearsal)" if self.target.rehearsal else str(judgement.verdict)
        if self.target.rehearsal and judgement.to_come:
            word += (
                f", {len(judgement.to_come)} lines still to come" if judgement.verdict.exit is Exit.GO else ""
            )
        release = self.runbook.release.version
        said = ", ".join(f"{name}={value}" for name, value in self.target.overridden.items())
        where = f"{'+'.join(self.phases)}, release {release} on {self.target.name}"
        where += f" ({said})" if said else ""
        return f"{word}  {where}: {judgement.counts() or 'no line of the runbook is due'}"


GATE = pytest.StashKey[Gate]()
ALLURE_RESULTS = "noxgate_allure_results"


def gate_of(config: pytest.Config) -> Gate | None:
    """The gate run of this session, or None if pytest runs something else (the suite's own tests)."""
    return config.stash.get(GATE, None)
