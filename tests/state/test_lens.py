"""Differences and disagreements: nothing of the texts is lost, and what matters is found."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from vibedesk.state.lens import Piece, disagreements, sentences, word_diff

texts = st.text(alphabet="ab c.\n`é😀", max_size=60)


@given(texts, texts)
def test_joined_the_pieces_are_the_texts(one: str, other: str) -> None:
    found = word_diff(one, other)
    assert "".join(piece.text for piece in found.left) == one
    assert "".join(piece.text for piece in found.right) == other
    shared = [[piece.text for piece in side if piece.kind == "same"] for side in (found.left, found.right)]
    assert shared[0] == shared[1]
    assert 0 <= found.same <= 1


@given(texts)
def test_a_text_agrees_with_itself(text: str) -> None:
    assert word_diff(text, text).same == 1.0
    assert disagreements([text, text]) == ()


def test_the_word_that_differs_is_named() -> None:
    found = word_diff("A clock that jumps is wrong.", "A clock that drifts is wrong.")
    assert [piece for piece in found.left if piece.kind != "same"] == [Piece("removed", "jumps")]
    assert [piece for piece in found.right if piece.kind != "same"] == [Piece("added", "drifts")]
    assert round(found.same, 2) == 0.86


def test_what_only_one_says_comes_first_and_what_all_say_is_left_out() -> None:
    answers = [
        "Use a monotonic clock. The bucket belongs to the account.",
        "Use a monotonic clock. The bucket belongs to the account. Windows allow twice the limit at the edge.",
        "- Use a monotonic clock.\n- Something else entirely is said here.",
    ]
    points = disagreements(answers)
    assert [(point.says, point.silent) for point in points] == [
        ((1,), (0, 2)),
        ((2,), (0, 1)),
        ((0, 1), (2,)),
    ]
    assert points[0].text == "Windows allow twice the limit at the edge."
    assert points[1].text == "Something else entirely is said here."


def test_another_number_is_a_disagreement_though_all_other_words_agree() -> None:
    points = disagreements(["It was founded in 1998 in the city.", "It was founded in 1989 in the city."])
    assert [point.says for point in points] == [(0,), (1,)]


def test_code_is_one_sentence_and_list_marks_are_none() -> None:
    text = "Here it is:\n\n```python\na = 1. \nb = 2.\n```\n\n1. First. Then\n## Head"
    assert sentences(text) == ["Here it is:", "```python\na = 1. \nb = 2.\n```", "First.", "Then", "Head"]
