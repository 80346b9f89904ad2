"""Think tags in an answer, cut anywhere."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vibedesk.engine.dialects.thinking import ThinkSplitter, split_whole


def split(*deltas: str, known: bool = False) -> tuple[str, str]:
    splitter = ThinkSplitter(known=known)
    parts = [part for delta in deltas for part in splitter.feed(delta)] + splitter.flush()
    return "".join(t for thought, t in parts if thought), "".join(t for thought, t in parts if not thought)


@pytest.mark.parametrize(
    ("text", "reasoning", "answer"),
    [
        ("<think>a</think>b", "a", "b"),
        (" \n<think>a</think>\n\nb", "a", "b"),
        ("<thinking>a</thinking>b", "a", "b"),
        ("<seed:think>a</seed:think>b", "a", "b"),
        ("<|channel|>analysis<|message|>a<|end|><|start|>assistant<|channel|>final<|message|>b", "a", "b"),
        ("<|channel|>analysis<|message|>a<|channel|>final<|message|>b", "a", "b"),
        ("<think>a</think><think>c</think>b", "ac", "b"),
        ("<think></think>\n\nb", "", "b"),
        ("<think>never closed", "never closed", ""),
        ("no tags <think>at all</think>", "", "no tags <think>at all</think>"),
        ("<thorn> is a letter", "", "<thorn> is a letter"),
        ("  indented", "", "  indented"),
        ("", "", ""),
        ("<th", "", "<th"),
        ("<think>x</thi", "x</thi", ""),
    ],
)
def test_splitting(text: str, reasoning: str, answer: str) -> None:
    assert split(text) == (reasoning, answer)
    assert split(*text) == (reasoning, answer)
    assert split_whole(text) == (reasoning, answer)


def test_a_closing_tag_without_an_opening_one_is_taken_out_for_models_known_to_forget_it() -> None:
    assert split(*"So.</think>Yes", known=True) == ("", "So.Yes")
    assert split(*"So.</think>Yes") == ("", "So.</think>Yes")
    assert split_whole("So.</think>\nYes", known=True) == ("So.", "Yes")


def test_a_closing_tag_in_a_code_fence_is_code() -> None:
    text = "```html\n</think>\n```\nend"
    assert split(*text, known=True) == ("", text)
    assert split(text, known=True) == ("", text)
    assert split_whole(text, known=True) == ("", text)


def test_it_settles_as_soon_as_no_tag_can_come() -> None:
    splitter = ThinkSplitter()
    splitter.feed("<thi")
    assert not splitter.settled
    splitter.feed("s")
    assert splitter.settled


@given(
    st.lists(
        st.sampled_from(
            [
                "<think>",
                "</think>",
                "<thi",
                "nk>",
                "</",
                "Q",
                " ",
                "\n",
                "```",
                "`",
                "<|channel|>analysis<|message|>",
            ]
        )
    ),
    st.booleans(),
    st.data(),
)
def test_any_cut_gives_the_same_and_loses_nothing(parts: list[str], known: bool, data: st.DataObject) -> None:
    text = "".join(parts)
    cuts = sorted(data.draw(st.sets(st.integers(0, len(text)), max_size=10)))
    deltas = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    assert split(*deltas, known=known) == split(text, known=known)
    assert "".join(split(text, known=known)).count("Q") == text.count("Q")


def test_a_cut_inside_a_run_of_backticks_counts_each_fence_once() -> None:
    assert split("````", "``</think>", known=True) == split("``````</think>", known=True)
