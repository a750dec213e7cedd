"""What a switch may change of an Ingress, and what others write on it meanwhile."""

import json
from typing import Any

import pytest
from tests_self.service import BLUE, GREEN, INGRESS, SERVICE

from noxgate.blue_green.switching import unwanted_changes

Json = dict[str, Any]
RANCHERS, GKES = "field.cattle.io/publicEndpoints", "ingress.kubernetes.io/backends"


def ingress(service: str, **notes: str) -> Json:
    backend = {"service": {"name": service, "port": {"number": 80}}}
    rule = {"host": "api.nox.example", "http": {"paths": [{"pathType": "Prefix", "backend": backend}]}}
    return {"metadata": {"name": INGRESS, "annotations": notes}, "spec": {"rules": [rule]}}


def endpoints(service: str) -> str:
    """As Rancher notes it of each Ingress."""
    one = {"addresses": ["10.0.0.7"], "port": 443, "serviceName": f"nox:{service}", "path": "/"}
    return json.dumps([one])


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({RANCHERS: endpoints(BLUE)}, {RANCHERS: endpoints(GREEN)}),
        ({}, {RANCHERS: endpoints(GREEN)}),  # of what was shipped, and not saved
        ({GKES: '{"k8s-be-30301--a":"HEALTHY"}'}, {GKES: '{"k8s-be-30302--a":"Unknown"}'}),
        ({}, {"ingress.kubernetes.io/url-map": "k8s-um-nox"}),
        ({"kapp.k14s.io/original": "{}"}, {"kapp.k14s.io/original": '{"spec":{}}'}),
    ],
)
def test_what_controllers_note_of_themselves(before: dict[str, str], after: dict[str, str]) -> None:
    found = unwanted_changes(ingress(GREEN, **after), ingress(BLUE, **before), SERVICE, GREEN)

    assert found == {}


@pytest.mark.parametrize("lost", ["ssl-redirect", "proxy-body-size", "rewrite-target"])
@pytest.mark.parametrize("prefix", ["nginx.ingress.kubernetes.io", "ingress.kubernetes.io"])
def test_an_annotation_that_got_lost(prefix: str, lost: str) -> None:
    """HAProxy's and Traefik's have the prefix of GKE's notes."""
    before = ingress(BLUE, **{f"{prefix}/{lost}": "true"})

    assert unwanted_changes(ingress(GREEN), before, SERVICE, GREEN) == {"annotations": {}}
