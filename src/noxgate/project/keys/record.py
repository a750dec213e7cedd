"""The keys of the release record, `release.toml`, and of `waivers.toml`."""

from datetime import date

from noxgate.project.keys.key import LIST, TABLE, TEXT, WHOLE, Key, ValueForm

SHIPS = ValueForm("a date, as 2025-08-15", date, {"type": "string", "format": "date"})
EXPIRES = ValueForm("a date such as 2026-01-31", date, {"type": "string", "format": "date"})

REACHED_BY = (
    Key("name", TEXT, "Who it is.", "Ada Lindqvist"),
    Key("telephone", TEXT, "Where somebody answers.", "+46 8 123 48 16"),
    Key("slack", TEXT, "As @name.", "@ada"),
)
CONTACT = (*REACHED_BY, Key("key", TEXT, "The public key that is theirs.", "keys/ada.pub"))
CONTACTS = (
    Key("on_call", TABLE, "Who is on call.", keys=CONTACT),
    Key("devops_lead", TABLE, "Who leads operations.", keys=CONTACT),
    Key("database_administrator", TABLE, "Who may change the database.", keys=CONTACT),
    Key("product_owner", TABLE, "Who may accept a failure.", keys=CONTACT),
)
LINKS = tuple(Key(name, TEXT, "Where people look.") for name in ("grafana", "sentry", "elk", "wiki"))
BEFORE = (
    Key("version", TEXT, "The last version before this one that was under load.", "7.9.3"),
    Key("load_results", TEXT, "The folder of its results, seen from the record.", "../reports/7.9.3/load"),
)
RECORD_KEYS = (
    Key("version", TEXT, "The version that ships.", "8.0.0"),
    Key("date", SHIPS, "The day."),
    Key("on_call", TEXT, "Who is on call."),
    Key("planned_minutes", WHOLE, "How long it is planned to take.", 50),
    Key("checklist", TEXT, "The checklist, in the release repository."),
    Key("channels", LIST, "Where people are told.", ["#ops-alerts"]),
    Key("people", LIST, "Who else may attest.", ["Ada Lindqvist"]),
    Key("contacts", TABLE, "Whom to call.", keys=CONTACTS),
    Key("links", TABLE, "Where people look.", keys=LINKS),
    Key("measured_before", TABLE, "What a load test is compared with.", keys=BEFORE),
)
WAIVER = (
    Key("line", TEXT, "The line that failed.", "PHASE.NAME", required=True),
    Key("owner", TEXT, "Who answers for it.", "Deniz Aydin", required=True),
    Key("reason", TEXT, "Why it is accepted.", required=True),
    Key("expires", EXPIRES, "The last day on which it counts.", required=True),
)
