"""Runbook 2, performance: the newest load test of this target and release, hold by hold (`noxgate load`)."""

import pytest

from noxgate.project.runbook import Limits
from noxgate.slo.before.checked import Slower
from noxgate.slo.load_results import LoadTest


@pytest.mark.runbook("staging.load-quick")
def test_quick_load_test_was_held(load_test: LoadTest, limits: Limits) -> None:
    """To its end, by every class of user, recently, on this release."""
    found = load_test.quick()

    assert found != []
    assert [reason for kept in found for reason in kept.incomplete()] == []
    for kept in found:
        longest = max(held.end - held.start for held in kept.result.holds)
        assert longest >= load_test.expected(limits["plateau_seconds"], longest)


@pytest.mark.runbook("staging.load-full")
def test_full_load_test_was_held(load_test: LoadTest, limits: Limits) -> None:
    """Every level up to the peak, recently, on this release."""
    found = load_test.full()

    assert found != []
    assert [reason for kept in found for reason in kept.incomplete()] == []
    for kept in found:
        most = max(held.users for held in kept.result.holds)
        assert most >= load_test.expected(limits["peak_users"], most)


@pytest.mark.runbook("staging.slo-p95")
def test_p95_of_each_class(load_test: LoadTest) -> None:
    """Of the requests of each class but science, on each hold."""
    assert load_test.broken("staging.slo-p95") == []


@pytest.mark.runbook("staging.slo-p99")
def test_p99_of_each_class(load_test: LoadTest) -> None:
    """Of the requests of each class but science, on each hold."""
    assert load_test.broken("staging.slo-p99") == []


@pytest.mark.runbook("staging.slo-science-p95")
def test_p95_of_science(load_test: LoadTest) -> None:
    """The answer to a request; a job that it starts may take longer."""
    assert load_test.broken("staging.slo-science-p95") == []


@pytest.mark.runbook("staging.slo-errors")
def test_failed_requests(load_test: LoadTest) -> None:
    """Of all classes together, for every reason."""
    assert load_test.broken("staging.slo-errors") == []


@pytest.mark.runbook("staging.slo-api-errors")
def test_wrong_answers(load_test: LoadTest) -> None:
    """Answers that came and were wrong, by status or by content."""
    assert load_test.broken("staging.slo-api-errors") == []


@pytest.mark.runbook("staging.slo-auth-success")
def test_sign_in_succeeds(load_test: LoadTest) -> None:
    """Provider URLs and the user's profile."""
    assert load_test.broken("staging.slo-auth-success") == []


@pytest.mark.runbook("staging.slo-no-5xx")
def test_no_server_error(load_test: LoadTest) -> None:
    """Not one, on any hold."""
    assert load_test.broken("staging.slo-no-5xx") == []


@pytest.mark.runbook("staging.slower-than-before")
def test_not_slower_than_the_release_before(slower: Slower) -> None:
    """Each class on each hold; not counted where no release before was measured."""
    assert slower.found() == []


@pytest.mark.runbook("staging.science-job-results")
def test_science_jobs_end_right(load_test: LoadTest) -> None:
    """Every job that was accepted, compared where the value is known; and jobs that are new to the target."""
    found = load_test.quick()

    assert found != []
    assert [kept.folder.name for kept in found if kept.result.accepted == 0] == [], "no job was accepted"
    assert [kept.result.right for kept in found] == [kept.result.accepted for kept in found]
    assert load_test.new_jobs_amiss(found) == []
