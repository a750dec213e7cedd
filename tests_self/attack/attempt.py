"""One way in a copy of its own: the real gate, verify and sign-off page, each a process."""

import hashlib
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests_self.attack.world import ATTACKED, HUMAN, PERSON, RELEASE, SAW, SIGNER, VERIFIED, World

_VERDICTS = {0: "GO", 1: "NO-GO", 2: "INCONCLUSIVE", 4: "usage"}
_SECONDS = 120
GREEN, HELD_BACK = {"passed", "waived"}, "held back"
SUMS, ENVELOPE = "SHA256SUMS", "evidence.dsse.json"


@dataclass(frozen=True)
class Seen:
    """What a way came to. `why` is what verify says against it, or the gate."""

    verdict: str
    verify: str
    page: str  # how it shows the line, or that it is green on a page which holds the release back
    why: str

    @property
    def believed(self) -> bool:
        """Whether somebody could take the release for good."""
        return self.verify == VERIFIED or self.page in GREEN


class Attempt:
    """What an attacker holds: a checkout, its environment, the signing key. The auditor's is not theirs."""

    def __init__(self, world: World, name: str, of: Path) -> None:
        self.world = world
        self.name = name
        self.root = world.copy(of, name)
        self.env = world.environment(self.root)
        self.python = sys.executable
        self.verdict = "none"
        self.said = ""
        self.to_verify: list[str] = []  # what the auditor adds
        self.evidence = self.root / "reports"  # what the auditor is given

    @property
    def beside(self) -> Path:
        """A folder of the attacker, outside the checkout."""
        place = self.root.with_name(f"{self.name}.beside")
        place.mkdir(exist_ok=True)
        return place

    @property
    def runs(self) -> list[Path]:
        """The folders of the runs, oldest first."""
        return sorted((self.root / "reports" / RELEASE).glob("2*"))

    def file(self, name: str) -> Path:
        return self.root / name

    def write(self, name: str, text: str) -> Path:
        """A file of the checkout, which may be new."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def edit(self, name: str, old: str, new: str) -> None:
        path = self.root / name
        text = path.read_text()
        assert old in text, f"{name} has no {old!r} any more: the way must be written anew"
        path.write_text(text.replace(old, new))

    def git(self, *words: str) -> str:
        return self.world.git(self.root, *words)

    def attest(self, by: str = PERSON, saw: str = SAW, line: str = HUMAN) -> int:
        """What a person says; the exit status."""
        return self.noxgate("attest", line, "--by", by, "--saw", saw, "--target", "staging")[0]

    def gate(self, *options: str, words: tuple[str, ...] = ()) -> str:
        """Run the phase; `words` are pytest's, `options` the gate's."""
        asked = ("--target", "staging", "--phase", "staging", *options)
        status, self.said = self.noxgate("gate", *asked, "--", *words)
        self.verdict = _VERDICTS.get(status, f"exit {status}")
        return self.verdict

    def pytest(self, *words: str, python: Sequence[str] = ()) -> None:
        """Call pytest without the command around it; `python` are Python's own options."""
        status, self.said = _run([str(self.python), *python, "-m", "pytest", *words], self.root, self.env)
        self.verdict = _VERDICTS.get(status, f"exit {status}")

    def unsealed(self) -> Path:
        """A run of a machine without the key; its folder."""
        before = set(self.runs)
        key = self.env.pop(SIGNER)
        self.gate()
        self.env[SIGNER] = key
        (run,) = set(self.runs) - before
        return run

    def seal(self, run: Path) -> None:
        self.said += self.noxgate("seal", str(run))[1]

    def noxgate(self, *words: str) -> tuple[int, str]:
        """A command in the checkout; its exit status and all that it said."""
        command = [str(self.python), "-m", "noxgate.cli", *words]
        return _run(command, self.root, self.env)

    def seen(self, line: str = ATTACKED) -> Seen:
        """What an auditor makes of the evidence, in a clone of the reviewed branch."""
        shutil.rmtree(self.root.with_name(f"{self.name}.auditor"), ignore_errors=True)
        place = self.world.copy(self.world.auditor, f"{self.name}.auditor")
        self.world.git(place, "fetch", "--quiet", "origin")  # what others have pushed, too
        if self.evidence.is_dir():
            shutil.copytree(self.evidence, place / "reports", symlinks=True, dirs_exist_ok=True)
        env = self.world.environment(place)
        del env[SIGNER]
        verify = [sys.executable, "-m", "noxgate.cli", "verify", RELEASE, *self.to_verify]
        status, said = _run(verify, place, env)
        page_of = [sys.executable, "-m", "noxgate.cli", "signoff", *self.to_verify]
        signed_off = _run(page_of, place, env)[0] == 0
        page = place / "reports" / RELEASE / "sign-off.html"
        rows = dict(re.findall(r'<tr id="([\w.-]+)" class="([\w-]+)"', _text(page)))
        shown = rows.get(line, "no page")
        return Seen(
            self.verdict,
            VERIFIED if status == 0 else "REFUSED" if "REFUSED" in said else f"exit {status}",
            HELD_BACK if shown in GREEN and not signed_off else shown,
            _first_of(said) or self.said.strip().rpartition("\n")[2],
        )


@dataclass(frozen=True)
class Way:
    """How a degraded target might get a GO: `play` tries it, in a copy that has lived or not."""

    name: str
    play: Callable[[Attempt], object]
    lived: bool = False  # there is a GO of when all was well, and a NO-GO since
    attested: bool = True  # a person has said what they owe


def played(world: World, way: Way, number: int = 0) -> Seen:
    """Play a way and look at what came of it; what it left behind is taken away."""
    name = f"{number:02d}-{re.sub(r'[^a-z0-9]+', '-', way.name.lower())[:40]}"
    attempt = Attempt(world, name, world.lived if way.lived else world.made)
    if way.attested and not way.lived:
        assert attempt.attest() == 0, "a person could not attest: the world is not as it must be"
    way.play(attempt)
    seen = attempt.seen(ATTACKED if way.attested else HUMAN)
    for left in attempt.root.parent.glob(f"{name}*"):
        shutil.rmtree(left, ignore_errors=True)
    shutil.rmtree(world.folder / "pythons" / name, ignore_errors=True)
    return seen


def rewritten(path: Path, old: str, new: str) -> None:
    """Other words in a file of a run."""
    path.write_text(path.read_text().replace(old, new))


def resum(run: Path) -> None:
    """SHA256SUMS as it would be of what lies there now."""
    files = sorted(path for path in run.rglob("*") if path.is_file() and path.name not in {SUMS, ENVELOPE})
    rows = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(run).as_posix()}\n"
        for path in files
    ]
    (run / SUMS).write_text("".join(rows))


def _run(command: list[str], root: Path, env: dict[str, str]) -> tuple[int, str]:
    done = subprocess.run(
        command, cwd=root, env=env, check=False, capture_output=True, text=True, timeout=_SECONDS
    )
    return done.returncode, done.stdout + done.stderr


def _text(path: Path) -> str:
    return path.read_text() if path.is_file() else ""


def _first_of(said: str) -> str:
    """The first line that refuses."""
    return next((line for line in said.splitlines() if line.startswith("refused")), "")
