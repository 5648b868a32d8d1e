"""Say in one line when this Python is too old, before anything is installed with it."""

import sys

OLDEST = (3, 11)

if sys.version_info < OLDEST:
    sys.exit(
        "thresher needs Python {}.{} or newer; this is {}.{}. Next: make setup PYTHON=python3.11".format(
            *OLDEST, *sys.version_info[:2]
        )
    )
