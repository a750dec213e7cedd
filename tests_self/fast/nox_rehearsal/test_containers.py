"""The rehearsal's container metrics."""

from nox_rehearsal.parts import containers


def test_container_metrics() -> None:
    """Limits in bytes and cores; a pod without a process has no use."""
    limits = {"resources": {"limits": {"cpu": "500m", "memory": "1Gi"}}}
    pod = {
        "metadata": {"namespace": "n", "name": "p"},
        "spec": {"containers": [{"name": "c", **limits}]},
        "status": {"conditions": [{"type": "Ready", "status": "True"}]},
    }

    lines = list(containers.exposition([pod], {}, {}))

    limit = 'kube_pod_container_resource_limits{namespace="n",pod="p",container="c"'
    assert lines == [
        'kube_pod_status_ready{namespace="n",pod="p",condition="true"} 1',
        f'{limit},resource="cpu",unit="core"}} 0.5',
        f'{limit},resource="memory",unit="byte"}} 1073741824.0',
    ]
