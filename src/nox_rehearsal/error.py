"""What goes wrong in a rehearsal, in one clear line."""

from noxgate.errors import OneLineError


class RehearsalError(OneLineError):
    """What was expected, what was seen, what to do."""


class PortTakenError(RehearsalError):
    """Another program took a port between choosing it and listening on it: start again with other ports."""
