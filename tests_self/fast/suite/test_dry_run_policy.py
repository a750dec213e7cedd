"""The admission policy of docs/ROLES.md: whom it holds to dry runs, and for what."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

PAGE = (Path(__file__).parents[3] / "docs" / "ROLES.md").read_text()


def policy() -> dict[str, Any]:
    blocks = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    found = [each for block in blocks for each in yaml.safe_load_all(block)]
    named = [each for each in found if isinstance(each, dict) and each["kind"] == "ValidatingAdmissionPolicy"]
    assert len(named) == 1
    spec: dict[str, Any] = named[0]["spec"]
    return spec


def covers(rule: dict[str, Any], resource: str, part: str, operation: str) -> bool:
    """As Kubernetes matches it: * are all resources without their parts, */* are both."""
    wanted = {"*/*", f"{resource}/{part}", f"{resource}/*", f"*/{part}"} if part else {"*/*", "*", resource}
    operations = {"*", operation}
    return bool(wanted & set(rule["resources"])) and bool(operations & set(rule["operations"]))


@pytest.mark.parametrize(
    ("name", "is_held"),
    [
        ("release-gate-dry-run", True),
        ("system:serviceaccount:nox-production:release-gate-dry-run", True),
        ("system:serviceaccount:default:release-gate-dry-run", False),
        ("release-gate", False),
        ("system:serviceaccount:nox-production:release-gate", False),
    ],
)
def test_both_subjects_are_held(name: str, is_held: bool) -> None:  # noqa: FBT001
    """A user, and a service account by the name that the API server gives it."""
    (condition,) = policy()["matchConditions"]
    found = re.fullmatch(r"request\.userInfo\.username in (\[.*\])", condition["expression"])

    assert found is not None
    assert (name in json.loads(found[1])) == is_held


@pytest.mark.parametrize(
    ("resource", "part"),
    [
        ("deployments", ""),
        ("deployments", "scale"),
        ("pods", "exec"),
        ("pods", "eviction"),
        ("ingresses", "status"),
    ],
)
@pytest.mark.parametrize("operation", ["CREATE", "UPDATE", "DELETE", "CONNECT"])
def test_every_change_is_matched(resource: str, part: str, operation: str) -> None:
    (rule,) = policy()["matchConstraints"]["resourceRules"]

    assert (rule["apiGroups"], rule["apiVersions"]) == (["*"], ["*"])
    assert covers(rule, resource, part, operation)


def test_only_dry_runs_get_through() -> None:
    spec = policy()

    assert spec["failurePolicy"] == "Fail"
    assert [each["expression"] for each in spec["validations"]] == ["has(request.dryRun) && request.dryRun"]
