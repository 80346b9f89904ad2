"""The way in: `python -m vibedesk`, and the packaged program."""

from __future__ import annotations

import sys

from vibedesk.terminal import main

if __name__ == "__main__":
    sys.exit(main())
