"""Footnotes: `[^label]` in the words, `[^label]: …` on a line of its own, numbered as they come."""

from __future__ import annotations

import re
from typing import Any

NOTES = "notes"
"""Where the numbers stand in what a parser knows of a document."""
_LABEL = r"\[\^([^\]\s\[]{1,40})\]"
_REFERENCE = re.compile(_LABEL + r"(?!:)")
_DEFINITION = re.compile(_LABEL + r":[ \t]*(.*)", re.DOTALL)


def notes_in(source: str) -> list[tuple[str, str]]:
    """(label, words) of each footnote, where a block holds nothing else; [] for any other block."""
    found: list[tuple[str, str]] = []
    for line in source.split("\n") if source.startswith("[^") else ():
        if begun := _DEFINITION.match(line):
            found.append((begun[1], begun[2]))
        elif found:
            found[-1] = found[-1][0], f"{found[-1][1]}\n{line.strip()}"
        else:
            return []
    return found


def note_number(known: dict[str, Any], label: str) -> int:
    """Its number: the label itself where that is one that is free, else the next."""
    numbers: dict[str, int] = known.setdefault(NOTES, {})
    if label not in numbers:
        taken = set(numbers.values())
        own = int(label) if label.isascii() and label.isdigit() and len(label) < 4 else 0
        free = next(number for number in range(1, len(taken) + 2) if number not in taken)
        numbers[label] = own if own and own not in taken else free
    return numbers[label]


def note_reference(state: Any, silent: bool) -> bool:
    """A rule for markdown-it: the reference as its number."""
    if not state.src.startswith("[^", state.pos):
        return False
    found = _REFERENCE.match(state.src, state.pos)
    if found is None:
        return False
    if not silent:
        state.push("note", "", 0).content = str(note_number(state.env, found[1]))
    state.pos = found.end()
    return True
