"""Keys, envelopes and the chain of records: what was signed is not changed, taken out or put in later."""

import base64
import json
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from tests_self.secret_texts import SECRET, Maker

from noxgate.run.record import Record
from noxgate.trust import signing
from noxgate.trust.records import ATTESTATION, CHECKPOINT, Chain, RecordError
from noxgate.trust.signing import (
    SigningError,
    SigningKey,
    configured_key,
    new_key,
    opened,
    read_signing_key,
    sign,
)

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.fixture
def key(tmp_path: Path) -> SigningKey:
    """A key whose public half signs for the chain."""
    new_key(tmp_path / "keys" / "ada.pem")
    return read_signing_key(tmp_path / "keys" / "ada.pem")


@pytest.fixture
def chain(tmp_path: Path, key: SigningKey) -> Chain:  # noqa: ARG001 (its public half)
    """The chain of a rehearsal, which takes a clock."""
    return chain_of(tmp_path, rehearsal=True)


def chain_of(tmp_path: Path, *, rehearsal: bool) -> Chain:
    """A chain that ada.pem signs for."""
    signer = signing.read_public_key(tmp_path / "keys" / "ada.pub")
    return Chain(tmp_path / "records", "8.0.0", "production", rehearsal, (signer,))


def add(chain: Chain, key: SigningKey, seen: str = "0 issues", minutes: float = 0, **more: Any) -> Record:
    """A record, some minutes after noon."""
    given: dict[str, Any] = {
        "kind": ATTESTATION,
        "line": "live.x",
        "by": "Ada",
        "now": NOON + timedelta(minutes=minutes),
    }
    return chain.append(key, seen=seen, **(given | more))


# ---------------------------------------------------------------- keys


def test_keygen_makes_a_private_and_a_public_key(tmp_path: Path) -> None:
    """The private one for its owner alone."""
    public = new_key(tmp_path / "ada.pem")

    assert (tmp_path / "ada.pem").stat().st_mode & 0o777 == 0o600
    assert public == signing.read_public_key(tmp_path / "ada.pub")
    assert read_signing_key(tmp_path / "ada.pem").id == public.id


@pytest.mark.parametrize("taken", ["ada.pem", "ada.pub"])
def test_keygen_overwrites_nothing(tmp_path: Path, taken: str) -> None:
    """Neither file is overwritten, and neither is written."""
    (tmp_path / taken).write_text("mine")

    with pytest.raises(SigningError, match=f"{taken} is there already"):
        new_key(tmp_path / "ada.pem")
    assert [path.read_text() for path in tmp_path.iterdir()] == ["mine"]


@pytest.mark.usefixtures("key")
def test_a_private_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    """It may be somebody else's by now."""
    (tmp_path / "keys" / "ada.pem").chmod(0o640)

    with pytest.raises(SigningError, match="others may read this private key"):
        read_signing_key(tmp_path / "keys" / "ada.pem")


def test_the_variable_holds_a_file_or_the_key(tmp_path: Path, key: SigningKey) -> None:
    """A CI server has no file."""
    path = tmp_path / "keys" / "ada.pem"

    for value in (str(path), path.read_text(), path.read_text().strip()):
        found = configured_key({signing.VARIABLE: value})
        assert found is not None
        assert found.id == key.id
    assert configured_key({}) is None
    assert configured_key({signing.VARIABLE: " "}) is None


def wrong_keys(path: Path) -> dict[str, str]:
    """What somebody may put into the variable."""
    pem = path.read_text()
    loaded = load_pem_private_key(pem.encode(), None)
    other = ec.generate_private_key(ec.SECP256R1())
    locked = BestAvailableEncryption(b"passphrase")
    return {
        "without its first line": pem.splitlines()[1],
        "cut": pem[:80],
        "the public one": path.with_suffix(".pub").read_text(),
        "of another kind": other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
        "locked": loaded.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, locked).decode(),
        "a file that is not there": str(path.with_name("bram.pem")),
    }


@pytest.mark.parametrize(
    "kind",
    [
        "without its first line",
        "cut",
        "the public one",
        "of another kind",
        "locked",
        "a file that is not there",
    ],
)
@pytest.mark.usefixtures("key")
def test_a_wrong_key_is_refused_and_never_shown(tmp_path: Path, kind: str) -> None:
    """In one line."""
    value = wrong_keys(tmp_path / "keys" / "ada.pem")[kind]

    with pytest.raises(SigningError) as caught:
        configured_key({signing.VARIABLE: value})

    secret = (tmp_path / "keys" / "ada.pem").read_text().splitlines()[1]
    assert "\n" not in str(caught.value)
    assert "private key" in str(caught.value)
    assert not any(secret[at : at + 8] in str(caught.value) for at in range(20, 56))


