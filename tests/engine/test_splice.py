"""Joining two halves: wherever the answer broke and however the rest is told, no character is lost or doubled."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from vibedesk.engine.splice import ANCHOR, Splice, anchor_of

TEXT = "the quick brown fox jumps over a lazy dog while three wizards make toxic brew for évil jack 😀 and x = f(1)"
WORDS = TEXT.split()


def prose(luck: random.Random) -> str:
    """Words, lines, lists and code, none of it the same for long."""
    parts = []
    for _ in range(luck.randint(20, 120)):
        parts.append(
            luck.choice(WORDS) + luck.choice([" ", " ", " ", " ", ", ", ".\n", "\n\n", "\n- ", "\n    "])
        )
    code = "```python\n" + "\n".join(f"v{n} = {luck.randint(0, 10**6)}" for n in range(6)) + "\n```\n"
    parts.insert(luck.randint(0, len(parts)), code)
    return "".join(parts)


def chant(luck: random.Random) -> str:
    """The same over and over: nobody can tell where it goes on."""
    return luck.choice(
        ["Many words follow one another. ", "ha ", "- [ ] item\n", "0, ", "ab"]
    ) * luck.randint(20, 60)


def pieces(text: str, luck: random.Random) -> Iterator[str]:
    while text:
        size = luck.choice([1, 2, 3, 7, 40])
        yield text[:size]
        text = text[size:]


def told(splice: Splice, reply: str, luck: random.Random) -> str:
    return "".join(map(splice.feed, pieces(reply, luck))) + splice.close()


def broken(luck: random.Random, text: str) -> tuple[str, str]:
    """Cut somewhere after the first words."""
    at = luck.randint(min(60, len(text) - 2), len(text) - 1)
    return text[:at], text[at:]


def bare_rest(said: str, rest: str) -> str:
    """What a model goes on with that was sent the first half without the white space at its end."""
    return said[len(said.rstrip(" \t\r\n")) :] + rest


# How a model that was told to repeat the last words may go on. `bare` is the first half as it was sent.
ECHOES = {
    "the last words": lambda bare, more, luck: anchor_of(bare) + more,
    "more than the last words": lambda bare, more, luck: bare[-luck.randint(ANCHOR, 400) :] + more,
    "the last line": lambda bare, more, luck: bare.rpartition("\n")[2] + more,
    "a few characters": lambda bare, more, luck: bare[-luck.randint(1, 30) :] + more,
    "everything": lambda bare, more, luck: bare + more,
    "nothing": lambda bare, more, luck: more,
    "white space first": lambda bare, more, luck: "\n\n" + anchor_of(bare) + more,
    "a fence again": lambda bare, more, luck: ("```python\n" if bare.count("```") % 2 else "") + anchor_of(bare) + more,
    "an introduction": lambda bare, more, luck: "Of course, here is the rest: " + more,
}  # fmt: skip
SURE = ("the last words", "more than the last words", "white space first", "everything", "a fence again")


@pytest.mark.parametrize("echo", ECHOES)
def test_by_repeated_words_no_character_is_lost_or_doubled(echo: str) -> None:
    """2,700 cases: 300 of each, a third of them repeating themselves."""
    luck = random.Random(echo)
    joined = prosaic = 0
    for turn in range(300):
        whole = chant(luck) if turn % 3 == 0 else prose(luck)
        said, rest = broken(luck, whole)
        reply = ECHOES[echo](said.rstrip(), bare_rest(said, rest), luck)
        splice = Splice(said, prefilled=False)
        got = told(splice, reply, luck)
        if splice.seam == "joined":
            joined += 1
            prosaic += turn % 3 != 0
            assert said + got == whole, (said[-60:], got[:60])
        else:
            assert splice.seam in ("lost", "anew")
    if echo in SURE:
        assert prosaic >= 190
    if echo in ("nothing", "an introduction"):
        assert joined == 0


@pytest.mark.parametrize("echoes", [False, True])
def test_by_prefill_the_rest_is_the_rest(echoes: bool) -> None:
    """600 cases. Who gives the words back is known; where they could be new ones nothing is claimed."""
    luck = random.Random(7)
    joined = 0
    for turn in range(300):
        whole = chant(luck) if turn % 3 == 0 else prose(luck)
        said, rest = broken(luck, whole)
        more = bare_rest(said, rest)
        reply = said.rstrip() + more if echoes else more
        splice = Splice(said, prefilled=True, echoes=echoes)
        got = told(splice, reply, luck)
        if splice.seam == "joined":
            joined += 1
            assert said + got == whole
    assert joined >= (190 if echoes else 300)


def test_an_answer_that_begins_again_from_the_top_is_a_new_one() -> None:
    luck = random.Random(3)
    for _ in range(100):
        said = prose(luck)
        again = said[: luck.randint(70, 90)] + " and now for something else entirely, " + prose(luck)
        splice = Splice(said, prefilled=False)
        got = told(splice, again, luck)
        assert splice.seam == "anew"
        assert got == again


def test_nothing_is_shown_before_the_seam_is_sure() -> None:
    said = "The answer to everything is, as far as anybody has ever been able to find out,"
    splice = Splice(said, prefilled=False)
    assert splice.feed("The answer to everything is, as") == ""
    assert splice.seam == "open"
    assert splice.feed(" far as anybody has ever been able to find out, forty-two.") == " forty-two."
    assert splice.seam == "joined"


def test_an_empty_rest_is_no_success() -> None:
    splice = Splice("Something that was said before it broke", prefilled=False)
    assert splice.close() == ""
    assert splice.seam == "lost"
