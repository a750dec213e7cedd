"""What is checked of a pod, alone or in a template."""
