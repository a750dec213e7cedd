"""A picture's numbers give no token away, although both have the digits of one moment."""

import base64
import json

from noxgate.look.secret import Scrubber, Secret
from noxgate.reports.pictures import address

TIMES = {"sub": "1", "role": "user", "exp": 1796203020, "aud": "nox", "nbf": 1796199420}


def token() -> str:
    """As a JWT is: its claims are in base64."""
    parts = ({"alg": "HS256", "typ": "JWT"}, TIMES)
    said = [base64.urlsafe_b64encode(json.dumps(one).encode()).decode().rstrip("=") for one in parts]
    return ".".join([*said, "c2lnbmF0dXJl"])


def test_numbers_of_a_picture_are_no_token() -> None:
    """Those of the same digits in base64 were taken for it, which is why pictures are not."""
    scrubber = Scrubber([Secret("TEST_TOKEN", token())])
    svg = "".join(
        f'<svg d="{"0" * shift}179620, 1796199 L 31.796203" title="e\'é"/>' for shift in range(3)
    ).encode()

    assert scrubber.gives_away(base64.b64encode(svg).decode()) == "$TEST_TOKEN"
    assert scrubber.gives_away(f"<img src='{address(svg)}'>") is None
    assert scrubber.gives_away(f"<img src='{address(token().encode())}'>") == "$TEST_TOKEN"
    assert not {"'", '"', "<", ">", " "} & set(address(svg))
