"""YAML and JSON as kubectl 1.33 reads them: sigs.k8s.io/yaml on go-yaml v2, then Go's JSON."""