def test_a_signing_key_shows_its_id_alone(key: SigningKey) -> None:
    """In a traceback, too; and the scrubber knows it."""
    (secret,) = key.secrets()

    assert repr(key) == f"SigningKey(id={key.id!r})"
    assert len(secret.reveal()) == 64


# ---------------------------------------------------------------- envelopes


def test_envelope_is_as_dsse_has_it(tmp_path: Path, key: SigningKey) -> None:
    """By the protocol's own example of what is signed."""
    envelope = json.loads(sign("http://example.com/HelloWorld", b"hello world", key))

    (signature,) = envelope["signatures"]
    signed = b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    public = signing.read_public_key(tmp_path / "keys" / "ada.pub").key
    public.verify(base64.b64decode(signature["sig"]), signed)
    assert base64.b64decode(envelope["payload"]) == b"hello world"
    assert envelope["payloadType"] == "http://example.com/HelloWorld"


def test_every_byte_of_an_envelope_counts(tmp_path: Path, key: SigningKey) -> None:
    """Each bit that flips is noticed, in names and blanks, too."""
    signer = signing.read_public_key(tmp_path / "keys" / "ada.pub")
    envelope = sign("text/plain", b"hello", key)
    assert opened(envelope, "text/plain", [signer]) == (b"hello", signer)

    for at in range(len(envelope)):
        for bit in (0, 5):
            changed = bytearray(envelope)
            changed[at] ^= 1 << bit
            with pytest.raises(SigningError):
                opened(bytes(changed), "text/plain", [signer])


@pytest.mark.parametrize(
    "envelope", [b"", b"{}", b"[]", b"null", b'{"signatures": []}', b"\xff", b"[" * 100_000]
)
def test_what_is_no_envelope(envelope: bytes) -> None:
    """One line, no traceback."""
    with pytest.raises(SigningError, match="is not a signed envelope"):
        opened(envelope, "text/plain", [])


def test_envelope_of_another_key_or_kind(tmp_path: Path, key: SigningKey) -> None:
    """Says which keys are believed."""
    other = new_key(tmp_path / "bram.pem")
    signer = signing.read_public_key(tmp_path / "keys" / "ada.pub")
    envelope = sign("text/plain", b"hello", key)

    with pytest.raises(SigningError, match=r"signed with another key: .*; believed are: bram\.pub"):
        opened(envelope, "text/plain", [other])
    with pytest.raises(SigningError, match="expected text/html"):
        opened(envelope, "text/html", [signer])


# ---------------------------------------------------------------- the chain


def test_records_are_read_as_they_were_written(chain: Chain, key: SigningKey) -> None:
    """Of any kind, with data of its own."""
    first = add(chain, key, "0 issues, https://sentry.nox.io/1")
    second = add(
        chain, key, "p95 212 ms", minutes=60, kind=CHECKPOINT, line="window.x", data={"p95_ms": 212.5}
    )

    assert chain.read() == [first, second]
    assert (first.number, first.kind, first.line, first.by, first.at) == (
        1,
        ATTESTATION,
        "live.x",
        "Ada",
        NOON,
    )
    assert (first.signed_by, first.rehearsal, first.seen) == (
        "ada.pub",
        True,
        "0 issues, https://sentry.nox.io/1",
    )
    assert second.data == {"p95_ms": 212.5}
    assert sorted(path.name for path in chain.folder.iterdir()) == ["0001.json", "0002.json"]


def test_a_chain_that_nobody_began_is_empty(chain: Chain) -> None:
    """Not an error."""
    assert chain.read() == []


def rewrite(chain: Chain, number: int, change: Callable[[Path], object]) -> None:
    """Change one file, whoever may write it."""
    path = chain.folder / f"{number:04}.json"
    path.chmod(0o644)
    change(path)


