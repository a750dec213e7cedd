"""Kubernetes' official client, imported for those who look, and before the time of a look begins.

That takes half a second, for a port-forward a whole one, and many times as long on a busy machine: counted as
time without an answer, it would say something false of the API server.
"""

from importlib import import_module

LOOKING = ("kubernetes.config", "kubernetes.client.api_client", "kubernetes.client.configuration")
FORWARDING = (*LOOKING, "kubernetes.client.api.core_v1_api", "kubernetes.stream")


def for_looking() -> None:
    _import(LOOKING)


def for_forwarding() -> None:
    _import(FORWARDING)


def _import(modules: tuple[str, ...]) -> None:
    for module in modules:
        import_module(module)
