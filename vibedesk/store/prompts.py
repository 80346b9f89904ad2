"""The prompt library, `config/prompts.toml`: texts asked often, with `{{blanks}}` to fill in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from vibedesk.store.named import NamedTables

LONGEST = 100_000
MOST_BLANKS = 30
_BLANK = re.compile(r"\{\{[ \t]*([^{}\n]{1,40}?)[ \t]*\}\}")


class Prompt(Struct, frozen=True):
    """`text` may hold `{{blanks}}`."""

    name: str
    text: str

    @property
    def blanks(self) -> tuple[str, ...]:
        """The names of its blanks, each once, in the order of the text."""
        return tuple(dict.fromkeys(found[1] for found in _BLANK.finditer(self.text)))[:MOST_BLANKS]

    def filled(self, values: Mapping[str, str]) -> str:
        """The text with every blank that has a value filled in, as typed: what a value holds is never a blank."""
        return _BLANK.sub(lambda found: values.get(found[1]) or found[0], self.text)


class PromptsFile(NamedTables[Prompt]):
    """`[prompts.NAME]`, each with a `text`."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, "prompts", _prompt)

    def keep(self, prompt: Prompt, replacing: str = "") -> None:
        """Saves it; `replacing` is the name it had. Raises `Misconfigured`."""
        self.save(prompt.name, {"text": prompt.text}, replacing)


def _prompt(name: str, table: dict[str, Any]) -> Prompt:
    text = table.get("text")
    if not isinstance(text, str) or not text.strip():
        raise ValueError("text is missing")
    if len(text) > LONGEST:
        raise ValueError("text is too long")
    return Prompt(name, text)
