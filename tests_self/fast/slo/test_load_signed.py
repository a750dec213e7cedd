"""Load results that no load test of this project left: who made them, by their signature."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from tests_self.simulated import ROOT, repeated, simulated

from noxgate.slo.ramps import read_ramps
from noxgate.slo.result import NAME as RESULT
from noxgate.slo.result import Result, folder_name, read, write
from noxgate.slo.run import keep
from noxgate.trust.keys import Trust
from noxgate.trust.loads import BEGUN, NAME, Making, begin, refused
from noxgate.trust.signing import VARIABLE, PublicKey, SigningError, key_for_once, new_key, read_signing_key

SMOKE = read_ramps(ROOT)["smoke"]


@pytest.fixture
def signer(tmp_path: Path) -> tuple[PublicKey, Path]:
    """One, and the file of the private key."""
    private = tmp_path / "keys" / "ada.pem"
    return new_key(private), private


def trust(*signers: PublicKey) -> Trust:
    path = Path("staging.toml")
    return Trust(
        "staging", path, rehearsal=False, serves=(), signers=signers, hours=24, key_file=None, record=path
    )


def kept(folder: Path, result: Result, making: Making | None) -> Path:
    place = folder / folder_name(result)
    place.mkdir(parents=True)
    write(place / RESULT, result)
    (place / "table.txt").write_text("SLO  outcome\n")
    if making is not None:
        making.sign(place, result)
    return place


def test_signed_by_a_signer(signer: tuple[PublicKey, Path], tmp_path: Path) -> None:
    public, private = signer
    making = begin(trust(public), {VARIABLE: str(private)}, tmp_path)
    result = replace(simulated(SMOKE), nonce=making.nonce)
    place = kept(tmp_path, result, making)

    assert refused(place, read(place / RESULT), [public]) == ""
    assert not (tmp_path / BEGUN).exists()


def test_signed_result_of_the_schema_before(signer: tuple[PublicKey, Path], tmp_path: Path) -> None:
    """A sealed run that has one stays valid; what is made of it today is for the check."""
    public, private = signer
    making = begin(trust(public), {VARIABLE: str(private)}, tmp_path)
    ramp = replace(SMOKE, new_jobs=0)
    result = replace(simulated(ramp), nonce=making.nonce, schema=2)
    place = kept(tmp_path, result, making)

    assert read(place / RESULT) == result
    assert refused(place, read(place / RESULT), [public]) == ""


def test_signed_with_a_key_of_its_run(signer: tuple[PublicKey, Path], tmp_path: Path) -> None:
    """Believed if the profile names no signer, and if its public half was kept before it began."""
    making = begin(trust(), {}, tmp_path)
    result = replace(simulated(SMOKE), nonce=making.nonce)
    place = kept(tmp_path, result, making)

    assert refused(place, result, [], held=tmp_path / BEGUN) == ""
    assert "signed with another key" in refused(place, result, [signer[0]], held=tmp_path / BEGUN)
    (tmp_path / BEGUN / f"{making.nonce}.pub").unlink()
    assert "was begun here" in refused(place, result, [], held=tmp_path / BEGUN)


def test_key_that_signs_for_nobody_stops_it_at_once(signer: tuple[PublicKey, Path], tmp_path: Path) -> None:
    """Before forty minutes, not after."""
    new_key(tmp_path / "eve.pem")

    for known in ([], [signer[0]]):
        with pytest.raises(SigningError, match="does not sign for staging"):
            begin(trust(*known), {VARIABLE: str(tmp_path / "eve.pem")}, tmp_path)


def written(**changes: object) -> Callable[[Path, Result], object]:
    return lambda place, one: write(place / RESULT, replace(one, **changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda place, _: (place / NAME).unlink(), "is not signed"),
        (lambda place, _: (place / NAME).write_text("{}"), "not a signed envelope"),
        (written(version="8.0.1"), "was changed after it was signed: result.json.gz"),
        (lambda place, _: (place / "table.txt").write_text("passed"), "after it was signed: table.txt"),
        (lambda place, _: (place / "load.svg").write_text("<svg/>"), "after it was signed: load.svg"),
        (lambda place, one: Making(one.nonce, key_for_once()).sign(place, one), "signed with another key"),
        (written(nonce="1" * 32), "of another run"),
        (written(nonce=""), "of another run"),
        (written(schema=1), "is of schema 1"),
        (written(target="other"), "was changed after it was signed"),
    ],
    ids=[
        *("unsigned", "no-envelope", "altered", "table", "added", "other-key"),
        *("other-nonce", "no-nonce", "schema-1", "other-target"),
    ],
)
def test_result_that_no_load_test_left(
    change: Callable[[Path, Result], object], reason: str, signer: tuple[PublicKey, Path], tmp_path: Path
) -> None:
    public, private = signer
    making = Making("a1" * 16, read_signing_key(private))
    result = replace(simulated(SMOKE), nonce=making.nonce)
    place = kept(tmp_path, result, making)
    assert refused(place, result, [public]) == ""

    change(place, result)

    assert reason in refused(place, read(place / RESULT), [public])


def test_copy_of_a_good_result_under_a_later_name(signer: tuple[PublicKey, Path], tmp_path: Path) -> None:
    """It would hide a bad one that came between."""
    public, private = signer
    making = Making("a1" * 16, read_signing_key(private))
    result = replace(simulated(SMOKE), nonce=making.nonce)
    place = kept(tmp_path, result, making)
    later = place.rename(tmp_path / "20990101T000000Z-staging-smoke")

    assert "was renamed" in refused(later, result, [public])


def test_reason_why_it_was_run_again_changes_nothing(signer: tuple[PublicKey, Path], tmp_path: Path) -> None:
    """That is written into its folder later."""
    public, private = signer
    making = Making("a1" * 16, read_signing_key(private))
    result = replace(simulated(SMOKE), nonce=making.nonce)
    place = kept(tmp_path, result, making)
    (place / "run-again.txt").write_text("undecided: the generator was late\n")

    assert refused(place, result, [public]) == ""


def test_what_was_written_by_hand_and_signed(signer: tuple[PublicKey, Path], tmp_path: Path) -> None:
    """A signature makes nothing possible."""
    public, private = signer
    making = Making("a1" * 16, read_signing_key(private))
    result = repeated(replace(simulated(SMOKE), nonce=making.nonce))
    place = kept(tmp_path, result, making)

    assert "identical series" in refused(place, result, [public])


def test_result_is_signed_though_nothing_could_be_drawn(
    signer: tuple[PublicKey, Path], tmp_path: Path
) -> None:
    """Forty minutes are not lost for a picture."""
    public, private = signer
    making = Making("a1" * 16, read_signing_key(private))
    result = replace(simulated(SMOKE), nonce=making.nonce)

    def show(draft: Path) -> None:
        (draft / "table.txt").write_text("SLO  outcome\n")
        raise OSError("no space for a picture")

    with pytest.raises(OSError, match="no space"):
        keep(result, tmp_path / "load", show=show, sign=lambda draft: making.sign(draft, result))

    (place,) = (tmp_path / "load").iterdir()
    assert refused(place, read(place / RESULT), [public]) == ""
