"""Halves of characters over deltas."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from vibedesk.engine.dialects.surrogates import SurrogateJoiner, whole


@given(
    st.text(alphabet=st.one_of(st.sampled_from("\ud83d\ude00\udfff"), st.characters(max_codepoint=0x24F))),
    st.data(),
)
def test_any_cut_gives_the_same_encodable_text(text: str, data: st.DataObject) -> None:
    joiner = SurrogateJoiner()
    cut = data.draw(st.integers(0, len(text)))
    joined = joiner.feed(text[:cut]) + joiner.feed(text[cut:]) + joiner.flush()
    assert joined == whole(text)
    joined.encode()


@given(st.text())
def test_whole_text_passes_unchanged(text: str) -> None:
    assert whole(text) == text


def test_a_pair_is_one_character_and_a_lone_half_is_replaced() -> None:
    joiner = SurrogateJoiner()
    assert joiner.feed("a\ud83d") == "a"
    assert joiner.feed("\ude00b") == "😀b"
    assert joiner.feed("\ud83d") == ""
    assert joiner.feed("") == ""
    assert joiner.flush() == "\ufffd"
