"""The parts of a trial of alert rules: the rules' files, what their tests claim, and promtool."""