@pytest.mark.parametrize(
    ("tamper", "message"),
    [
        pytest.param(
            lambda path: path.unlink(), "0003.json: expected 0002.json: a record is missing", id="removed"
        ),
        pytest.param(
            lambda path: path.write_bytes(path.read_bytes() + b" "), "0002.json: was changed", id="byte"
        ),
        pytest.param(
            lambda path: path.write_bytes(path.with_name("0001.json").read_bytes()),
            "0002.json: does not follow the record before it",
            id="repeated",
        ),
        pytest.param(
            lambda path: path.rename(path.with_name("0004.json")),
            "0003.json: expected 0002.json",
            id="put-behind",
        ),
        pytest.param(lambda path: path.write_text(""), "0002.json: is not a signed envelope", id="emptied"),
        pytest.param(lambda path: (path.unlink(), path.mkdir()), "0002.json: Is a directory", id="a-folder"),
    ],
)
def test_a_broken_chain_is_refused(
    chain: Chain, key: SigningKey, tamper: Callable[[Path], object], message: str
) -> None:
    """For reading and for adding to it."""
    for minutes in range(3):
        add(chain, key, minutes=minutes)
    rewrite(chain, 2, tamper)

    with pytest.raises(RecordError, match=message):
        chain.read()
    with pytest.raises(RecordError, match=message):
        add(chain, key, minutes=9)


def test_two_records_that_change_places(chain: Chain, key: SigningKey) -> None:
    """Each signed, and neither where it was."""
    first, second = (add(chain, key, seen) for seen in ("one", "two"))
    names = [chain.folder / f"{each.number:04}.json" for each in (first, second)]
    contents = [name.read_bytes() for name in names]
    for name, content in zip(names, reversed(contents), strict=True):
        name.chmod(0o644)
        name.write_bytes(content)

    with pytest.raises(RecordError, match="does not follow the record before it"):
        chain.read()


def test_a_file_that_is_no_record(chain: Chain, key: SigningKey) -> None:
    """Nothing lies beside the records."""
    add(chain, key)
    (chain.folder / "notes.txt").write_text("x")

    with pytest.raises(RecordError, match=r"notes\.txt: expected 0002\.json"):
        chain.read()


@pytest.mark.parametrize(
    ("field", "value"), [("release", "8.0.1"), ("target", "staging"), ("rehearsal", False)]
)
def test_records_of_another_chain(chain: Chain, key: SigningKey, field: str, value: object) -> None:
    """Those of another release or target, or of a rehearsal, do not count here."""
    add(chain, key)
    settings = {"release": chain.release, "target": chain.target, "rehearsal": chain.rehearsal} | {
        field: value
    }
    other = Chain(chain.folder, signers=chain.signers, **settings)  # type: ignore[arg-type]

    with pytest.raises(RecordError, match=r"0001\.json: belongs to release 8\.0\.0 on production"):
        other.read()


def test_a_key_that_does_not_sign_here(chain: Chain, tmp_path: Path) -> None:
    """It is refused before anything is written."""
    new_key(tmp_path / "bram.pem")

    with pytest.raises(RecordError, match=r"does not sign for production; those that do: ada\.pub"):
        add(chain, read_signing_key(tmp_path / "bram.pem"))
    assert chain.read() == []


def test_a_clock_that_goes_back(chain: Chain, key: SigningKey) -> None:
    """By one second; the same moment is fine."""
    add(chain, key)
    add(chain, key)

    with pytest.raises(
        RecordError, match=r"the clock goes back: it is 2026-11-24 11:59:59 UTC, and record 2"
    ):
        add(chain, key, minutes=-1 / 60)


def test_only_a_rehearsal_has_a_clock_of_its_own(tmp_path: Path, key: SigningKey) -> None:
    """Anything else is told the time."""
    chain = chain_of(tmp_path, rehearsal=False)

    with pytest.raises(RecordError, match="is not a rehearsal"):
        add(chain, key)
    before = datetime.now(UTC).replace(microsecond=0)
    assert before <= add(chain, key, now=None).at <= datetime.now(UTC)


def test_who_writes_at_once_gets_a_place_each(chain: Chain, key: SigningKey) -> None:
    """Every record is kept."""
    threads = [threading.Thread(target=add, args=(chain, key, f"of {number}")) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert {record.seen for record in chain.read()} == {f"of {number}" for number in range(8)}


def test_a_folder_that_cannot_be_written(chain: Chain, key: SigningKey) -> None:
    """One line."""
    chain.folder.parent.mkdir(exist_ok=True)
    chain.folder.write_text("a file")

    with pytest.raises(RecordError, match="Not a directory"):
        add(chain, key)


def test_a_record_shows_no_secret(chain: Chain, key: SigningKey) -> None:
    """Also one that the gate was not told about: in what was seen, and in what is kept of it."""
    said, secret = SECRET["url-postgresql"](Maker("record"))

    for wrong in ({"seen": said}, {"seen": "x", "data": {"why": said}}):
        with pytest.raises(RecordError, match="a record would show a password in a URL") as raised:
            add(chain, key, **wrong)
        assert secret not in str(raised.value)

    assert list(chain.read()) == []
