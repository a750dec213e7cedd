"""How the lists and maps of the built-in types merge: what the real server reads from its source's tags."""

# (type, field) -> the key by which a strategic merge patch finds an item; "" for a list of plain values
STRATEGIC: dict[tuple[str, str], str] = {
    ("Container", "env"): "name",
    ("Container", "ports"): "containerPort",
    ("Container", "volumeDevices"): "devicePath",
    ("Container", "volumeMounts"): "mountPath",
    ("DaemonSetStatus", "conditions"): "type",
    ("DeploymentStatus", "conditions"): "type",
    ("EphemeralContainer", "env"): "name",
    ("EphemeralContainer", "volumeMounts"): "mountPath",
    ("HorizontalPodAutoscalerStatus", "conditions"): "type",
    ("JobStatus", "conditions"): "type",
    ("NamespaceStatus", "conditions"): "type",
    ("NodeStatus", "addresses"): "type",
    ("NodeStatus", "conditions"): "type",
    ("ObjectMeta", "finalizers"): "",
    ("ObjectMeta", "ownerReferences"): "uid",
    ("PersistentVolumeClaimStatus", "conditions"): "type",
    ("PodDisruptionBudgetStatus", "conditions"): "type",
    ("PodSpec", "containers"): "name",
    ("PodSpec", "ephemeralContainers"): "name",
    ("PodSpec", "hostAliases"): "ip",
    ("PodSpec", "imagePullSecrets"): "name",
    ("PodSpec", "initContainers"): "name",
    ("PodSpec", "resourceClaims"): "name",
    ("PodSpec", "schedulingGates"): "name",
    ("PodSpec", "topologySpreadConstraints"): "topologyKey",
    ("PodSpec", "volumes"): "name",
    ("PodStatus", "conditions"): "type",
    ("PodStatus", "podIPs"): "ip",
    ("PodStatus", "hostIPs"): "ip",
    ("ReplicaSetStatus", "conditions"): "type",
    ("ServiceAccount", "imagePullSecrets"): "name",
    ("ServiceAccount", "secrets"): "name",
    ("ServiceSpec", "ports"): "port",
    ("ServiceStatus", "conditions"): "type",
    ("StatefulSetStatus", "conditions"): "type",
}

# A patch of these lists or structures may say $retainKeys: the others go
RETAIN_KEYS = frozenset(
    {("PodSpec", "volumes"), ("PodSpec", "resourceClaims"), ("DeploymentSpec", "strategy")}
)

# (type, field) -> the keys by which a server-side apply finds an item, where they are not the one above
APPLY: dict[tuple[str, str], tuple[str, ...]] = {
    ("Container", "ports"): ("containerPort", "protocol"),
    ("CustomResourceDefinitionStatus", "conditions"): ("type",),
    ("EphemeralContainer", "ports"): ("containerPort", "protocol"),
    ("PodSpec", "topologySpreadConstraints"): ("topologyKey", "whenUnsatisfiable"),
    ("ResourceRequirements", "claims"): ("name",),
    ("ServiceSpec", "ports"): ("port", "protocol"),
}
# Merged by a patch, and yet whole for an apply
ATOMIC_FOR_APPLY = frozenset({("PodStatus", "hostIPs")})
# The value of a key that an item leaves out
KEY_DEFAULTS = {"protocol": "TCP"}

# Structures and maps that have one owner and are replaced whole by an apply
ATOMIC_TYPES = frozenset(
    {
        "ConfigMapKeySelector",
        "LabelSelector",
        "LocalObjectReference",
        "NodeSelector",
        "NodeSelectorTerm",
        "ObjectFieldSelector",
        "ObjectReference",
        "ResourceFieldSelector",
        "RoleRef",
        "ScopeSelector",
        "SecretKeySelector",
        "SecretReference",
        "TypedLocalObjectReference",
    }
)
ATOMIC_MAPS = frozenset({("PodSpec", "nodeSelector"), ("ServiceSpec", "selector")})

# Fields that hold a quantity, which JSON may give as a number and which is stored in its shortest form
QUANTITIES = frozenset(
    {
        ("ContainerStatus", "allocatedResources"),
        ("EmptyDirVolumeSource", "sizeLimit"),
        ("LimitRangeItem", "default"),
        ("LimitRangeItem", "defaultRequest"),
        ("LimitRangeItem", "max"),
        ("LimitRangeItem", "maxLimitRequestRatio"),
        ("LimitRangeItem", "min"),
        ("MetricTarget", "averageValue"),
        ("MetricTarget", "value"),
        ("MetricValueStatus", "averageValue"),
        ("MetricValueStatus", "value"),
        ("NodeStatus", "allocatable"),
        ("NodeStatus", "capacity"),
        ("PersistentVolumeClaimStatus", "allocatedResources"),
        ("PersistentVolumeClaimStatus", "capacity"),
        ("PodSpec", "overhead"),
        ("ResourceFieldSelector", "divisor"),
        ("ResourceQuotaSpec", "hard"),
        ("ResourceQuotaStatus", "hard"),
        ("ResourceQuotaStatus", "used"),
        ("ResourceRequirements", "limits"),
        ("ResourceRequirements", "requests"),
        ("VolumeResourceRequirements", "limits"),
        ("VolumeResourceRequirements", "requests"),
    }
)
# Fields that hold base64
BYTES = frozenset({("Secret", "data"), ("ConfigMap", "binaryData")})
