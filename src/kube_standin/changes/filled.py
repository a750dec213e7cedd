"""The fields that objects get by default."""

from kube_standin.wire.answers import Json

FILE_MODE = 0o644


# type -> fields that it has by default
PLAIN: dict[str, Json] = {
    "ConfigMapVolumeSource": {"defaultMode": FILE_MODE},
    "Container": {"terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File"},
    "ContainerPort": {"protocol": "TCP"},
    "CronJobSpec": {
        "concurrencyPolicy": "Allow",
        "suspend": False,
        "successfulJobsHistoryLimit": 3,
        "failedJobsHistoryLimit": 1,
    },
    "CustomResourceDefinitionSpec": {"conversion": {"strategy": "None"}},
    "DaemonSetSpec": {"revisionHistoryLimit": 10},
    "DeploymentSpec": {"replicas": 1, "revisionHistoryLimit": 10, "progressDeadlineSeconds": 600},
    "DownwardAPIVolumeSource": {"defaultMode": FILE_MODE},
    "EndpointPort": {"name": "", "protocol": "TCP"},
    "EphemeralContainer": {
        "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "File",
    },
    "HTTPGetAction": {"path": "/", "scheme": "HTTP"},
    "HorizontalPodAutoscalerSpec": {"minReplicas": 1},
    "HostPathVolumeSource": {"type": ""},
    "JobSpec": {
        "parallelism": 1,
        "completions": 1,
        "backoffLimit": 6,
        "completionMode": "NonIndexed",
        "suspend": False,
        "podReplacementPolicy": "TerminatingOrFailed",
    },
    "NamespaceSpec": {"finalizers": ["kubernetes"]},
    "NetworkPolicyPort": {"protocol": "TCP"},
    "ObjectFieldSelector": {"apiVersion": "v1"},
    "PersistentVolumeClaimSpec": {"volumeMode": "Filesystem"},
    "PodSpec": {
        "restartPolicy": "Always",
        "terminationGracePeriodSeconds": 30,
        "dnsPolicy": "ClusterFirst",
        "securityContext": {},
        "schedulerName": "default-scheduler",
    },
    "Probe": {"timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3},
    "PriorityClass": {"preemptionPolicy": "PreemptLowerPriority"},
    "ProjectedVolumeSource": {"defaultMode": FILE_MODE},
    "ReplicaSetSpec": {"replicas": 1},
    "RoleRef": {"apiGroup": "rbac.authorization.k8s.io"},
    "Secret": {"type": "Opaque"},
    "SecretVolumeSource": {"defaultMode": FILE_MODE},
    "ServiceAccountTokenProjection": {"expirationSeconds": 3600},
    "ServicePort": {"protocol": "TCP"},
    "StatefulSetPersistentVolumeClaimRetentionPolicy": {"whenDeleted": "Retain", "whenScaled": "Retain"},
    "StatefulSetSpec": {
        "podManagementPolicy": "OrderedReady",
        "replicas": 1,
        "revisionHistoryLimit": 10,
    },
}


# Kinds whose spec and status Go writes even when they are empty
WITH_STATUS = (
    "CronJob",
    "DaemonSet",
    "Deployment",
    "HorizontalPodAutoscaler",
    "Ingress",
    "Job",
    "Namespace",
    "Node",
    "PersistentVolumeClaim",
    "Pod",
    "PodDisruptionBudget",
    "ReplicaSet",
    "ResourceQuota",
    "Service",
    "StatefulSet",
)
# type -> fields that Go writes even when they are empty
ALWAYS: dict[str, Json] = {
    **{kind: {"spec": {}, "status": {}} for kind in WITH_STATUS},
    "NetworkPolicy": {"spec": {}},
    "Container": {"resources": {}},
    "ContainerStatus": {
        "state": {},
        "lastState": {},
        "ready": False,
        "restartCount": 0,
        "image": "",
        "imageID": "",
    },
    "DeploymentCondition": {"lastUpdateTime": None, "lastTransitionTime": None},
    "CronJobSpec": {"jobTemplate": {}},
    "DaemonSetSpec": {"template": {}, "updateStrategy": {}},
    "DaemonSetStatus": {
        "currentNumberScheduled": 0,
        "numberMisscheduled": 0,
        "desiredNumberScheduled": 0,
        "numberReady": 0,
    },
    "DeploymentSpec": {"template": {}, "strategy": {}},
    "Event": {
        "source": {},
        "firstTimestamp": None,
        "lastTimestamp": None,
        "eventTime": None,
        "reportingComponent": "",
        "reportingInstance": "",
    },
    "HorizontalPodAutoscalerCondition": {"lastTransitionTime": None},
    "HorizontalPodAutoscalerStatus": {"desiredReplicas": 0, "currentMetrics": None},
    "IngressStatus": {"loadBalancer": {}},
    "PersistentVolumeClaimSpec": {"resources": {}},
    "PodCondition": {"lastProbeTime": None, "lastTransitionTime": None},
    "PodDisruptionBudgetStatus": {
        "disruptionsAllowed": 0,
        "currentHealthy": 0,
        "desiredHealthy": 0,
        "expectedPods": 0,
    },
    "JobSpec": {"template": {}},
    "JobTemplateSpec": {"metadata": {}, "spec": {}},
    "PodTemplateSpec": {"metadata": {}, "spec": {}},
    "ReplicaSetStatus": {"replicas": 0},
    "Role": {"rules": None},
    "ClusterRole": {"rules": None},
    "LimitRange": {"spec": {}},
    "LimitRangeSpec": {"limits": None},
    "PriorityClass": {"value": 0},
    "ServiceStatus": {"loadBalancer": {}},
    "StatefulSetSpec": {
        "template": {},
        "updateStrategy": {},
        "persistentVolumeClaimRetentionPolicy": {},
    },
    "StatefulSetStatus": {"replicas": 0, "availableReplicas": 0},
}
