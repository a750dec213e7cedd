"""The keys of `load/ramps.toml`; its own first lines say what they mean at more length."""

from noxgate.project.keys.key import LIST, NUMBER, TEXT, WHOLE, YES_OR_NO, Key

RAMP = (
    Key("what", TEXT, "What it is for, in a line.", required=True),
    Key("levels", LIST, "In turn: how many users, for how long.", required=True),
    Key("fall", NUMBER, "Seconds from the last level to 0 users.", 5, required=True),
    Key("window", WHOLE, "Seconds by which bad requests are counted.", 5, required=True),
    Key(
        "think",
        LIST,
        "Seconds between two requests of a user.",
        [1, 4],
        default=[0, 0],
    ),
    Key("rate", NUMBER, "Requests a second, at any speed of the target.", default=0),
    Key("new_jobs", WHOLE, "Inputs that were not asked for before, on each hold.", default=1),
    Key("methods", LIST, "The requests by which they are asked for.", default=[]),
    Key("evidence", YES_OR_NO, "Whether it proves an SLO of a real target.", default=True),
    Key("lag_ms", NUMBER, "How late the generator may run.", 5, required=True),
    Key("cpu_percent", NUMBER, "Of one core, that a process of it may use.", 70, required=True),
)
LEVEL = (
    Key("users", WHOLE, "How many.", 100, required=True),
    Key("rise", NUMBER, "Seconds to reach them.", 30, required=True),
    Key("hold", WHOLE, "Seconds with all of them.", 300, required=True),
    Key("judged", TEXT, 'By "all" SLOs, or by "5xx" alone.', default="all"),
)
