"""A sealed run is counted by the records of its target: one that went away is missed."""

# ruff: noqa: F811 (fixtures of another file)

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests_self.building.people import people  # noqa: F401 (a fixture)
from tests_self.building.sealed_runs import Bundle, bundle, made  # noqa: F401 (fixtures)

from noxgate.cli.main import main
from noxgate.trust import counted, seal, signing
from noxgate.trust.keys import read_trust
from noxgate.trust.records import Chain

if TYPE_CHECKING:
    from tests_self.conftest import Project

RECORDS = "reports/8.0.0/records/staging"
NO_GO, GO_AGAIN = "20260101T000000Z-staging-staging", "20990101T000000Z-staging-staging"


def chain(bundle: Bundle) -> Chain:
    return read_trust(bundle.root, "staging").chain(bundle.root / "reports", "8.0.0")


def run(bundle: Bundle, name: str, verdict: str, started: str) -> Path:
    """One more run of staging: counted, then sealed with a copy of the records."""
    folder = bundle.root / "reports" / "8.0.0" / name
    key = signing.read_signing_key(bundle.key)
    shutil.copytree(max(bundle.root.glob("reports/8.0.0/2*")), folder)
    results = json.loads((folder / "results.json").read_text())
    results |= {"run": name, "verdict": verdict, "started": started}
    if verdict == "NO-GO":
        results["lines"][0]["outcome"] = "failed"
    (folder / "results.json").write_text(json.dumps(results))
    counted.count(chain(bundle), key, name, name, verdict)
    shutil.copytree(chain(bundle).folder, folder / "records", dirs_exist_ok=True)
    (folder / seal.ENVELOPE).unlink()
    seal.seal(folder, bundle.root, bundle.root / "targets" / "staging.toml", key)
    return folder


@pytest.fixture
def day(bundle: Bundle) -> Bundle:
    """A GO, a NO-GO that is older by its date, and the GO after it."""
    ended = bundle.results()["ended"]
    run(bundle, NO_GO, "NO-GO", "2026-01-01T00:00:00+00:00")
    run(bundle, GO_AGAIN, "GO", ended)
    return bundle


def refused(bundle: Bundle, capsys: pytest.CaptureFixture[str], *arguments: str) -> list[str]:
    """Why the release is refused."""
    capsys.readouterr()
    status = main(["verify", "8.0.0", "--phase", "staging", *arguments])
    rows = capsys.readouterr().out.splitlines()
    assert bundle.root.is_dir()
    assert rows[-1].startswith("REFUSED" if status else "VERIFIED")
    return [row.removeprefix("refused   ") for row in rows if row.startswith("refused ")]


def records(bundle: Bundle, *numbers: int) -> None:
    """Remove these records from the chain."""
    for number in numbers:
        (chain(bundle).folder / f"{number:04}.json").unlink()


def test_each_run_holds_the_record_of_itself(bundle: Bundle, capsys: pytest.CaptureFixture[str]) -> None:
    copies = sorted(path.name for path in (bundle.folder / "records").iterdir())
    last = chain(bundle).read()[-1]

    assert copies == ["0001.json", "0002.json"]
    assert last.data == {"run": bundle.results()["run"], "verdict": "GO"}
    assert last.seen == f"GO  {bundle.folder.name}"
    assert refused(bundle, capsys) == []


def test_all_is_well_as_long_as_all_runs_are_there(day: Bundle, capsys: pytest.CaptureFixture[str]) -> None:
    assert refused(day, capsys) == []


def no_go(bundle: Bundle) -> Path:
    return bundle.root / "reports" / "8.0.0" / NO_GO


def away(bundle: Bundle) -> None:
    shutil.rmtree(no_go(bundle))


def elsewhere(bundle: Bundle) -> None:
    no_go(bundle).rename(bundle.root / "elsewhere")


def unsealed(bundle: Bundle) -> None:
    (no_go(bundle) / seal.ENVELOPE).unlink()


def sealed_as_go(bundle: Bundle) -> None:
    """The key's owner writes it anew."""
    folder = no_go(bundle)
    results = json.loads((folder / "results.json").read_text())
    (folder / "results.json").write_text(json.dumps(results | {"verdict": "GO"}))
    (folder / seal.ENVELOPE).unlink()
    key = signing.read_signing_key(bundle.key)
    seal.seal(folder, bundle.root, bundle.root / "targets" / "staging.toml", key)


def away_with_the_chain(bundle: Bundle) -> None:
    """The newer run holds a copy."""
    away(bundle)
    shutil.rmtree(chain(bundle).folder)


def away_with_its_record(bundle: Bundle) -> None:
    away(bundle)
    records(bundle, 3, 4)


def chain_begun_anew(bundle: Bundle) -> None:
    shutil.rmtree(chain(bundle).folder)
    key = signing.read_signing_key(bundle.key)
    counted.count(chain(bundle), key, "another", "another", "GO")


def another_in_its_place(bundle: Bundle, **said: object) -> None:
    """A folder that says it is that run, and that no signer of the target has sealed."""
    folder = no_go(bundle)
    results = json.loads((folder / "results.json").read_text())
    away(bundle)
    folder.mkdir()
    (folder / "results.json").write_text(json.dumps(results | said))
    (folder / seal.ENVELOPE).write_text("{}")


def a_rehearsal_in_its_place(bundle: Bundle) -> None:
    """Whose key is not expected to be known."""
    another_in_its_place(bundle, target={"name": "rehearsal", "rehearsal": True})


