"""Whether a version is slower than the one before: ratios with intervals, from load tests or histograms."""
