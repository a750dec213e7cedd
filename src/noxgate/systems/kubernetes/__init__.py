"""A Kubernetes cluster, its objects and its manifests."""
