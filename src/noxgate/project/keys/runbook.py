"""The keys of runbook.toml; its own first lines say what they mean at more length."""

from datetime import date
from typing import Literal, get_args

from noxgate.project.keys.key import (
    LIST,
    NOT_BLANK,
    NUMBER,
    TABLE,
    TEXT,
    WHOLE,
    YES_OR_NO,
    Key,
    ValueForm,
    pattern,
)

Kind = Literal["auto", "mutate", "human", "derived"]
KINDS = get_args(Kind)
PROOF = ("link", "ticket", "number", "time", "person")  # what a person's record may have to hold
ROLES = (
    "switch",
    "switch-back",
    "opened",
    "checkpoint-record",
    "key-metric",
    "load-test",
    "validated",
    "overview",
    "engineer",
    "status",
    "next-review",
)
MEASURES = ("slow", "failed", "succeeded", "wrong", "server-error")
BOUNDS = ("target", "critical")
VERSION = r"\d+\.\d+\.\d+([-+][0-9A-Za-z.-]+)?"
DATE = ValueForm("a date", date, {"type": "string", "format": "date"})
CHECKPOINT_NAME = r"\d+h"
SHARE = {"exclusiveMinimum": 0, "exclusiveMaximum": 1}
NUMBERS = {"additionalProperties": {"type": "number"}}

RELEASE = (
    Key("version", TEXT, "The release's version.", "8.0.0", required=True, limits=pattern(VERSION)),
    Key("date", DATE, "The day it ships, such as 2025-08-15.", required=True),
    Key("schema", TEXT, "The catalog that the migration must leave behind.", required=True),
)
COLOUR = (
    Key("deployment", TEXT, "Its Deployment.", required=True, limits=NOT_BLANK),
    Key("service", TEXT, "Its Service.", required=True, limits=NOT_BLANK),
)
SERVICE = (
    Key("title", TEXT, "As reports call the service.", required=True, limits=NOT_BLANK),
    Key("passed", TEXT, "What a run says whose validation has passed.", required=True, limits=NOT_BLANK),
    Key("label", TEXT, "The label of its pods, such as app=api.", required=True, limits=NOT_BLANK),
    Key("container", TEXT, "Its container, unless a profile names it.", required=True, limits=NOT_BLANK),
    Key("ingress", TEXT, "The Ingress that the switch changes.", required=True, limits=NOT_BLANK),
    Key(
        "monitors",
        LIST,
        "How Prometheus calls what scrapes its pods; {namespace} stands for theirs.",
        required=True,
        limits={"minItems": 1},
    ),
    Key("green", TABLE, "What is released.", required=True, keys=COLOUR),
    Key("blue", TABLE, "What users have before the switch.", required=True, keys=COLOUR),
    Key(
        "metrics",
        TABLE,
        "Its own series.",
        required=True,
        keys=(
            Key("job", TEXT, "Their job.", required=True, limits=NOT_BLANK),
            Key("requests", TEXT, "The counter of requests.", required=True, limits=NOT_BLANK),
            Key("durations", TEXT, "The histogram of response times.", required=True, limits=NOT_BLANK),
            Key("operators", LIST, "Paths that no user asks for.", required=True),
            Key("slow", LIST, "Paths that may take longer than others.", required=True),
        ),
    ),
    Key(
        "files",
        TABLE,
        "The night's files, as patterns; {version} stands for the release's.",
        required=True,
        keys=(
            Key("backup", TEXT, "The backup, without what follows from its form.", required=True),
            Key("migration_log", TEXT, "What the migration said.", required=True),
            Key("rollback_manifests", TEXT, "The objects to go back with.", required=True),
            Key("rollback_times", TEXT, "When each step of a rollback was done.", required=True),
            Key("green_logs", TEXT, "The logs of green.", required=True),
            Key("green_pods", TEXT, "The description of green's pods.", required=True),
        ),
    ),
)
PHASE = (
    Key("title", TEXT, "As reports call it.", "Pre-flight", required=True),
    Key("budget_minutes", WHOLE, "How long the phase may take.", 5),
    Key("folder", TEXT, "Where its checks are.", "tests_preflight"),
    Key("marker", TEXT, "What pytest may also call it, with others.", "production"),
    Key("serves_users", YES_OR_NO, "Whether users are served while it lasts.", default=False),
    Key(
        "validates", YES_OR_NO, "Whether a GO of it validates the release, by a load test too.", default=False
    ),
    Key("peer", TEXT, "What a profile calls the other environment that its checks look at.", "production"),
)
LINE = (
    Key("ref", TEXT, "The item's number in the inventory.", "RB-2.7", required=True, limits=NOT_BLANK),
    Key(
        "kind",
        TEXT,
        "Who says whether it holds: a check, a check of what the runbook changes, a person, or other lines.",
        required=True,
        limits={"enum": [*KINDS]},
    ),
    Key("section", TEXT, "The section of the runbook.", required=True, limits=NOT_BLANK),
    Key(
        "seed",
        LIST,
        "The runbook's line numbers that it claims.",
        required=True,
        limits={"items": {"type": "integer"}},
    ),
    Key(
        "expected",
        TEXT,
        "What is true when it passes; {version} stands for the release's.",
        required=True,
        limits=NOT_BLANK,
    ),
    Key("next", TEXT, "What to do when it fails; all but derived lines say it."),
    Key("coming", YES_OR_NO, "The check does not exist yet: the line is `not run`.", default=False),
    Key("derived_from", LIST, "The lines or phases that a derived line follows from.", default=[]),
    Key("limits", TABLE, "Numbers that the check compares with.", default={}, limits=NUMBERS),
    Key("role", TEXT, "What the engine knows it by, not its id.", "status", limits={"enum": [*ROLES]}),
    Key(
        "checkpoint",
        TEXT,
        "The checkpoint of the 48-hour window that it belongs to.",
        "6h",
        limits=pattern(CHECKPOINT_NAME),
    ),
    Key(
        "metric",
        TABLE,
        "Of a key metric: what it measures, and which of its limits says so.",
        keys=(
            Key("name", TEXT, "As the sign-off page calls it.", required=True, limits=NOT_BLANK),
            Key("unit", TEXT, "Its unit; nothing for a number.", required=True),
            Key("limit", TEXT, "The key in `limits`.", required=True, limits=NOT_BLANK),
            Key("bound", TEXT, "Which of the two.", required=True, limits={"enum": [*BOUNDS]}),
            Key("at_least", YES_OR_NO, "Whether more is better.", default=False),
        ),
    ),
    Key(
        "slo",
        TABLE,
        "Of a load test's line: which requests are bad.",
        keys=(
            Key("measure", TEXT, "Which are counted.", required=True, limits={"enum": [*MEASURES]}),
            Key("limit", TEXT, "The key in `limits`.", required=True, limits=NOT_BLANK),
            Key("quantile", NUMBER, "Of response times: 0.95 for p95.", limits=SHARE),
            Key("only", TEXT, "The one class of users that it is about.", limits=NOT_BLANK),
            Key("apart", TEXT, "The class that has a limit of its own.", limits=NOT_BLANK),
            Key("each", YES_OR_NO, "Whether each class is judged by itself.", default=False),
        ),
    ),
    Key("waivable", YES_OR_NO, "Whether a waiver may be accepted.", default=True),
    Key(
        "optional",
        YES_OR_NO,
        "Ours, and not the runbook's: where nothing is named to compare with, it is `not counted`.",
        default=False,
    ),
    Key(
        "proof",
        LIST,
        "What the record of a person must hold.",
        default=[],
        limits={"items": {"enum": [*PROOF]}},
    ),
)
