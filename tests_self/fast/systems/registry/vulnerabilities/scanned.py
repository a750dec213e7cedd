"""Reports as scanners write them."""

from collections.abc import Callable

from noxgate.systems.registry.vulnerabilities import ScanReport

Read = Callable[[object], ScanReport]
