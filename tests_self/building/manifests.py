"""A manifest, as text."""

SERVICE = """\
apiVersion: v1
kind: Service
metadata:
  name: {name}
"""