def changed(bundle: Bundle) -> None:
    path = no_go(bundle) / "environment.json"
    path.write_text("{}")


def chain_that_cannot_be_read(bundle: Bundle) -> None:
    """The NO-GO was the last one that was counted."""
    shutil.rmtree(bundle.root / "reports" / "8.0.0" / GO_AGAIN)
    records(bundle, 4)
    away(bundle)
    (chain(bundle).folder / "9999.json").write_text("{}")


NOT_HERE = f"record 3 of staging counts a run that is not here, sealed as it was: NO-GO  {NO_GO}"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (a_rehearsal_in_its_place, NOT_HERE),
        (another_in_its_place, NOT_HERE),
        (changed, NOT_HERE),
        (chain_that_cannot_be_read, "records of staging: 9999.json: expected 0004.json: a record is missing"),
        (away, f"record 3 of staging counts a run that is not here, sealed as it was: NO-GO  {NO_GO}"),
        (elsewhere, f"record 3 of staging counts a run that is not here, sealed as it was: NO-GO  {NO_GO}"),
        (unsealed, f"record 3 of staging counts a run that is not here, sealed as it was: NO-GO  {NO_GO}"),
        (sealed_as_go, f"record 3 of staging says NO-GO  {NO_GO}, and its folder says GO"),
        (away_with_the_chain, "record 3 of staging counts a run that is not here"),
        (away_with_its_record, "record 3 of staging counts a run that is not here"),
        (chain_begun_anew, f"records of staging: {GO_AGAIN} does not hold those that lie here"),
    ],
)
def test_a_no_go_that_went_away(
    day: Bundle, capsys: pytest.CaptureFixture[str], change: Callable[[Bundle], None], reason: str
) -> None:
    change(day)

    reasons = refused(day, capsys)
    assert any(one.startswith(reason) for one in reasons), reasons

    main(["signoff", "--target", "staging"])  # the page says the same
    assert capsys.readouterr().out
    page = (day.root / "reports" / "8.0.0" / "SIGN-OFF.md").read_text()
    assert reason.partition(" of staging")[0] in page or "does not hold those that lie here" in page
    assert page.count(reasons[-1]) <= 1  # once


def test_records_that_begin_with_the_run_are_said_first(
    bundle: Bundle, capsys: pytest.CaptureFixture[str]
) -> None:
    """As in a pipeline, where each run begins with an empty folder of reports."""
    shutil.rmtree(chain(bundle).folder)
    shutil.rmtree(bundle.folder / "records")
    bundle.resign(lambda _: None)
    said = (
        f"note      records of staging begin with {bundle.folder.name}: a run before it would not be seen "
        "(--head DIGEST names the last record that is known)"
    )

    for what in (str(bundle.folder), "8.0.0"):
        capsys.readouterr()
        main(["verify", what])
        assert capsys.readouterr().out.splitlines()[0] == said


def test_records_that_are_missing_whole_are_said_first(
    day: Bundle, capsys: pytest.CaptureFixture[str]
) -> None:
    """The newest run and what counted it went away together: whoever knows the last record sees that."""
    shutil.rmtree(chain(day).folder)

    assert refused(day, capsys) == []
    assert main(["verify", "8.0.0", "--phase", "staging"]) == 0
    rows = capsys.readouterr().out.splitlines()
    assert rows[0].startswith(
        "note      no records of staging lie here: a run since the newest would not be seen"
    )


def test_the_records_go_on_from_one_that_is_known(day: Bundle, capsys: pytest.CaptureFixture[str]) -> None:
    head = hashlib.sha256((chain(day).folder / "0003.json").read_bytes()).hexdigest()

    assert refused(day, capsys, "--head", head) == []
    assert refused(day, capsys, "--head", head[:12].upper()) == []
    for other in ("0" * 64, head[:3], "x"):
        assert refused(day, capsys, "--head", other) == [
            f"record {other[:12]} is in none of the runs: what it follows went away, or they began anew"
        ]


def test_the_page_knows_the_head_too(day: Bundle, capsys: pytest.CaptureFixture[str]) -> None:
    reason = "is in none of the runs: what it follows went away"
    head = hashlib.sha256((chain(day).folder / "0003.json").read_bytes()).hexdigest()

    for given, seen in (("0" * 64, True), (head, False)):
        main(["signoff", "--target", "staging", "--head", given])
        assert (reason in capsys.readouterr().out) is seen


def test_a_run_is_counted_when_it_is_sealed_later(
    people: "Project", monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It was made without a key."""
    monkeypatch.delenv(signing.VARIABLE)
    people.gate()
    records = people.path / RECORDS
    assert not records.exists()
    (folder,) = people.path.glob("reports/8.0.0/2*")
    monkeypatch.setenv(signing.VARIABLE, str(people.path / "targets" / "keys" / "ada.pem"))
    capsys.readouterr()

    assert main(["seal", str(folder)]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == f"record 1: {RECORDS}"
    (record,) = read_trust(people.path, "staging").chain(people.path / "reports", "8.0.0").read()
    assert (record.kind, record.seen) == ("run", f"INCONCLUSIVE  {folder.name}")


def test_a_rehearsal_counts_no_runs(people: "Project") -> None:
    """Its runs never count, and its days have clocks of their own."""
    people.gate("--target", "rehearsal")

    assert list(people.path.glob("**/records/**/*.json")) == []
