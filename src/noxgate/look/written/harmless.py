"""What everybody reads of a run: without a secret, and without what would act in place of being shown."""

import re

from noxgate.look.secret import Scrubber

# What moves a terminal's cursor or turns a line's direction around; tabs and the ends of lines stay.
_ACTS = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]|\r(?!\n)"
)


def harmless(text: str) -> str:
    """The text, in which each character that would act on a terminal or on a page is spelled out."""
    return _ACTS.sub(lambda found: ascii(found[0])[1:-1], text)


class ReportScrubber(Scrubber):
    """For reports and consoles: a target's words must not rewrite the line that they stand on."""

    def scrub(self, text: str, *, people: bool = True) -> str:
        """The text as it may be shown. Secrets are looked for first: one may hold such a character."""
        return harmless(super().scrub(text, people=people))
