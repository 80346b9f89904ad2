"""The terminal face: words in, lines or JSON out. It uses the store and the engine, never Qt.

`main` is the program's way in; without a word it opens the window.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vibedesk.terminal.arguments import WordsOff

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command, or the window; gives the exit status."""
    _ready_streams()
    words = list(sys.argv[1:] if argv is None else argv)
    if not words:
        from vibedesk.terminal.window import open_window

        return open_window(sys.argv[:1])
    from vibedesk.terminal.arguments import WordsOff, parse

    try:
        options = parse(words)
    except WordsOff as off:
        return _off(off)
    except BrokenPipeError:
        return _nobody_reads()
    try:
        from vibedesk.terminal.run import run

        return run(options)
    except ModuleNotFoundError as missing:
        print(
            f"vibedesk: the package {missing.name} is missing; ./packaging/run installs all.", file=sys.stderr
        )
        return 1
    except WordsOff as off:
        return _off(off)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        return _nobody_reads()


def _ready_streams() -> None:
    """What was closed (`>&-`) leads nowhere, so that no file of ours takes its place; what cannot be encoded is "?"."""
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        stream = getattr(sys, name)
        if stream is None:
            try:
                os.fstat(number)
            except OSError:
                os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free
            setattr(sys, name, open(number, mode, errors="replace", closefd=False))  # noqa: SIM115
        elif name != "stdin" and hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


def _off(off: WordsOff) -> int:
    from vibedesk.terminal.output import one_line

    sys.stdout.flush()
    print(f"vibedesk: {one_line(str(off))}.", file=sys.stderr)
    return 2


def _nobody_reads() -> int:
    """`vibedesk … | head`: what was asked for has been read, the rest is not wanted."""
    from vibedesk.terminal.output import close_quietly

    close_quietly()
    return 130
