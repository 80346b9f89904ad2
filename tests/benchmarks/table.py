"""A table of measurements: each line with what it is measured against, its goal, and whether it was reached."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Line:
    """`goal` is the most that `ratio` may be (the least where `at_least`); None = only shown."""

    what: str
    value: str
    against: str = ""
    ratio: float | None = None
    goal: float | None = None
    at_least: bool = False
    unit: str = "×"

    @property
    def verdict(self) -> str:
        if self.goal is None or self.ratio is None:
            return ""
        return "ok" if (self.ratio >= self.goal if self.at_least else self.ratio <= self.goal) else "MISS"

    def cells(self) -> tuple[str, ...]:
        ratio = "" if self.ratio is None else f"{self.ratio:.2f} {self.unit}"
        goal = "" if self.goal is None else f"{'≥' if self.at_least else '≤'} {self.goal:g} {self.unit}"
        return (self.what, self.value, ratio, self.against, goal, self.verdict)


def shown(title: str, lines: Iterable[Line]) -> str:
    """As text, in columns."""
    rows = [("", "median", "ratio", "to", "goal", ""), *(line.cells() for line in lines)]
    widths = [max(len(row[place]) for row in rows) for place in range(6)]
    body = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
    return "\n".join([f"\n{title}", *body])
