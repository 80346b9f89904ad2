"""Where the built program begins."""

import sys

from vibedesk.__main__ import main

sys.exit(main())
