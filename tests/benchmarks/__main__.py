"""`python -m tests.benchmarks engine [--rounds 5] [--seconds 4] [--no-peers]` prints the engine's table.

`draw`, … print the others; `--help` names them and their options.
"""

from __future__ import annotations

import argparse
from typing import Any

from tests.benchmarks import draw, engine, long, start


def main() -> None:
    words = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    tables: Any = words.add_subparsers(dest="table", required=True)
    engine.take_options(tables.add_parser("engine", help="socket to delta, overhead of a request, import"))
    start.take_options(tables.add_parser("start", help="first frame, ready to type, idle memory"))
    draw.take_options(tables.add_parser("draw", help="delta to pixel, the whole program under load"))
    long.take_options(tables.add_parser("long", help="a long answer, a long conversation"))
    long.take_memory_options(tables.add_parser("memory", help="what streaming leaves behind"))
    given = words.parse_args()
    given.run(given)


if __name__ == "__main__":
    main()
