"""``python -m rig`` is the command line."""

import sys

from rig.cli.main import main


sys.exit(main())
