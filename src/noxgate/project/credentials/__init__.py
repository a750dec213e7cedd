"""Credentials that lie in files that somebody else writes anew: a pod's, or a kubeconfig's tokenFile."""
