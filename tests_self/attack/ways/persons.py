"""Persons who do not exist, or who say nothing."""

from collections.abc import Callable

from tests_self.attack.attempt import Attempt, Way
from tests_self.attack.world import ATTACKED, PERSON, RELEASE, SIGNER


def attested_line(at: Attempt) -> None:
    """A person says of a line that it is well, where a check looks."""
    assert at.attest(line=ATTACKED, saw="https://chat.nox.io/1 is healthy") != 0
    at.gate()


def person(by: str = PERSON, saw: str = "https://chat.nox.io/1") -> Callable[[Attempt], None]:
    def play(at: Attempt) -> None:
        at.attest(by=by, saw=saw)
        at.gate()

    return play


def nobodys_key(at: Attempt) -> None:
    """Who attests has a key that signs for nothing."""
    key = at.env[SIGNER]
    at.env[SIGNER] = str(at.world.folder / "keys" / "mallory.pem")
    at.attest()
    at.env[SIGNER] = key
    at.gate()


def record_of_another_line(at: Attempt) -> None:
    """A record that was signed is made to speak of something else."""
    at.attest()
    path = max((at.root / "reports" / RELEASE / "records" / "staging").iterdir())
    path.chmod(0o644)
    path.write_text(path.read_text().replace("payload", "Payload"))
    at.gate()


WORD = (Way("a person's word for a checked line", attested_line),)

# Against a target that is well: what is attacked is the line that a person owes.
PERSONS = (
    Way("nobody attested", lambda at: at.gate(), attested=False),
    Way("attested by x", person(by="x"), attested=False),
    Way("attested by a name that is nearly one", person(by="Ada L."), attested=False),
    Way("attested: lgtm", person(saw="lgtm"), attested=False),
    Way("attested: an example's link", person(saw="https://example.com/1"), attested=False),
    Way("attested: a link without a host", person(saw="https://"), attested=False),
    Way("attested with a key of nobody", nobodys_key, attested=False),
    Way("record that was changed", record_of_another_line, attested=False),
)
