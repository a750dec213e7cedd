"""Objects that the tests create."""

from typing import Any

Json = dict[str, Any]


def deployment(name: str = "nox-api", **spec: Any) -> Json:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "labels": {"app": "nox-api"}},
        "spec": {
            "replicas": 3,
            "selector": {"matchLabels": {"app": "nox-api"}},
            "template": {
                "metadata": {"labels": {"app": "nox-api"}},
                "spec": {
                    "containers": [
                        {
                            "name": "nox-api",
                            "image": "nox-api:v8.0.0",
                            "ports": [{"containerPort": 3000}, {"containerPort": 3001}],
                            "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
                        },
                        {"name": "sidecar", "image": "sidecar:1"},
                    ]
                },
            },
            **spec,
        },
    }


def ingress(name: str = "nox-api-ingress") -> Json:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": name},
        "spec": {
            "rules": [
                {
                    "host": "api.example.com",
                    "http": {"paths": [ingress_path(path, "blue") for path in ("/health", "/")]},
                }
            ]
        },
    }


def ingress_path(path: str, service: str) -> Json:
    backend = {"service": {"name": service, "port": {"number": 80}}}
    return {"path": path, "pathType": "Prefix", "backend": backend}


def config_map(name: str = "settings", **data: str) -> Json:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def pod(name: str = "nox-api-0", **labels: str) -> Json:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {"app": "nox-api", **labels}},
        "spec": {
            "containers": [
                {
                    "name": "nox-api",
                    "image": "nox-api:v8.0.0",
                    "ports": [{"name": "http", "containerPort": 3000}],
                }
            ]
        },
    }


def running(ip: str = "10.1.0.1") -> Json:
    """A pod's status when it runs and is ready."""
    return {
        "status": {
            "phase": "Running",
            "podIP": ip,
            "conditions": [{"type": "Ready", "status": "True"}],
            "containerStatuses": [
                {
                    "name": "nox-api",
                    "ready": True,
                    "restartCount": 0,
                    "image": "nox-api:v8.0.0",
                    "imageID": "registry/nox-api@sha256:aa",
                    "state": {"running": {"startedAt": "2026-01-01T00:00:00Z"}},
                }
            ],
        }
    }


def service(name: str = "nox-api", **spec: Any) -> Json:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {
            "selector": {"app": "nox-api"},
            "ports": [{"name": "http", "port": 80, "targetPort": 3000}],
            **spec,
        },
    }


def endpoint_slice(service_name: str, *addresses: str, ready: bool = True) -> Json:
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {"name": f"{service_name}-1", "labels": {"kubernetes.io/service-name": service_name}},
        "addressType": "IPv4",
        "endpoints": [{"addresses": [address], "conditions": {"ready": ready}} for address in addresses],
        "ports": [{"name": "http", "port": 3000, "protocol": "TCP"}],
    }


def role(name: str, *rules: Json) -> Json:
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "Role",
        "metadata": {"name": name},
        "rules": list(rules),
    }


def binding(name: str, role_name: str, kind: str = "Role") -> Json:
    """A role, or a cluster role, bound to the reader."""
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": {"name": name},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": role_name},
        "subjects": [{"kind": "User", "name": "release-gate"}],
    }


def definition() -> Json:
    """A custom kind as Prometheus' operator has it."""
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "podmonitors.monitoring.coreos.com"},
        "spec": {
            "group": "monitoring.coreos.com",
            "scope": "Namespaced",
            "names": {"plural": "podmonitors", "kind": "PodMonitor", "shortNames": ["pmon"]},
            "versions": [
                {
                    "name": "v1",
                    "served": True,
                    "storage": True,
                    "schema": {
                        "openAPIV3Schema": {
                            "type": "object",
                            "required": ["spec"],
                            "properties": {
                                "spec": {
                                    "type": "object",
                                    "required": ["selector"],
                                    "properties": {
                                        "jobLabel": {"type": "string"},
                                        "interval": {"type": "string", "default": "30s"},
                                        "limit": {"type": "integer", "minimum": 1},
                                        "selector": {
                                            "type": "object",
                                            "x-kubernetes-preserve-unknown-fields": True,
                                        },
                                    },
                                }
                            },
                        }
                    },
                    "additionalPrinterColumns": [
                        {"name": "Job", "type": "string", "jsonPath": ".spec.jobLabel"}
                    ],
                }
            ],
        },
    }
