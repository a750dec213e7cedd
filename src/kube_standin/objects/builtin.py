"""The built-in kinds, and what is peculiar to each."""

from functools import partial

from kube_standin.objects.kinds import ALL_VERBS, SCALE, STATUS, Kind, Part

CREATE_ONLY = ("create",)
PROXY_VERBS = ("create", "delete", "get", "patch", "update")

POD_PARTS = (
    Part("attach", ("create", "get"), "PodAttachOptions"),
    Part("binding", CREATE_ONLY, "Binding"),
    Part("ephemeralcontainers"),
    Part("eviction", CREATE_ONLY, "Eviction", "policy", "v1"),
    Part("exec", ("create", "get"), "PodExecOptions"),
    Part("log", ("get",)),
    Part("portforward", ("create", "get"), "PodPortForwardOptions"),
    Part("proxy", PROXY_VERBS, "PodProxyOptions"),
    Part("resize"),
    STATUS,
)

POD_FIELDS = (
    "spec.nodeName",
    "spec.restartPolicy",
    "spec.schedulerName",
    "spec.serviceAccountName",
    "spec.hostNetwork",
    "status.phase",
    "status.podIP",
    "status.nominatedNodeName",
)

EVENT_FIELDS = (
    *(
        f"involvedObject.{name}"
        for name in ("kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath")
    ),
    "reason",
    "reportingComponent",
    "source",
    "type",
)

TOKEN = Part("token", CREATE_ONLY, "TokenRequest", "authentication.k8s.io", "v1")
SERVICE_PROXY = Part("proxy", PROXY_VERBS, "ServiceProxyOptions")
EVERYTHING = ("all",)
RBAC = "rbac.authorization.k8s.io"
REVIEWS = "authorization.k8s.io"
WITHOUT_COLLECTION = tuple(verb for verb in ALL_VERBS if verb != "deletecollection")

# A workload of the group apps.
Workload = partial(Kind, "apps", "v1", categories=EVERYTHING, counts_generation=True)

