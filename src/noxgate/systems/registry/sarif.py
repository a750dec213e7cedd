"""SARIF 2.1.0, as docker scout writes it, with the digest and the time that its user adds."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from noxgate.systems.registry.platforms import platform_of
from noxgate.systems.registry.scan import (
    CRITICAL,
    GRADES,
    UNKNOWN,
    Identity,
    NotWholeError,
    Scan,
    ScanFinding,
    digests,
    one_digest,
    scan,
    time,
)

CRITICAL_SCORE = 9.0  # CVSS 3: critical is 9.0 and more
MOST_SCORE = 10.0
SCANNERS = ("docker scout",)
# Their SARIF says neither when nor on what system they looked; their JSON does.
IN_JSON = {
    "trivy": "trivy image --format json --output FILE IMAGE@DIGEST",
    "grype": "grype --output json --file FILE IMAGE@DIGEST",
}
FOUND_SOMETHING = 2  # of docker scout cves --exit-code
NAMED = (CRITICAL, "HIGH", "MEDIUM", "LOW")
UNSPECIFIED = ("UNSPECIFIED", UNKNOWN, "NEGLIGIBLE", "NONE")
# What docker scout was told to leave out, where the report has its arguments.
HIDING = re.compile(r"(?<![\w-])--(only|ignore|epss)-[\w-]+")
SCORES = ((CRITICAL_SCORE, CRITICAL), (7.0, "HIGH"), (4.0, "MEDIUM"), (0.1, "LOW"), (0.0, UNKNOWN))
NO_FINDING = ("pass", "notApplicable", "informational")

Json = Mapping[str, Any]


def is_sarif(document: Any) -> bool:
    return isinstance(document, dict) and document.get("version") == "2.1.0" and "runs" in document


def sarif(document: Json) -> Scan:
    """It counts where it names the digest and the time, and says that the scanner ended well."""
    runs = document["runs"]
    if not runs:
        raise NotWholeError("it has no run")
    if document.get("inlineExternalProperties") or any(map(_is_elsewhere, runs)):
        raise NotWholeError("parts of it stand elsewhere (external properties): nothing says what is in them")
    found: list[ScanFinding] = []
    for run in runs:
        _check_tool(run)
        if not isinstance(run.get("results"), list):
            raise NotWholeError("a run has no results: nothing says that anything was scanned")
        found += _found(run)
        _check_end(run)
    properties = runs[0].get("properties") or {}
    return scan(
        identity=Identity(
            image_id=one_digest(properties.get("imageID")),
            repositories=frozenset[str]().union(*map(_names, runs)),
            platform=platform_of(properties),
        ),
        made=min(time(text, "invocations.endTimeUtc") for text in _ends(runs)),
        found=found,
        sections=", ".join(dict.fromkeys(str(run["tool"]["driver"].get("name")) for run in runs)),
        tells_support=False,
    )


def _check_tool(run: Json) -> None:
    name = str(run["tool"]["driver"].get("name") or "a tool without a name")
    instead = IN_JSON.get(name.lower())
    if instead is not None:
        raise NotWholeError(f"{name}'s SARIF does not say when and how it looked; use its JSON: {instead}")
    if name.lower() not in SCANNERS:
        raise NotWholeError(f"it is of {name}, whose SARIF is not read (only that of {', '.join(SCANNERS)})")


def _check_end(run: Json) -> None:
    """Whether the scanner says that it ended well: the schema demands that it says so."""
    for each in run.get("invocations") or []:
        if each.get("executionSuccessful") is not True:
            raise NotWholeError("it does not say that the scanner succeeded (executionSuccessful)")
        words = " ".join([str(each.get("commandLine") or ""), *map(str, each.get("arguments") or [])])
        hiding = HIDING.search(words)
        if hiding is not None:
            raise NotWholeError(f"the scanner was told to leave findings out ({hiding[0]})")
        code = each.get("exitCode", 0)
        if code != 0 and not (code == FOUND_SOMETHING and run["results"]):
            raise NotWholeError(f"it says that the scanner ended with exit code {code}")
        for key in ("exitSignalName", "exitSignalNumber", "processStartFailureMessage"):
            if each.get(key):
                raise NotWholeError(f"it says that the scanner ended early ({key}: {each[key]})")
        for key in ("toolExecutionNotifications", "toolConfigurationNotifications"):
            for notice in each.get(key) or []:
                if notice.get("level") == "error":
                    said = (notice.get("message") or {}).get("text") or "no text"
                    raise NotWholeError(f"it says that the scanner met an error: {said}")


def _is_elsewhere(run: Json) -> bool:
    return bool(run.get("externalPropertyFileReferences"))


def _found(run: Json) -> Iterator[ScanFinding]:
    """What is found, hidden by a suppression too: that somebody accepts it does not make it harmless."""
    for rule in _rules(run["tool"]["driver"]):
        _grade(rule)
    for result in run["results"]:
        rule = _rule(result, run["tool"])
        if result.get("kind", "fail") in NO_FINDING or result.get("baselineState") == "absent":
            continue
        hidden = " (hidden by a suppression)" if result.get("suppressions") else ""
        graver = [_grade({**rule, "properties": result["properties"]})] if _is_graded(result) else []
        yield ScanFinding(rule["id"] + hidden, min([_grade(rule), *graver], key=GRADES.index))


def _rules(component: Json) -> list[Json]:
    return component.get("rules") or []


def _rule(result: Json, tool: Json) -> Json:
    """By its place, where the result says it: several rules may have one id. By its id it is the gravest."""
    said = result.get("rule") or {}
    name, index = result.get("ruleId") or said.get("id"), result.get("ruleIndex", said.get("index", -1))
    unknown = NotWholeError(f"nothing says how grave {name or 'a result without a rule'} is")
    parts = [tool["driver"], *(tool.get("extensions") or [])]
    component = said.get("toolComponent")
    place = 0 if component is None else component.get("index", -1) + 1
    if place >= len(parts):
        raise unknown
    among = parts if component is not None and place == 0 else [parts[place]]
    rules = [rule for part in among for rule in _rules(part)]
    if 0 <= index < len(rules) and len(among) == 1:
        found = [rules[index]]
    else:
        found = [rule for rule in rules if rule["id"] == name] or [
            rule for rule in rules if str(name).startswith(f"{rule['id']}/")
        ]
    if not found:
        raise unknown
    rule = min(found, key=lambda each: GRADES.index(_grade(each)))
    if name and name != rule["id"] and not name.startswith(f"{rule['id']}/"):
        raise NotWholeError(f"nothing says how grave {name} is: rule {index} is {rule['id']}")
    return rule


def _is_graded(result: Json) -> bool:
    return bool({"cvssV3_severity", "security-severity"} & (result.get("properties") or {}).keys())


def _grade(rule: Json) -> str:
    """By the severity's name, as scout gives it; critical by the score, too."""
    properties = rule.get("properties") or {}
    said = {
        str(properties.get("cvssV3_severity", "")).upper(),
        *(str(tag).upper() for tag in properties.get("tags") or []),
    }
    found = {name for name in NAMED if name in said}
    if "security-severity" in properties:
        score = float(properties["security-severity"])
        if not 0 <= score <= MOST_SCORE:
            raise NotWholeError(f"nothing says how grave {rule['id']} is (score {score})")
        found.add(next(name for least, name in SCORES if score >= least))
    elif not found and not said & set(UNSPECIFIED):
        raise NotWholeError("a rule says nothing of how grave it is")
    return min(found, key=GRADES.index, default=UNKNOWN)


def _names(run: Json) -> frozenset[str]:
    """The digests of the closest place that names any: what its user added, what was asked, what was seen."""
    places = [
        place.get("logicalLocations") for each in run["results"] for place in each.get("locations") or []
    ]
    for part in ("properties", "invocations", "automationDetails", "artifacts"):
        found = digests([json.dumps(run.get(part))])
        if found:
            return found
    return digests([json.dumps(places)])


def _ends(runs: list[Any]) -> list[str | None]:
    ends = [
        each.get("endTimeUtc") or each.get("startTimeUtc")
        for run in runs
        for each in run.get("invocations") or [{}]
    ]
    return ends or [None]
