"""What a real server serves and this one does not: refused as such, never as if it were not there."""

# group, version -> resources
UNSERVED: dict[tuple[str, str], frozenset[str]] = {
    ("", "v1"): frozenset(
        {"bindings", "componentstatuses", "persistentvolumes", "podtemplates", "replicationcontrollers"}
    ),
    ("admissionregistration.k8s.io", "v1"): frozenset(
        {
            "mutatingadmissionpolicies",
            "mutatingadmissionpolicybindings",
            "mutatingwebhookconfigurations",
            "validatingadmissionpolicies",
            "validatingadmissionpolicybindings",
            "validatingwebhookconfigurations",
        }
    ),
    ("apiregistration.k8s.io", "v1"): frozenset({"apiservices"}),
    ("apps", "v1"): frozenset({"controllerrevisions"}),
    ("authentication.k8s.io", "v1"): frozenset({"tokenreviews"}),
    ("certificates.k8s.io", "v1"): frozenset({"certificatesigningrequests"}),
    ("coordination.k8s.io", "v1"): frozenset({"leases"}),
    ("events.k8s.io", "v1"): frozenset({"events"}),
    ("flowcontrol.apiserver.k8s.io", "v1"): frozenset({"flowschemas", "prioritylevelconfigurations"}),
    ("networking.k8s.io", "v1"): frozenset({"ingressclasses", "ipaddresses", "servicecidrs"}),
    ("node.k8s.io", "v1"): frozenset({"runtimeclasses"}),
    ("resource.k8s.io", "v1"): frozenset(
        {"deviceclasses", "resourceclaims", "resourceclaimtemplates", "resourceslices"}
    ),
    ("storage.k8s.io", "v1"): frozenset(
        {
            "csidrivers",
            "csinodes",
            "csistoragecapacities",
            "storageclasses",
            "volumeattachments",
            "volumeattributesclasses",
        }
    ),
}


def is_unserved(group: str, version: str, plural: str) -> bool:
    return plural in UNSERVED.get((group, version), frozenset())