BUILT_IN = (
    Kind("", "v1", "configmaps", "ConfigMap", "V1ConfigMap", short=("cm",)),
    Kind("", "v1", "endpoints", "Endpoints", "V1Endpoints", short=("ep",), created_by_update=True),
    Kind(
        "",
        "v1",
        "events",
        "Event",
        "CoreV1Event",
        short=("ev",),
        fields=EVENT_FIELDS,
        created_by_update=True,
    ),
    Kind("", "v1", "limitranges", "LimitRange", "V1LimitRange", short=("limits",), created_by_update=True),
    Kind(
        "",
        "v1",
        "namespaces",
        "Namespace",
        "V1Namespace",
        namespaced=False,
        short=("ns",),
        parts=(Part("finalize", ("update",)), STATUS),
        verbs=WITHOUT_COLLECTION,
        fields=("status.phase",),
    ),
    Kind(
        "",
        "v1",
        "nodes",
        "Node",
        "V1Node",
        namespaced=False,
        short=("no",),
        parts=(STATUS,),
        fields=("spec.unschedulable",),
    ),
    Kind(
        "",
        "v1",
        "persistentvolumeclaims",
        "PersistentVolumeClaim",
        "V1PersistentVolumeClaim",
        short=("pvc",),
        parts=(STATUS,),
        returns_deleted=True,
    ),
    Kind(
        "",
        "v1",
        "pods",
        "Pod",
        "V1Pod",
        short=("po",),
        categories=EVERYTHING,
        parts=POD_PARTS,
        counts_generation=True,
        returns_deleted=True,
        fields=POD_FIELDS,
    ),
    Kind(
        "",
        "v1",
        "resourcequotas",
        "ResourceQuota",
        "V1ResourceQuota",
        short=("quota",),
        parts=(STATUS,),
        returns_deleted=True,
    ),
    Kind("", "v1", "secrets", "Secret", "V1Secret", fields=("type",)),
    Kind(
        "",
        "v1",
        "serviceaccounts",
        "ServiceAccount",
        "V1ServiceAccount",
        short=("sa",),
        parts=(TOKEN,),
        returns_deleted=True,
    ),
    Kind(
        "",
        "v1",
        "services",
        "Service",
        "V1Service",
        short=("svc",),
        categories=EVERYTHING,
        parts=(SERVICE_PROXY, STATUS),
        created_by_update=True,
        returns_deleted=True,
        fields=("spec.clusterIP", "spec.type"),
    ),
    Kind(
        "apiextensions.k8s.io",
        "v1",
        "customresourcedefinitions",
        "CustomResourceDefinition",
        "V1CustomResourceDefinition",
        namespaced=False,
        short=("crd", "crds"),
        categories=("api-extensions",),
        parts=(STATUS,),
        counts_generation=True,
    ),
    Workload("daemonsets", "DaemonSet", "V1DaemonSet", short=("ds",), parts=(STATUS,)),
    Workload(
        "deployments",
        "Deployment",
        "V1Deployment",
        short=("deploy",),
        parts=(SCALE, STATUS),
        annotations_count=True,
    ),
    Workload(
        "replicasets",
        "ReplicaSet",
        "V1ReplicaSet",
        short=("rs",),
        parts=(SCALE, STATUS),
        fields=("status.replicas",),
    ),
    Workload("statefulsets", "StatefulSet", "V1StatefulSet", short=("sts",), parts=(SCALE, STATUS)),
    Kind(
        "authentication.k8s.io",
        "v1",
        "selfsubjectreviews",
        "SelfSubjectReview",
        "V1SelfSubjectReview",
        namespaced=False,
        verbs=CREATE_ONLY,
    ),
    *(
        Kind(REVIEWS, "v1", f"{name.lower()}s", name, f"V1{name}", namespaced=namespaced, verbs=CREATE_ONLY)
        for name, namespaced in (
            ("LocalSubjectAccessReview", True),
            ("SelfSubjectAccessReview", False),
            ("SelfSubjectRulesReview", False),
            ("SubjectAccessReview", False),
        )
    ),
    *(
        Kind(
            "autoscaling",
            version,
            "horizontalpodautoscalers",
            "HorizontalPodAutoscaler",
            f"{version.upper()}HorizontalPodAutoscaler",
            short=("hpa",),
            categories=EVERYTHING,
            parts=(STATUS,),
        )
        for version in ("v2", "v1")  # the first is the one that objects are stored in
    ),
    Kind(
        "batch",
        "v1",
        "cronjobs",
        "CronJob",
        "V1CronJob",
        short=("cj",),
        categories=EVERYTHING,
        parts=(STATUS,),
        counts_generation=True,
    ),
    Kind(
        "batch",
        "v1",
        "jobs",
        "Job",
        "V1Job",
        categories=EVERYTHING,
        parts=(STATUS,),
        counts_generation=True,
        fields=("status.successful",),
    ),
    Kind(
        "discovery.k8s.io", "v1", "endpointslices", "EndpointSlice", "V1EndpointSlice", counts_generation=True
    ),
    Kind(
        "networking.k8s.io",
        "v1",
        "ingresses",
        "Ingress",
        "V1Ingress",
        short=("ing",),
        parts=(STATUS,),
        counts_generation=True,
    ),
    Kind(
        "networking.k8s.io",
        "v1",
        "networkpolicies",
        "NetworkPolicy",
        "V1NetworkPolicy",
        short=("netpol",),
        counts_generation=True,
    ),
    Kind(
        "policy",
        "v1",
        "poddisruptionbudgets",
        "PodDisruptionBudget",
        "V1PodDisruptionBudget",
        short=("pdb",),
        parts=(STATUS,),
        counts_generation=True,
    ),
    *(
        Kind(RBAC, "v1", f"{name.lower()}s", name, f"V1{name}", namespaced=namespaced, created_by_update=True)
        for name, namespaced in (
            ("ClusterRoleBinding", False),
            ("ClusterRole", False),
            ("RoleBinding", True),
            ("Role", True),
        )
    ),
    Kind(
        "scheduling.k8s.io",
        "v1",
        "priorityclasses",
        "PriorityClass",
        "V1PriorityClass",
        namespaced=False,
        short=("pc",),
        counts_generation=True,
    ),
)
