"""A stand-in for the Kubernetes API server: state in memory, TLS on loopback, no controllers."""
