"""The profile or the runbook says otherwise, or something else is looked at than they say."""

import shutil
from collections.abc import Callable

from tests_self.attack.attempt import ENVELOPE, Attempt, Way, resum
from tests_self.attack.ways.project import CHECK, local_commit

PROFILE = "targets/staging.toml"


def line_taken_out(at: Attempt) -> None:
    """The line is taken out of the runbook, with its check."""
    text = at.file("runbook.toml").read_text()
    start = text.index("[staging.health]")
    at.write("runbook.toml", text[:start] + text[text.index("[staging.ready]") :])
    body = at.file(CHECK).read_text()
    start = body.index('@pytest.mark.runbook("staging.health")')
    at.write(CHECK, body[:start] + body[body.index('@pytest.mark.runbook("staging.ready")') :])
    at.gate()


def later_line(at: Attempt) -> None:
    """The runbook says that its check is still to come."""
    at.edit("runbook.toml", "[staging.health]\n", "[staging.health]\ncoming = true\n")
    at.file(CHECK).unlink()
    at.gate()


def waived(at: Attempt) -> None:
    """A waiver of a line that is not waivable; in a commit, so that it counts here."""
    at.write(
        "waivers.toml",
        '[[waiver]]\nline = "staging.health"\nowner = "Ada Lindqvist"\n'
        'reason = "it is only degraded, and will be better"\nexpires = 2026-12-24\n',
    )
    at.git("commit", "-q", "-a", "-m", "x")
    at.gate()


def other_host(at: Attempt) -> None:
    """The profile names another host, and is put back when the run is over."""
    at.edit(PROFILE, f":{at.world.service.port}", f":{at.world.double.port}")
    at.gate()
    at.git("checkout", "--", ".")


def other_profile(at: Attempt) -> None:
    """A profile of the same name outside the checkout, with all that it names."""
    shutil.copytree(at.file("targets"), at.beside / "targets")
    path = at.beside / "targets" / "staging.toml"
    path.write_text(path.read_text().replace(f":{at.world.service.port}", f":{at.world.double.port}"))
    at.gate("--target", str(path))


def as_rehearsal(at: Attempt) -> None:
    """A rehearsal is judged by no commit; its results are then said to be of a real target."""
    text = at.file(PROFILE).read_text().replace(f":{at.world.service.port}", f":{at.world.double.port}")
    at.write("targets/rehearsal.toml", f"rehearsal = true\n{text}")
    at.gate("--target", "rehearsal")
    for run in at.runs:
        results = run / "results.json"
        said = results.read_text().replace('"rehearsal": true', '"rehearsal": false')
        results.write_text(said.replace('"name": "rehearsal"', '"name": "staging"'))
        (run / ENVELOPE).unlink(missing_ok=True)
        resum(run)
        at.seal(run)


def variable(name: str) -> Callable[[Attempt], None]:
    """An address that the profile does not allow to be another one."""

    def play(at: Attempt) -> None:
        at.env[name] = f"https://localhost:{at.world.double.port}"
        at.gate()

    return play


def other_signer(at: Attempt) -> None:
    """A key of their own, which the profile of this checkout names."""
    shutil.copy(at.world.folder / "keys" / "mallory.pub", at.file("targets/keys"))
    at.edit(PROFILE, "keys/ada.pub", "keys/mallory.pub")
    at.env["NOXGATE_SIGNING_KEY"] = str(at.world.folder / "keys" / "mallory.pem")
    local_commit(at)


PROFILES = (
    Way("line taken out of the runbook", line_taken_out),
    Way("line said to be still to come", later_line),
    Way("waiver of an unwaivable line", waived),
    Way("profile of another host, put back", other_host),
    Way("profile outside the checkout", other_profile),
    Way("rehearsal said to be none", as_rehearsal),
    Way("BASE_URL that is not allowed", variable("BASE_URL")),
    Way("profile that names another signer", other_signer),
)
