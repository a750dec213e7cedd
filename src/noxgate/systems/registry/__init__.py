"""Container registries, images, and the reports of scanners."""
