"""Which other Ingresses take requests: by their addresses, and by what their controllers are told."""

from typing import Any

import pytest

from noxgate.blue_green.traffic import rivals

Json = dict[str, Any]
CANARY, KONG = "nginx.ingress.kubernetes.io/canary", "konghq.com/headers."
HOST = "api.nox.example"


def ingress(name: str, host: str | None, address: str = "", of: str = "public", **notes: str) -> Json:
    """With one path, an address, a class, and annotations."""
    backend = {"service": {"name": name, "port": {"number": 80}}}
    rule = {"http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}}
    return {
        "metadata": {"name": name, "namespace": "nox", "annotations": notes},
        "spec": {"ingressClassName": of, "rules": [rule | ({"host": host} if host else {})]},
        "status": {"loadBalancer": {"ingress": [{"hostname": address}] if address else []}},
    }


@pytest.mark.parametrize(
    ("our_host", "their_host", "addresses", "is_rival"),
    [
        (None, None, ("a.elb.example", "b.elb.example"), False),  # of two load balancers
        (None, "shop.example", ("a.elb.example", "b.elb.example"), False),
        ("*.nox.example", HOST, ("a.elb.example", "b.elb.example"), False),
        (None, None, ("a.elb.example", "a.elb.example"), True),
        (None, "shop.example", ("a.elb.example", "a.elb.example"), True),
        (None, None, ("", "b.elb.example"), True),  # where it will be is not known
        (HOST, HOST, ("a.elb.example", "b.elb.example"), True),  # DNS may lead to either
    ],
)
def test_addresses_of_their_own(
    our_host: str | None, their_host: str | None, addresses: tuple[str, str], *, is_rival: bool
) -> None:
    ours, other = ingress("ours", our_host, addresses[0]), ingress("other", their_host, addresses[1])

    assert bool(rivals(ours, [ours, other])) is is_rival


@pytest.mark.parametrize(
    ("notes", "is_rival"),
    [
        ({CANARY: "True", f"{CANARY}-weight": "0"}, False),
        ({CANARY: "1", f"{CANARY}-weight": "00"}, False),
        ({CANARY: "True", f"{CANARY}-weight": "5"}, True),
        ({CANARY: "yes", f"{CANARY}-weight": "0"}, True),  # not a bool to Go, so not a canary
        ({CANARY: "true", f"{CANARY}-by-header": "x-tester", f"{CANARY}-by-header-value": "1"}, False),
        ({CANARY: "true", f"{CANARY}-by-header": "User-Agent", f"{CANARY}-by-header-pattern": ".*"}, True),
        ({CANARY: "true", f"{CANARY}-by-header": "Cookie", f"{CANARY}-by-header-value": "a=1"}, True),
        ({CANARY: "true", f"{CANARY}-by-header": "Cookie"}, False),  # it would have to say always
        ({f"{KONG}x-tester": "green"}, False),
        ({f"{KONG}Authorization": "~*Bearer"}, True),
        ({f"{KONG}sec-fetch-mode": "navigate"}, True),
        ({"konghq.com/strip-path": "true"}, True),
    ],
)
def test_a_share_of_the_requests(notes: dict[str, str], *, is_rival: bool) -> None:
    """Those that bring a header of their own are testers'; what every browser sends is everybody's."""
    of = "kong" if any(note.startswith(KONG) for note in notes) else "public"
    ours, other = ingress("ours", HOST, of=of), ingress("other", HOST, of=of, **notes)

    assert bool(rivals(ours, [ours, other])) is is_rival


def test_what_another_controller_does_not_heed() -> None:
    """Kong's annotation on an Ingress of ingress-nginx: it takes all requests."""
    ours, other = ingress("ours", HOST), ingress("other", HOST, **{f"{KONG}x-tester": "green"})

    assert rivals(ours, [ours, other]) != {}
