"""Two halves of an answer that broke, joined so that no character is lost or doubled; or not joined at all.

By prefill the wire itself promises that the model goes on where the text ends. By instruction it is asked to repeat the
last words first: only where they are found, at one place alone, is the seam sure (routing.md §2.7). Pure.
"""

from __future__ import annotations

from typing import Literal

ANCHOR = 80
"""Characters the model is asked to repeat."""
LEAST = 40
"""Fewer repeated characters prove nothing: a list may well begin its next line like the last one."""
TOP = 64
"""So many characters like those of the beginning are an answer that began anew."""
_BLANK = " \t\r\n"

Seam = Literal["open", "joined", "anew", "lost"]
"""Not known yet; the rest follows; it begins again from the top; nobody can say how they belong together."""


def anchor_of(said: str) -> str:
    """The last words, from the beginning of one."""
    said = said.rstrip(_BLANK)
    tail = said[-ANCHOR:]
    if len(tail) == len(said):
        return tail
    words = tail.split(" ", 1)
    return words[1] if len(words) > 1 and len(words[1]) >= LEAST else tail


class Splice:
    """Feed it the second half as it comes; it gives back what is to be appended to the first."""

    def __init__(self, said: str, *, prefilled: bool, echoes: bool = False) -> None:
        self._said = said.rstrip(_BLANK)
        self._blank = said[len(self._said) :]
        """White space at the end that nobody was sent, and which may come again."""
        self._prefilled = prefilled
        self._echoes = echoes
        self._held = ""
        self._places: list[int] | None = None
        """Places of the first half from which on it is what the second began with, as far as it is known."""
        self.seam: Seam = "open"

    def feed(self, text: str) -> str:
        """What of it, and of what was held back, is sure to come next."""
        if self.seam == "lost":
            return ""
        if self.seam == "anew" or (self.seam == "joined" and not self._blank):
            return text
        self._held += text
        if self.seam == "joined":
            return self._without_blank(last=False)
        return self._decided(last=False)

    def close(self) -> str:
        """The second half has ended."""
        if self.seam == "open":
            return self._decided(last=True)
        return self._without_blank(last=True) if self.seam == "joined" and self._blank else ""

    def _decided(self, *, last: bool) -> str:
        if self._prefilled:
            return self._of_prefill(last=last)
        return self._of_overlap(last=last)

    def _of_prefill(self, *, last: bool) -> str:
        if not self._echoes:
            return self._join(0, last=last)
        bare = self._held.lstrip(_BLANK)
        if self._said.startswith(bare) and len(bare) < len(self._said):
            # Its own words again, or new ones that begin alike.
            return self._join(0, last=last) if last else ""
        if not bare.startswith(self._said):
            return self._join(0, last=last)
        if _repeats(self._said):
            return self._lose()
        return self._join(len(self._held) - len(bare) + len(self._said), last=last)

    def _of_overlap(self, *, last: bool) -> str:
        least = LEAST
        start = self._begun()
        bare = self._held[start:]
        if start < 0 or len(bare) < least:
            return self._lose() if last else ""
        said = self._said
        if self._places is None:
            self._places = _places(said, bare[:least])
        self._places = [at for at in self._places if said.startswith(bare[: len(said) - at], at)]
        whole = [at for at in self._places if len(said) - at <= len(bare)]
        if len(whole) < len(self._places):
            return self._lose() if last else ""
        if len(whole) == 1 and _unique(said, whole[0]):
            return self._join(start + len(said) - whole[0], last=last)
        if whole:
            return self._lose()
        if len(said) > TOP and said.startswith(bare[:TOP]):
            return "" if len(bare) < TOP and not last else self._anew(start, enough=len(bare) >= TOP)
        return self._lose()

    def _begun(self) -> int:
        """Where the words begin: after white space, and after a fence that opens what is open already. -1 = later."""
        bare = self._held.lstrip(_BLANK)
        start = len(self._held) - len(bare)
        if "```".startswith(bare[:3]) and not self._said.startswith("```") and self._said.count("```") % 2:
            line = bare.find("\n")
            return start + line + 1 if line >= 0 and bare.startswith("```") else -1
        return start

    def _join(self, at: int, *, last: bool) -> str:
        self.seam = "joined"
        self._held = self._held[at:]
        if not self._blank:
            held, self._held = self._held, ""
            return held
        return self._without_blank(last=last)

    def _without_blank(self, *, last: bool) -> str:
        """White space that stands at the end of the first half already does not come twice."""
        same = 0
        for one, other in zip(self._held, self._blank, strict=False):
            if one != other:
                break
            same += 1
        if same == len(self._held) < len(self._blank) and not last:
            return ""
        held, self._held, self._blank = self._held[same:], "", ""
        return held

    def _anew(self, start: int, *, enough: bool) -> str:
        if not enough:
            return self._lose()
        self.seam = "anew"
        held, self._held = self._held[start:], ""
        return held

    def _lose(self) -> str:
        self.seam, self._held = "lost", ""
        return ""


def _places(said: str, head: str) -> list[int]:
    """Where `head` stands in `said`, overlapping ones too; the last ones may be too short to hold all of it."""
    found = []
    at = said.find(head)
    while at >= 0:
        found.append(at)
        at = said.find(head, at + 1)
    return found


def _unique(said: str, at: int) -> bool:
    """What stands from there on stands nowhere else, and is not the same words over and over."""
    return said.find(said[at:]) == at and not _repeats(said[at:])


def _repeats(said: str) -> bool:
    """It is the same words over and over: more of them prove nothing."""
    half = said[: len(said) // 2 + 1]
    at = said.find(half, 1)
    return at >= 0 and said.startswith(said[at:])
