"""Python's own `import` put back. To be imported after PySide6 and before everything else of the window.

PySide6 puts an import of its own in the place of Python's, for `from __feature__ import snake_case`, and looks for its
name in the source of every module imported from then on: each is read, split into lines and kept in `linecache`. Here
that is 400 files, 12 MB, and 40 ms until somebody can be asked. No module here asks for such a feature, and one that is
not in PySide's list has none.
"""

from __future__ import annotations

import builtins
import linecache


def put_back() -> bool:
    """Whether PySide's import was in the place of Python's, and no longer is."""
    theirs, own = (getattr(builtins, name, None) for name in ("__feature_import__", "__orig_import__"))
    if theirs is None or own is None or builtins.__import__ is not theirs:
        return False
    builtins.__import__ = own
    linecache.clearcache()
    return True


put_back()
