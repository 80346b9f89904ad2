"""A lane: phases, the words as they come, and what it keeps."""

from __future__ import annotations

from pathlib import Path

from tests.playing import CUT, GOOD, REFUSING, THINKING, playing
from tests.providers import TEXT, Behaviour
from vibedesk.state.incoming import FAR_BEHIND, LONGEST_PIECE


async def test_the_pieces_make_the_answer_and_the_end_comes_last(tmp_path: Path) -> None:
    async with playing(tmp_path, [THINKING]) as scene:
        lane = scene.playground.lanes[0]
        told: list[str] = []
        pieces: list[str] = []
        thoughts: list[str] = []
        lane.phase_changed.connect(told.append)
        lane.text_appended.connect(pieces.append)
        lane.reasoning_appended.connect(thoughts.append)
        lane.finished.connect(lambda finished: told.append("finished " + finished.outcome))
        await scene.ask()
        assert "".join(pieces) == TEXT
        assert "".join(thoughts) == "Let me think about it. Yes."
        assert told == ["asked", "thinking", "answering", "complete", "finished complete"]
        assert scene.answer().reasoning_s is not None


async def test_a_cut_answer_keeps_its_text_and_says_so(tmp_path: Path) -> None:
    async with playing(tmp_path, [CUT]) as scene:
        await scene.ask()
        assert scene.playground.lanes[0].phase == "cut"
        assert TEXT.startswith(scene.answer().text)
        assert scene.answer().error_title


async def test_a_refusal_is_kept_with_its_words(tmp_path: Path) -> None:
    async with playing(tmp_path, [REFUSING]) as scene:
        await scene.ask()
        kept = scene.desk.history.load(scene.playground.conversation).answers[0]
        assert kept.outcome == "failed"
        assert kept.error_kind == "rate_limited"
        assert "Groq" in kept.error_text
        assert kept.attempts[-1].status == 429


async def test_a_failed_turn_is_asked_again_together_with_the_next_one(tmp_path: Path) -> None:
    async with playing(tmp_path, [REFUSING]) as scene:
        await scene.ask("One")
        scene.playground.set_model(0, GOOD)
        await scene.ask("Two")
        [message] = scene.groq.asked[-1].body["messages"]
        assert message["role"] == "user"
        assert "One" in str(message["content"])
        assert "Two" in str(message["content"])


async def test_a_flood_is_given_to_the_screen_in_pieces(tmp_path: Path) -> None:
    async with playing(tmp_path, behaviour=Behaviour(text="x" * FAR_BEHIND)) as scene:
        pieces: list[str] = []
        scene.playground.lanes[0].text_appended.connect(pieces.append)
        await scene.ask()
        assert "".join(pieces) == "x" * FAR_BEHIND
        assert max(map(len, pieces)) <= LONGEST_PIECE


async def test_another_model_forgets_where_the_last_answer_came_from(tmp_path: Path) -> None:
    async with playing(tmp_path) as scene:
        await scene.ask()
        lane = scene.playground.lanes[0]
        assert lane.deployment is not None
        assert lane.deployment.key_name.startswith("fast …")
        scene.playground.set_model(0, THINKING)
        assert lane.deployment is None
        await scene.rest()
        assert lane.planned[0].deployment.model.id == "think"
