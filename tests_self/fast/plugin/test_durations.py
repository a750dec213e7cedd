"""Times of the report: one form for all of them."""

from types import SimpleNamespace

import pytest

from noxgate.plugin.html import HtmlReport


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.0, "0 ms"),
        (0.029, "29 ms"),
        (0.97, "1.0 s"),
        (2.1, "2.1 s"),
        (125, "2 min 05 s"),
        (3720, "1 h 02 min"),
    ],
)
def test_a_time_is_told_in_words(seconds: float, said: str) -> None:
    told = HtmlReport(SimpleNamespace()).pytest_html_duration_format(seconds)  # type: ignore[arg-type]
    assert told == f'<data value="{round(seconds * 1000):010}">{said}</data>'  # by which the page sorts
