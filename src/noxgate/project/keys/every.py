"""Every key of a profile, in one order: that of messages, of the page and of the schema."""

from noxgate.project.keys import evidence, places, release
from noxgate.project.keys.key import Key

TOPICS = (
    places.TARGET,
    places.UNDER_LOAD,
    places.API,
    places.CLUSTER_KEYS,
    places.TOOLS,
    release.REPOSITORY,
    release.FILES,
    release.WATCHED,
    release.COMMANDS,
    evidence.TRUST,
    evidence.ACCESS,
)
KEYS: dict[str, Key] = {key.name: key for topic in TOPICS for key in topic.keys}
