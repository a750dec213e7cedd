"""What a pod spec asks of its namespace, in every place where it can ask."""

from typing import Any

import pytest
from tests_self.service import CONTAINER

from noxgate.systems.kubernetes.pod_spec import Reference, references, variables, wholes


def secret(name: str, key: str, **more: Any) -> dict[str, Any]:
    return {"valueFrom": {"secretKeyRef": {"name": name, "key": key, **more}}}


def test_references_of_every_place() -> None:
    """Containers, those of the start, volumes, projected ones; the variables are the application's own."""
    setting = {"valueFrom": {"configMapKeyRef": {"name": "c", "key": "k"}}}
    spec = {
        "initContainers": [{"name": "i", "env": [{"name": "A", **secret("start", "a")}]}],
        "containers": [
            {"name": "mesh", "env": [{"name": "A", **secret("s", "a")}, {"name": "B", "value": "1"}]},
            {
                "name": "nox-api",
                "env": [{"name": "C", **setting}, {"name": "B", "value": "2"}],
                "envFrom": [
                    {"prefix": "P_", "secretRef": {"name": "whole"}},
                    {"configMapRef": {"name": "all"}},
                ],
            },
        ],
        "volumes": [
            {"name": "v", "secret": {"secretName": "mounted", "items": [{"key": "tls.crt", "path": "x"}]}},
            {"name": "w", "projected": {"sources": [{"configMap": {"name": "projected"}}]}},
        ],
        "imagePullSecrets": [{"name": "registry"}],
    }

    assert references(spec) == [
        Reference("ConfigMap", "all", None),
        Reference("ConfigMap", "c", "k", "C"),
        Reference("ConfigMap", "projected", None),
        Reference("Secret", "mounted", "tls.crt"),
        Reference("Secret", "s", "a", "A"),
        Reference("Secret", "start", "a", "A"),
        Reference("Secret", "whole", None),
    ]
    assert variables(spec, CONTAINER) == {"B": "2", "C": Reference("ConfigMap", "c", "k", "C")}
    assert wholes(spec, CONTAINER) == [
        ("P_", Reference("Secret", "whole", None)),
        ("", Reference("ConfigMap", "all", None)),
    ]


def test_what_is_optional_is_not_needed() -> None:
    spec = {
        "containers": [
            {
                "name": "x",
                "env": [{"name": "A", **secret("s", "a", optional=True)}],
                "envFrom": [{"secretRef": {"name": "whole", "optional": True}}],
            }
        ],
        "volumes": [{"name": "v", "secret": {"secretName": "mounted", "optional": True}}],
    }

    assert references(spec) == []
    assert references(spec, optional=True) == [
        Reference("Secret", "mounted", None),
        Reference("Secret", "s", "a", "A"),
        Reference("Secret", "whole", None),
    ]
    assert variables(spec, CONTAINER) == {"A": Reference("Secret", "s", "a", "A")}
    assert [whole.optional for _, whole in wholes(spec, CONTAINER)] == [True]


@pytest.mark.parametrize("spec", [{}, {"containers": []}, {"containers": [{"name": "x", "env": None}]}])
def test_nothing_is_asked(spec: dict[str, Any]) -> None:
    assert references(spec) == []
    assert variables(spec, CONTAINER) == {}


def test_volumes_that_are_mounted_with_a_secret() -> None:
    """Without it the pod does not start; a driver that needs no secret names no secret."""
    spec = {
        "containers": [{"name": "nox-api"}],
        "volumes": [
            {"name": "a", "csi": {"driver": "x", "nodePublishSecretRef": {"name": "vault-login"}}},
            {"name": "b", "azureFile": {"secretName": "share", "shareName": "nox"}},
            {"name": "c", "cephfs": {"monitors": ["x"], "secretRef": {"name": "ceph"}}},
            {"name": "d", "csi": {"driver": "secrets-store.csi.k8s.io"}},
            {"name": "e", "emptyDir": {}},
        ],
    }

    assert [each.name for each in references(spec)] == ["ceph", "share", "vault-login"]
