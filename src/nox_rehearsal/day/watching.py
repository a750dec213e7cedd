"""The rehearsal's 48-hour window: opened after the switch, its checkpoints made by a clock of their own."""

import shutil
from collections.abc import Collection, Mapping
from contextlib import closing
from datetime import datetime, timedelta
from types import MappingProxyType

import psycopg

from nox_rehearsal.checkout import ROOT
from nox_rehearsal.day import history
from nox_rehearsal.people import persons
from nox_rehearsal.world.state import World
from noxgate.project.profile import read_target
from noxgate.project.runbook import Runbook, read_runbook
from noxgate.trust.keys import read_trust
from noxgate.trust.records import ATTESTATION, Chain, latest
from noxgate.trust.signing import SigningKey
from noxgate.window.records import open_window, read_window, record_checkpoint
from noxgate.window.switch import switched_at

BY = "rehearsal"
OPENED = timedelta(minutes=10)  # after the switch
MADE = {  # after the switch, a moment after it is due
    "1h": timedelta(hours=1, minutes=2),
    "6h": timedelta(hours=6, minutes=5),
    "24h": timedelta(hours=24, minutes=5),
    "48h": timedelta(hours=48, minutes=5),
}
REPORTS = timedelta(hours=48, minutes=1)  # when somebody asks support
_JOBS = """
INSERT INTO computational_jobs
    (id, user_id, engine, input, input_hash, status, result, created_at, started_at, finished_at, batch_id)
SELECT gen_random_uuid(), 2, 'empirical', jsonb_build_object('smiles', repeat('C', n), 'asked', 'at night'),
       encode(sha256(format('night %%s', n)::bytea), 'hex'), 'completed', '{"value": 300.0, "unit": "K"}',
       %(at)s + n * interval '1 min', %(at)s + n * interval '61 s', %(at)s + n * interval '63 s',
       CASE WHEN n < 12 THEN (SELECT id FROM batch_job_collections WHERE name = 'nightly') END
FROM generate_series(1, 12) AS n
"""
_BATCH = "INSERT INTO batch_job_collections (user_id, name, created_at) VALUES (2, 'nightly', %(at)s)"


def begin(world: World, began: datetime) -> None:
    """The 48 hours are over, as Prometheus and the database have them; the window is opened.

    What somebody has recorded by hand, to try it, would be later than all that is to come: it goes.
    """
    history.install(world, began)
    at = history.time_of_switch(began)
    if any(record.at > at + OPENED for record in records(world)[0].read()):
        _forget(world, began)
    with closing(psycopg.connect(world.production_dsn, autocommit=True)) as connection:
        for statement in (_BATCH, _JOBS):
            connection.execute(statement, {"at": at + timedelta(hours=9)})
    open_(world, began)


def open_(world: World, began: datetime, *, switched: timedelta = timedelta()) -> None:
    """Open the window; `switched` is how much later the record says that the switch was."""
    chain, key, runbook = records(world)
    phases = [phase.name for phase in runbook.phases.values() if phase.folder]
    at = history.time_of_switch(began)
    target = read_target(ROOT, str(world.production_profile), phases)
    behind = switched_at(target, runbook.service) - at
    open_window(
        chain, key, runbook, switched=at + switched, by=BY, clock=at + switched + OPENED, shift=behind
    )


def time_of(began: datetime, checkpoint: str) -> datetime:
    """When a checkpoint is made, by the clock of the day that is played."""
    return history.time_of_switch(began) + MADE[checkpoint]


def ask_support(world: World) -> None:
    """The person's line of the window, unless it is attested already."""
    chain, _, runbook = records(world)
    found = chain.read()
    window = read_window(found, runbook)
    if window is not None and "window.user-reports" not in latest(found, ATTESTATION):
        persons.attest_all(world, "window", window.switched + REPORTS)


def make_the_rest(
    world: World,
    *,
    without: Collection[str] = (),
    late: Mapping[str, timedelta] = MappingProxyType({}),
) -> None:
    """Record what was not made yet, without looking: what the checks say of it is looked at by others.

    `late` is by how much later than usual a checkpoint is made.
    """
    chain, key, runbook = records(world)
    window = read_window(chain.read(), runbook)
    assert window is not None
    for name, after in MADE.items():
        if name in window.made or name in without:
            continue
        if name == "48h":
            ask_support(world)
        at = window.switched + after + late.get(name, timedelta())
        seen = "a rehearsal, whose checks are run apart"
        record_checkpoint(chain, key, runbook, name, seen=seen, data={}, clock=at)


def once_more(world: World, began: datetime) -> None:
    """All records anew: the Ingress was touched, and says another time than those before."""
    _forget(world, began)
    open_(world, began)
    make_the_rest(world)


def _forget(world: World, began: datetime) -> None:
    """No record but what persons attest before the window."""
    chain, _, _ = records(world)
    shutil.rmtree(chain.folder)
    for moment in ("prep", "green", "live"):
        persons.attest_all(world, moment, before(began, moment))


def records(world: World) -> tuple[Chain, SigningKey, Runbook]:
    """Production's chain in this world, its key, and the runbook."""
    runbook = read_runbook(ROOT / "runbook.toml")
    trust = read_trust(ROOT, str(world.production_profile))
    return trust.chain(ROOT / "reports", runbook.release.version), trust.to_sign({}), runbook


def before(began: datetime, moment: str) -> datetime | None:
    """When persons attest a moment, so that the window's records come after theirs; None if now."""
    ahead = {"prep": timedelta(minutes=-30), "green": timedelta(minutes=-15), "live": timedelta()}
    return history.time_of_switch(began) + ahead[moment] if moment in ahead else None
