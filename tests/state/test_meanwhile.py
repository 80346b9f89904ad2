"""What comes in between: the person does something while a question, an opening or a removal is still under way."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.playing import GOOD, LONG, playing
from tests.sitting import rounds, slow_disk, until
from vibedesk.state.contest import Contest
from vibedesk.state.playground import Playground


@pytest.mark.parametrize(
    "leave", [lambda lanes: lanes.close_lane(0), lambda lanes: lanes.promote(1)], ids=["closed", "set aside"]
)
async def test_a_lane_gone_before_its_request_left_is_not_asked_and_the_others_are(
    tmp_path: Path, leave: Callable[[Playground], object]
) -> None:
    async with playing(tmp_path, [GOOD, GOOD]) as scene:
        with slow_disk(scene.desk):
            scene.playground.ask("Hi")
            await until(lambda: scene.playground.turns == 1)
            leave(scene.playground)
            await rounds()
        await scene.rest()
        [lane] = scene.playground.lanes
        assert lane.phase == "complete"
        assert len(scene.groq.asked) == 1


async def test_a_question_sent_while_another_conversation_begins_is_asked_there(tmp_path: Path) -> None:
    async with playing(tmp_path) as scene:
        await scene.ask("First?")
        first = scene.playground.conversation
        with slow_disk(scene.desk):
            scene.playground.ask("Second?")
            await until(lambda: scene.playground.turns == 2)
            scene.playground.new_conversation()
            await asyncio.sleep(0)
            scene.playground.ask("Third?")
            await rounds()
        await scene.rest()
        assert scene.playground.conversation != first
        assert [one.turn.text for one in scene.playground.lanes[0].exchanges] == ["Third?"]
        assert scene.playground.lanes[0].phase == "complete"
        kept = scene.desk.history.load(scene.playground.conversation)
        assert [turn.text for turn in kept.turns] == ["Third?"]


async def test_a_new_conversation_is_not_overtaken_by_one_that_was_opened_before(tmp_path: Path) -> None:
    async with playing(tmp_path) as scene:
        await scene.ask("First?")
        first = scene.playground.conversation
        scene.playground.new_conversation()
        await scene.rest()
        with slow_disk(scene.desk):
            scene.playground.open_conversation(first)
            await rounds()
            scene.playground.new_conversation()
            await rounds()
        await scene.rest()
        assert scene.playground.conversation == ""


async def test_a_question_asked_while_a_turn_is_put_back_stays_in_sight(tmp_path: Path) -> None:
    async with playing(tmp_path) as scene:
        await scene.ask("First?")
        await scene.ask("Second?")
        scene.playground.remove_turn(scene.playground.lanes[0].exchanges[0].turn.id)
        await scene.rest()
        scene.notices.act(scene.notices.current()[-1].id)
        scene.playground.ask("Third?")
        await until(lambda: scene.playground.turns > 2)
        await scene.rest()
        assert [one.turn.text for one in scene.playground.lanes[0].exchanges] == [
            "First?",
            "Second?",
            "Third?",
        ]
        answers = [one.answer for one in scene.playground.lanes[0].exchanges]
        assert answers[-1] is not None
        assert list(scene.desk.history.load(scene.playground.conversation).answers) == answers


async def test_a_conversation_that_is_open_already_is_shown_as_it_is_kept(tmp_path: Path) -> None:
    async with playing(tmp_path, [LONG]) as scene:
        scene.playground.ask("A long one?")
        await until(lambda: len(scene.playground.lanes[0].text) > 20)
        scene.playground.open_conversation(scene.playground.conversation)
        await scene.rest()
        assert scene.answer().outcome is not None
        assert [scene.answer()] == list(scene.desk.history.load(scene.playground.conversation).answers)


async def test_a_removal_that_is_undone_at_once_leaves_the_conversation_open(tmp_path: Path) -> None:
    async with playing(tmp_path, [LONG]) as scene:
        scene.playground.ask("A long one?")
        await until(lambda: len(scene.playground.lanes[0].text) > 20)
        id = scene.playground.conversation
        scene.history.refresh()
        await until(lambda: scene.history.rows.rowCount() == 1)
        scene.history.removed.connect(scene.playground.leave_removed)
        scene.history.returned.connect(scene.playground.take_back)
        scene.history.remove(id)
        scene.history.undo(id)
        await scene.rest()
        assert scene.playground.conversation == id


async def test_a_conversation_removed_while_it_opens_is_not_opened(tmp_path: Path) -> None:
    async with playing(tmp_path) as scene:
        await scene.ask()
        id = scene.playground.conversation
        scene.playground.new_conversation()
        await scene.rest()
        with slow_disk(scene.desk):
            scene.playground.open_conversation(id)
            await rounds()
            scene.playground.leave_removed(id)
            await rounds()
        await scene.rest()
        assert scene.playground.conversation == ""


async def test_a_lane_set_aside_in_mid_answer_is_written_down_before_its_conversation_is_left(
    tmp_path: Path,
) -> None:
    async with playing(tmp_path, [GOOD, LONG]) as scene:
        scene.playground.ask("A long one?")
        await until(
            lambda: not scene.playground.lanes[0].running and len(scene.playground.lanes[1].text) > 20
        )
        id = scene.playground.conversation
        with slow_disk(scene.desk):
            scene.playground.promote(0)
            scene.playground.new_conversation()
            await rounds()
        await scene.rest()
        assert [answer.outcome for answer in scene.desk.history.load(id).answers] == ["complete", "stopped"]


async def test_an_answer_is_continued_once_however_often_it_is_wished(tmp_path: Path) -> None:
    async with playing(tmp_path, [LONG]) as scene:
        scene.playground.ask("A long one?")
        lane = scene.playground.lanes[0]
        await until(lambda: len(lane.text) > 200)
        scene.playground.stop_all()
        await scene.rest()
        assert lane.can_continue
        scene.playground.continue_answer(0)
        scene.playground.continue_answer(0)
        await until(lambda: len(scene.groq.asked) > 1)
        scene.playground.stop_all()
        await scene.rest()
        assert len(scene.groq.asked) == 2
        assert len(lane.exchanges[-1].answers) == 2


async def test_the_question_before_is_not_asked_again_for_one_that_is_being_removed(tmp_path: Path) -> None:
    async with playing(tmp_path) as scene:
        await scene.ask("First?")
        await scene.ask("Second?")
        lane = scene.playground.lanes[0]
        with slow_disk(scene.desk):
            scene.playground.remove_turn(lane.exchanges[-1].turn.id)
            await rounds()
            scene.playground.regenerate(0)
            await rounds()
        await scene.rest()
        [exchange] = lane.exchanges
        assert len(exchange.answers) == 1


async def test_a_turn_removed_twice_is_removed_once(tmp_path: Path) -> None:
    async with playing(tmp_path) as scene:
        await scene.ask()
        turn = scene.playground.lanes[0].exchanges[0].turn.id
        scene.playground.remove_turn(turn)
        scene.playground.remove_turn(turn)
        await scene.rest()
        assert [notice.text for notice in scene.notices.current()] == ["Removed a turn."]
        scene.notices.act(scene.notices.current()[0].id)
        await scene.rest()
        assert [one.turn.id for one in scene.playground.lanes[0].exchanges] == [turn]


async def test_a_turn_that_is_about_to_be_asked_again_is_not_removed(tmp_path: Path) -> None:
    async with playing(tmp_path) as scene:
        await scene.ask()
        turn = scene.playground.lanes[0].exchanges[0].turn.id
        with slow_disk(scene.desk):
            scene.playground.regenerate(0)
            await rounds()
            scene.playground.remove_turn(turn)
            await rounds()
        await scene.rest()
        shown = scene.playground.lanes[0].exchanges[0].answers
        assert list(scene.desk.history.load(scene.playground.conversation).answers) == shown
        assert [n.text for n in scene.notices.current()] == [
            "This turn is still being answered. Stop it first."
        ]


async def test_a_removed_turn_is_gone_from_the_lanes_set_aside_too(tmp_path: Path) -> None:
    async with playing(tmp_path, [GOOD, GOOD]) as scene:
        await scene.ask("First?")
        await scene.ask("Second?")
        scene.playground.promote(0)
        scene.playground.remove_turn(scene.playground.lanes[0].exchanges[0].turn.id)
        await scene.rest()
        scene.playground.bring_back()
        shown = [[one.turn.text for one in lane.exchanges] for lane in scene.playground.lanes]
        assert shown == [["Second?"], ["Second?"]]
        await scene.rest()


async def test_the_next_question_ends_the_rounds_of_the_one_before(tmp_path: Path) -> None:
    async with playing(tmp_path, [GOOD]) as scene:
        await scene.ask("First?")
        scene.playground.set_model(0, LONG)
        scene.playground.repeat(4)
        await until(lambda: len(scene.groq.asked) > 1)
        scene.playground.ask("Second?")
        await until(lambda: scene.playground.turns == 2 and scene.playground.lanes[0].running)
        scene.playground.stop_all()
        await scene.rest()
        exchanges = scene.playground.lanes[0].exchanges
        assert [len(one.answers) for one in exchanges] == [2, 1]
        kept = scene.desk.history.load(scene.playground.conversation).answers
        assert list(kept) == [answer for one in exchanges for answer in one.answers]


async def test_a_conversation_can_be_left_in_the_middle_of_a_round(tmp_path: Path) -> None:
    async with playing(tmp_path, ["groq/stall-3"]) as scene:
        scene.playground.ask("Hi")
        await until(lambda: len(scene.playground.lanes[0].text) > 2)
        scene.playground.stop_all()
        await scene.rest()
        scene.playground.repeat(4)
        await until(lambda: len(scene.groq.asked) > 1)
        scene.playground.new_conversation()
        await until(lambda: not scene.playground.conversation)
        await scene.rest()


async def test_rounds_that_were_stopped_do_not_go_on_beside_new_ones(tmp_path: Path) -> None:
    async with playing(tmp_path) as scene:
        await scene.ask()
        scene.playground.set_model(0, LONG)
        scene.playground.repeat(4)
        lane = scene.playground.lanes[0]
        await until(lambda: len(lane.text) > 20 and len(scene.groq.asked) == 2)
        with slow_disk(scene.desk):
            scene.playground.stop_all()
            await until(lambda: not scene.playground.running)
            scene.playground.repeat(4)
            await rounds()
        await until(lambda: len(scene.groq.asked) == 3 and lane.running)
        scene.playground.stop_all()
        await scene.rest()
        assert [answer.outcome for answer in lane.exchanges[0].answers] == ["complete", "stopped", "stopped"]


async def test_an_answer_stopped_a_moment_ago_is_continued_whole(tmp_path: Path) -> None:
    async with playing(tmp_path, [LONG]) as scene:
        scene.playground.ask("A long one?")
        lane = scene.playground.lanes[0]
        await until(lambda: len(lane.text) > 200)
        with slow_disk(scene.desk):
            scene.playground.stop_all()
            await until(lambda: lane.can_continue)
            scene.playground.set_model(0, GOOD)
            scene.playground.continue_answer(0)
            await rounds()
        await until(lambda: len(scene.groq.asked) == 2)
        await scene.rest()
        assert [answer.outcome for answer in lane.exchanges[0].answers] == ["stopped", "complete"]


async def test_what_changes_while_a_conversation_is_first_written_down_is_kept_too(tmp_path: Path) -> None:
    async with playing(tmp_path, [GOOD]) as scene:
        with slow_disk(scene.desk):
            scene.playground.ask("Hi")
            await until(lambda: scene.playground.turns == 1)
            scene.playground.set_title("A name")
            scene.playground.add_lane(LONG)
            await rounds()
        await scene.rest()
        kept = scene.desk.history.load(scene.playground.conversation)
        assert kept.title == "A name"
        assert [lane.model for lane in kept.lanes] == [GOOD, LONG]


async def test_blindness_that_ends_while_it_is_written_down_is_over_on_the_disk_too(tmp_path: Path) -> None:
    async with playing(tmp_path, [GOOD, GOOD]) as scene:
        contest: Contest = scene.playground.contest
        assert contest.begin()
        with slow_disk(scene.desk):
            scene.playground.ask("Hi")
            await until(lambda: scene.playground.turns == 1)
            contest.end()
            await rounds()
        await scene.rest()
        assert scene.desk.votes.hidden_since(scene.playground.conversation) is None


async def test_looking_ahead_survives_the_lanes_being_others_by_then(tmp_path: Path) -> None:
    async with playing(tmp_path, [GOOD, GOOD]) as scene:
        before = list(scene.playground.lanes)
        scene.playground.conversation_opened.connect(scene.playground.plan)  # as the page does
        with slow_disk(scene.desk):
            scene.playground.plan()
            await rounds()
            scene.playground.new_conversation()
            await until(lambda: scene.playground.lanes[0] is not before[0])
            await rounds()
        await scene.rest()
        assert all(lane.planned for lane in scene.playground.lanes)


async def test_another_version_is_not_shown_under_a_question_that_is_on_its_way(tmp_path: Path) -> None:
    async with playing(tmp_path) as scene:
        await scene.ask("First?")
        first = scene.playground.lanes[0].exchanges[0].turn
        scene.playground.edit(first.id, "First, anew?")
        await until(lambda: scene.playground.turns == 2)
        await scene.rest()
        lane = scene.playground.lanes[0]
        with slow_disk(scene.desk):
            scene.playground.ask("Second?")
            await until(lambda: scene.playground.turns == 3)
            scene.playground.show_version(lane.exchanges[0].turn.id, 0)
            await rounds()
        await scene.rest()
        assert [one.turn.text for one in lane.exchanges] == ["First, anew?", "Second?"]
        assert [len(one.answers) for one in lane.exchanges] == [1, 1]


async def test_no_blind_comparison_begins_while_a_question_is_on_its_way(tmp_path: Path) -> None:
    async with playing(tmp_path, [GOOD, GOOD]) as scene:
        with slow_disk(scene.desk):
            scene.playground.ask("Hi")
            await until(lambda: scene.playground.turns == 1)
            assert not scene.playground.contest.begin()
        await scene.rest()
        assert scene.playground.contest.begin()
