"""Splits `<think>…</think>` out of an answer while it streams (wire facts §11.7).

Runs only until it is clear that an answer does not begin with such a tag, unless the model is known to use them.
"""

from __future__ import annotations

_PAIRS = (
    ("<think>", "</think>"),
    ("<thinking>", "</thinking>"),
    ("<seed:think>", "</seed:think>"),
    ("<|channel|>analysis<|message|>", "<|end|><|start|>assistant<|channel|>final<|message|>"),
    ("<|channel|>analysis<|message|>", "<|channel|>final<|message|>"),
)
_OPENINGS = tuple(dict.fromkeys(opening for opening, _ in _PAIRS))
_STRAY_CLOSINGS = ("</think>", "</thinking>", "</seed:think>")

Part = tuple[bool, str]
"""(is reasoning, text)"""


def held_back(text: str, tags: tuple[str, ...]) -> int:
    """How many characters at the end of `text` could be the beginning of one of the tags."""
    longest = min(len(text), max(map(len, tags)) - 1)
    if longest <= 0 or "<" not in text[-longest:]:  # every tag begins with it
        return 0
    for size in range(longest, 0, -1):
        end = text[-size:]
        if any(tag.startswith(end) for tag in tags):
            return size
    return 0


def _first(text: str, tags: tuple[str, ...]) -> tuple[int, str]:
    """Position and tag of the earliest of the tags (the longest at a tie), or (-1, "")."""
    found = [(text.find(tag), -len(tag), tag) for tag in tags if tag in text]
    return (min(found)[0], min(found)[2]) if found else (-1, "")


class ThinkSplitter:
    """`known` = the model is known to write such tags, so that a closing one without an opening one is taken
    out too."""

    def __init__(self, *, known: bool = False) -> None:
        self._known = known
        self._closings: tuple[str, ...] = ()
        self._held = ""
        self._answering = False
        self._opened = False
        self._fences = 0
        self._ticks = ""

    @property
    def settled(self) -> bool:
        """No tag can come any more: the rest of the answer may pass by."""
        return self._answering and not self._held and (self._opened or not self._known)

    def passes(self, text: str) -> bool:
        """Whether this is answer from end to end, with nothing in it that a tag or a fence begins with."""
        return (
            self._answering
            and not (self._held or self._ticks or self._closings)
            and "<" not in text
            and "`" not in text
        )

    def feed(self, text: str) -> list[Part]:
        """The text in parts; a few characters may wait for the next call."""
        parts: list[Part] = []
        text, self._held = self._held + text, ""
        while text:
            if self._closings:
                text = self._think(text, parts)
            elif self._answering:
                text = self._answer(text, parts)
            else:
                text = self._begin(text, parts)
        return parts

    def flush(self) -> list[Part]:
        """At the end: what was still waiting, as what it turned out to be."""
        left, self._held = self._held, ""
        return [(bool(self._closings), left)] if left else []

    def _begin(self, text: str, parts: list[Part]) -> str:
        bare = text.lstrip()
        opening = next((tag for tag in _OPENINGS if bare.startswith(tag)), "")
        if opening:
            self._closings = tuple(closing for tag, closing in _PAIRS if tag == opening)
            self._opened = True
            return bare[len(opening) :]
        if not bare or any(tag.startswith(bare) for tag in _OPENINGS):
            self._held = text
            return ""
        self._answering = True
        return bare if self._opened else text

    def _think(self, text: str, parts: list[Part]) -> str:
        at, closing = _first(text, self._closings)
        if at >= 0:
            if at:
                parts.append((True, text[:at]))
            self._closings = ()
            return text[at + len(closing) :]
        keep = held_back(text, self._closings)
        self._held = text[len(text) - keep :]
        if len(text) > keep:
            parts.append((True, text[: len(text) - keep]))
        return ""

    def _answer(self, text: str, parts: list[Part]) -> str:
        if self._opened or not self._known:
            parts.append((False, text))
            return ""
        at, closing = _first(text, _STRAY_CLOSINGS)
        keep = held_back(text, _STRAY_CLOSINGS) if at < 0 else 0
        before = text[:at] if at >= 0 else text[: len(text) - keep]
        self._count_fences(before)
        if before:
            parts.append((False, before))
        if at < 0:
            self._held = text[len(text) - keep :]
            return ""
        if self._fences % 2:
            parts.append((False, closing))
        else:
            self._opened = True
        return text[at + len(closing) :]

    def _count_fences(self, text: str) -> None:
        text = self._ticks + text
        self._fences += text.count("```")
        self._ticks = "`" * ((len(text) - len(text.rstrip("`"))) % 3)  # threes are counted already


def split_whole(text: str, *, known: bool = False) -> tuple[str, str]:
    """(reasoning, answer) of a text that came in one piece: here a missing opening tag can be told."""
    if known and not any(tag in text for tag in _OPENINGS):
        at, closing = _first(text, _STRAY_CLOSINGS)
        if at >= 0 and text[:at].count("```") % 2 == 0:
            return text[:at], text[at + len(closing) :].lstrip()
    splitter = ThinkSplitter(known=known)
    parts = splitter.feed(text) + splitter.flush()
    return "".join(t for thought, t in parts if thought), "".join(t for thought, t in parts if not thought)
