"""How well a few typed characters fit a text: the score behind every search field."""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise

_MAX_SPREAD = 4
"""Characters found further apart than this times their number are chance, not a match."""
_MOST_SCATTERED = 60
"""However long, characters with gaps between them never beat a word found whole (70 and up)."""


def score(query: str, texts: tuple[str, ...]) -> int:
    """0 = no fit; else higher is better. Every word of the query has to fit one of the texts, in any order."""
    total = 0
    for word in query.casefold().split():
        best = max((_fit(word, text) for text in texts), default=0)
        if not best:
            return 0
        total += best
    return total


@lru_cache(maxsize=8192)
def _fit(word: str, text: str) -> int:
    text = text.casefold()
    at = text.find(word)
    if at >= 0:
        return _whole(word, text)
    squeezed, places = _squeezed(text)
    bare = "".join(c for c in word if c.isalnum())
    at = squeezed.find(bare) if bare else -1
    if at >= 0:
        return 70 + 15 * _begins(text, places[at])
    return _scattered(bare or word, text)


def _whole(word: str, text: str) -> int:
    best, at = 0, text.find(word)
    while at >= 0:
        end = at + len(word)
        begins = _begins(text, at)
        ends = end == len(text) or not text[end].isalnum()
        best = max(best, 100 + 20 * begins + 20 * (begins and ends) + 10 * (at == 0) + 10 * (word == text))
        at = text.find(word, at + 1)
    return best


def _scattered(word: str, text: str) -> int:
    """All characters in order: the tightest place, with a bonus where they begin words."""
    best = 0
    for start, character in enumerate(text):
        if character == word[0] and (places := _places(word, text, start)):
            spread = places[-1] - start + 1
            if spread <= _MAX_SPREAD * len(word):
                runs = sum(b == a + 1 for a, b in pairwise(places))
                heads = sum(_begins(text, place) for place in places)
                best = max(
                    best, min(20 + 5 * heads + 4 * runs - 2 * (spread - len(word)), _MOST_SCATTERED), 1
                )
    return best


def _places(word: str, text: str, start: int) -> list[int]:
    places, at = [start], start
    for character in word[1:]:
        at = text.find(character, at + 1)
        if at < 0:
            return []
        places.append(at)
    return places


def _begins(text: str, at: int) -> bool:
    """Whether a word begins here: at the start, after a separator, or where letters turn into digits."""
    if at == 0 or not text[at - 1].isalnum():
        return True
    return text[at].isdigit() != text[at - 1].isdigit()


@lru_cache(maxsize=4096)
def _squeezed(text: str) -> tuple[str, list[int]]:
    places = [place for place, character in enumerate(text) if character.isalnum()]
    return "".join(text[place] for place in places), places
