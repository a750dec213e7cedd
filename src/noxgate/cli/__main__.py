"""`python -m noxgate.cli`."""

import sys

from noxgate.cli.main import main

sys.exit(main())
