"""Runbook 6: what became of the work that users gave since the switch, by the database's own rows."""

from datetime import timedelta

import pytest

from nox_service.clients import Clients
from noxgate.look.wording import in_words
from noxgate.project.runbook import Limits
from noxgate.window.watching import Watching


@pytest.mark.runbook("window.checkpoint-24h-batch-jobs")
def test_batches_ran_to_their_end(clients: Clients, watching: Watching, limits: Limits) -> None:
    """Those old enough to be over: a batch of this minute has not failed."""
    since = watching.window().switched
    ends = min(watching.now, since + timedelta(hours=limits["hours"]))
    until = ends - timedelta(minutes=limits["age_minutes"])
    rows = clients.database.rows(
        """SELECT name, total_jobs, completed_jobs, failed_jobs FROM batch_job_collections
           WHERE created_at BETWEEN %(since)s AND %(until)s ORDER BY created_at""",
        since=since,
        until=until,
    )

    assert len(rows) >= limits["jobs"], "no batch was started since the switch: look at the scheduler"
    unfinished = [
        f"{name}: {completed} of {total} completed, {failed} failed"
        for name, total, completed, failed in rows
        if total == 0 or completed != total
    ]
    assert unfinished == []


@pytest.mark.runbook("window.jobs-failed")
def test_no_job_failed(clients: Clients, watching: Watching, limits: Limits) -> None:
    """Of those that were submitted since the switch, whoever computed them."""
    rows = clients.database.rows(
        """SELECT engine, status, count(*), max(left(error, 120)) FROM computational_jobs
           WHERE created_at >= %(since)s GROUP BY engine, status ORDER BY engine, status""",
        since=watching.window().switched,
    )
    failed = [row for row in rows if row[1] == "failed"]

    assert sum(row[2] for row in rows) >= limits["jobs"], "no job was submitted since the switch"
    assert sum(row[2] for row in failed) <= limits["failed"], f"failed: {failed}"


@pytest.mark.runbook("window.jobs-stuck")
def test_no_job_is_stuck(clients: Clients, watching: Watching, limits: Limits) -> None:
    """Older ones, too: a worker of blue may have died with them."""
    window = watching.window()
    rows = clients.database.rows(
        """SELECT id::text, engine, status, coalesce(started_at, created_at) FROM computational_jobs
           WHERE status IN ('queued', 'running') AND coalesce(started_at, created_at) < %(before)s""",
        before=watching.now - timedelta(minutes=limits["age_minutes"]),
    )

    assert window.switched < watching.now
    assert len(rows) <= limits["stuck"], f"stuck: {in_words([tuple(map(str, row)) for row in rows])}"
