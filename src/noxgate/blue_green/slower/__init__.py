"""Whether users wait longer since the switch than before it, by Prometheus' histograms."""
