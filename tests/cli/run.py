#!/usr/bin/env python3
"""Tests of the `eddy` command: every flag, exit status and error path. `run.py NAME…` runs those whose name contains one
of the words."""
import sys

import hostile  # noqa: F401  (their classes are the tests)
import repl  # noqa: F401
import running  # noqa: F401
import tools  # noqa: F401
from support import *  # noqa: F401,F403
from support import main

if __name__ == "__main__":
    sys.exit(main())
