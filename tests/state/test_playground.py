"""The playground's state, over real desks, real SQLite and a provider on loopback."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from tests.playing import GOOD, LONG, REFUSING, THINKING, Scene, playing
from tests.providers import TEXT, Behaviour
from tests.sitting import until
from vibedesk.engine.errors import NoKey
from vibedesk.engine.types import Cost, Image, Parameters, TextDelta, Usage
from vibedesk.state.frames import FRAME_S, Frames
from vibedesk.state.incoming import MOST_PASSED, VERY_LONG
from vibedesk.state.metrics import Rough, best_of, rough_of
from vibedesk.state.story import Exchange
from vibedesk.store.history import StoredAnswer, StoredTurn

PNG = bytes.fromhex("89504e470d0a1a0a") + b"\0" * 40


async def test_all_lanes_are_asked_in_one_tick_with_the_same_words(tmp_path: Path) -> None:
    async with playing(tmp_path, [GOOD, THINKING, "groq/split"]) as scene:
        await scene.ask("Compare")
        assert [lane.phase for lane in scene.playground.lanes] == ["complete"] * 3
        assert [lane.text for lane in scene.playground.lanes] == [TEXT] * 3
        assert [seen.body["messages"] for seen in scene.groq.asked] == [
            [{"role": "user", "content": "Compare"}]
        ] * 3
        assert scene.playground.spread_s is not None
        assert scene.playground.spread_s < 0.05


async def test_the_users_words_are_shown_before_anybody_is_asked(tmp_path: Path) -> None:
    async with playing(tmp_path) as scene:
        lane = scene.playground.lanes[0]
        asked_then: list[int] = []
        lane.turn_added.connect(lambda _turn: asked_then.append(len(scene.groq.seen)))
        await scene.ask("First")
        assert asked_then == [0]


async def test_a_later_turn_carries_the_lanes_own_answers(tmp_path: Path) -> None:
    async with playing(tmp_path) as scene:
        await scene.ask("One")
        await scene.ask("Two")
        roles = [(one["role"], one["content"]) for one in scene.groq.asked[-1].body["messages"]]
        assert roles == [("user", "One"), ("assistant", TEXT), ("user", "Two")]


async def test_an_unlinked_lane_is_not_asked(tmp_path: Path) -> None:
    async with playing(tmp_path, [GOOD, GOOD]) as scene:
        scene.playground.configure(1, linked=False)
        await scene.ask()
        assert [lane.phase for lane in scene.playground.lanes] == ["complete", "idle"]
        assert len(scene.groq.asked) == 1


async def test_stopping_keeps_what_was_said_and_hangs_up(tmp_path: Path) -> None:
    async with playing(tmp_path, [LONG, GOOD], Behaviour(tokens_per_s=200)) as scene:
        long = scene.playground.lanes[0]
        scene.playground.ask("Go")
        await until(lambda: len(long.text) > 40)
        scene.playground.stop_all()
        await scene.rest()
        assert long.phase == "stopped"
        assert scene.answer().outcome == "stopped"
        assert len(scene.answer().text) > 40
        assert ("Many words follow one another. " * 400).startswith(scene.answer().text)
        await asyncio.wait_for(scene.groq.asked[0].closed.wait(), 2)


async def test_stopping_before_the_first_step_ends_the_answer_too(tmp_path: Path) -> None:
    async with playing(tmp_path) as scene:
        lane = scene.playground.lanes[0]
        lane.answer_begun.connect(lambda: asyncio.get_running_loop().call_soon(lane.stop))
        await scene.ask()
        assert lane.phase == "stopped"


async def test_asking_while_an_answer_runs_waits_for_its_end(tmp_path: Path) -> None:
    async with playing(tmp_path, [LONG], Behaviour(tokens_per_s=200)) as scene:
        lane = scene.playground.lanes[0]
        order: list[str] = []
        lane.finished.connect(lambda finished: order.append(finished.outcome))
        lane.turn_added.connect(lambda turn: order.append(turn.text))
        scene.playground.ask("One")
        await until(lambda: len(lane.text) > 20)
        scene.playground.set_model(0, GOOD)
        await scene.ask("Two")
        assert order == ["One", "stopped", "Two", "complete"]


async def test_the_conversation_comes_back_to_the_last_character(tmp_path: Path) -> None:
    async with playing(tmp_path, [THINKING, REFUSING]) as scene:
        playground = scene.playground
        playground.configure(0, system="Be short.", parameters=Parameters(max_tokens=500))
        playground.ask("Hello there", [Image("image/png", PNG)])
        await until(lambda: playground.turns == 1)
        await scene.rest()
        await scene.ask("And then?")
        before = [(lane.spec, lane.exchanges) for lane in playground.lanes]
        id = playground.conversation
        playground.new_conversation()
        await until(lambda: playground.conversation == "")
        assert not playground.lanes[0].exchanges
        playground.open_conversation(id)
        await until(lambda: playground.conversation == id)
        assert [(lane.spec, lane.exchanges) for lane in playground.lanes] == before
        assert playground.title == "Hello there"
        assert playground.turns == 2
        assert [lane.phase for lane in playground.lanes] == ["complete", "failed"]
        await scene.ask("Still there?")
        last = [seen.body["messages"] for seen in scene.groq.asked if seen.body["model"] == "think"][-1]
        assert [one["role"] for one in last] == ["system", "user", "assistant", "user", "assistant", "user"]


async def test_closing_in_the_middle_of_an_answer_keeps_it(tmp_path: Path) -> None:
    async with playing(tmp_path, [LONG], Behaviour(tokens_per_s=300)) as scene:
        lane = scene.playground.lanes[0]
        scene.playground.ask("Go")
        await until(lambda: len(lane.text) > 60)
        await scene.tasks.close()
        [answer] = scene.desk.history.load(scene.playground.conversation).answers
        assert answer.outcome == "stopped"
        assert len(answer.text) > 60


async def test_an_answer_is_written_down_while_it_comes(tmp_path: Path) -> None:
    async with playing(tmp_path, [LONG], Behaviour(tokens_per_s=100)) as scene:
        scene.playground.ask("Go")

        def kept() -> str:
            if not scene.playground.conversation:
                return ""
            answers = scene.desk.history.load(scene.playground.conversation).answers
            return answers[0].text if answers else ""

        await until(lambda: len(kept()) > 100)
        assert scene.playground.running


async def test_every_question_is_in_the_ledger_with_its_conversation(tmp_path: Path) -> None:
    async with playing(tmp_path, [GOOD, REFUSING]) as scene:
        await scene.ask()
        rows = scene.desk.ledger.rows()
        assert sorted(row.outcome for row in rows) == ["complete", "failed"]
        assert {row.conversation_id for row in rows} == {scene.playground.conversation}


async def test_regenerating_keeps_the_answer_before_as_replaced(tmp_path: Path) -> None:
    async with playing(tmp_path) as scene:
        await scene.ask("Once")
        first = scene.answer().id
        scene.playground.regenerate(0)
        await until(lambda: scene.answer().id != first)
        await scene.rest()
        kept = scene.desk.history.load(scene.playground.conversation).answers
        assert [(one.id == first, one.replaced) for one in kept] == [(True, True), (False, False)]
        assert scene.groq.asked[0].body["messages"] == scene.groq.asked[1].body["messages"]


async def test_a_lane_that_cannot_be_asked_says_why_and_the_others_go_on(tmp_path: Path) -> None:
    async with playing(tmp_path, ["anthropic/claude-sonnet-5-5", GOOD]) as scene:
        await scene.ask()
        assert [lane.phase for lane in scene.playground.lanes] == ["failed", "complete"]
        assert scene.answer(0).error_kind == "no_key"
        assert scene.answer(0).error_title


async def test_what_stands_in_the_way_is_known_before_asking(tmp_path: Path) -> None:
    async with playing(tmp_path, ["anthropic/claude-sonnet-5-5"]) as scene:
        scene.playground.plan()
        await scene.rest()
        assert isinstance(scene.playground.obstacle(), NoKey)
        scene.playground.set_model(0, "")
        assert scene.playground.obstacle() == "Choose a model first."
        scene.playground.configure(0, linked=False)
        assert scene.playground.obstacle() == "Link a lane to ask it."


async def test_lanes_come_go_and_stop_at_eight(tmp_path: Path) -> None:
    async with playing(tmp_path) as scene:
        playground = scene.playground
        places = [playground.add_lane() for _ in range(9)]
        assert places == [1, 2, 3, 4, 5, 6, 7, -1, -1]
        playground.close_lane(3)
        assert len(playground.lanes) == 7
        assert len({lane.spec.id for lane in playground.lanes}) == 7
        for _ in range(9):
            playground.close_lane(0)
        assert len(playground.lanes) == 1
        await scene.rest()
        assert scene.desk.settings.get("lanes.last") == [GOOD]


async def test_a_duplicate_has_the_history_and_goes_its_own_way(tmp_path: Path) -> None:
    async with playing(tmp_path) as scene:
        await scene.ask("One")
        scene.playground.duplicate_lane(0)
        await scene.ask("Two")
        assert [len(lane.exchanges) for lane in scene.playground.lanes] == [2, 2]
        assert scene.groq.asked[1].body["messages"] == scene.groq.asked[2].body["messages"]


async def test_a_duplicates_history_is_kept_and_is_its_own(tmp_path: Path) -> None:
    async with playing(tmp_path) as scene:
        playground = scene.playground
        await scene.ask("One")
        playground.duplicate_lane(0)
        await scene.ask("Two")
        playground.regenerate(1)
        await scene.rest()
        conversation = playground.conversation
        playground.new_conversation()
        await scene.rest()
        playground.open_conversation(conversation)
        await until(lambda: len(playground.lanes) == 2 and playground.lanes[1].exchanges)
        asked = [[exchange.turn.text for exchange in lane.exchanges] for lane in playground.lanes]
        assert asked == [["One", "Two"], ["One", "Two"]]
        kept = scene.desk.history.load(conversation).answers
        first, second = (lane.spec.id for lane in playground.lanes)
        assert [answer.replaced for answer in kept if answer.lane_id == first] == [False, False]
        assert sorted(answer.replaced for answer in kept if answer.lane_id == second) == [False, False, True]


async def test_an_estimate_counts_every_linked_lane_and_says_when_it_cannot_price(tmp_path: Path) -> None:
    async with playing(tmp_path, [GOOD, GOOD]) as scene:
        tokens, cost = scene.playground.estimate("word " * 100)
        assert 200 <= tokens <= 300
        assert cost is not None
        assert cost > 0
        scene.playground.set_model(1, "groq/nobody-knows-this")
        assert scene.playground.estimate("word")[1] is None


async def test_curl_leaves_the_secret_out(tmp_path: Path) -> None:
    async with playing(tmp_path) as scene:
        await scene.ask("It’s “quoted” $(rm) `x`")
        command = scene.playground.curl(0)
        assert "gsk_" not in command
        assert (
            "-H 'authorization: Bearer '\"$API_KEY\"" in command
        )  # a moved provider has no variable of its own
        assert command.isascii()
        assert scene.groq.origin in command


async def test_each_lane_draws_thirty_times_a_second_at_most(tmp_path: Path) -> None:
    async with playing(tmp_path, [LONG, LONG], Behaviour(tokens_per_s=2_000)) as scene:
        moments: list[list[float]] = [[], []]
        loop = asyncio.get_running_loop()
        for lane, times in zip(scene.playground.lanes, moments, strict=True):
            lane.text_appended.connect(lambda _text, times=times: times.append(loop.time()))
        await scene.ask()
        for times in moments:
            assert len(times) > 3
            assert len(times) <= (times[-1] - times[0]) / FRAME_S + 2


async def test_the_frame_timer_sleeps_when_nothing_comes(tmp_path: Path) -> None:
    async with playing(tmp_path) as scene:
        await scene.ask()
        frames = scene.playground.findChild(Frames)
        assert frames is not None
        await until(lambda: not frames.active)


def answer(**facts: object) -> StoredAnswer:
    usual: dict[str, object] = {"id": "a", "turn_id": "t", "lane_id": "l", "outcome": "complete"}
    return StoredAnswer(created=datetime.now(UTC), **(usual | facts))  # type: ignore[arg-type]


def stored(text: str, **facts: object) -> StoredAnswer:
    usual: dict[str, object] = {"outcome": "stopped", "ttft_s": 1.0, "took_s": 3.0}
    return StoredAnswer(
        id="a",
        turn_id="t",
        lane_id="l",
        text=text,
        created=datetime.now(UTC),
        **(usual | facts),  # type: ignore[arg-type]
    )


def rough(*answers: StoredAnswer) -> Rough | None:
    turn = StoredTurn(id="t", position=0, text="Hi", created=datetime.now(UTC))
    return rough_of(Exchange(turn, list(answers), len(answers) - 1))


def test_what_nobody_counted_is_estimated_where_an_answer_ended_early() -> None:
    said = "word " * 160
    assert rough(stored(said)) == Rough(tokens=200, tokens_per_s=100.0)
    assert rough(stored(said, reasoning=said)) == Rough(tokens=400, tokens_per_s=200.0)
    assert rough(stored(said, outcome="complete")) is None
    assert rough(stored(said, usage=Usage(input_tokens=1, output_tokens=9))) is None
    assert rough(stored("")) is None
    assert rough(stored(said, outcome="cut", error_kind="timed_out")) == Rough(tokens=200, tokens_per_s=None)
    assert rough(stored(said, took_s=1.2)) == Rough(tokens=200, tokens_per_s=None)


def test_the_speed_of_an_answer_that_goes_on_from_another_is_not_guessed() -> None:
    said = "word " * 160
    assert rough(stored(said), stored(said * 2)) == Rough(tokens=400, tokens_per_s=None)
    assert rough(stored("Something else"), stored(said)) == Rough(tokens=200, tokens_per_s=100.0)


def test_the_best_of_each_metric_is_named_once() -> None:
    cost = [Cost(usd=Decimal(amount), source="") for amount in ("0.003", "0.001")]
    slow = answer(tokens_per_s=70.0, ttft_s=0.2, cost=cost[0])
    fast = answer(tokens_per_s=1904.0, ttft_s=0.6, cost=cost[1])
    assert best_of([slow, fast]) == {0: {"first"}, 1: {"fastest", "cheapest"}}


@pytest.mark.parametrize(
    "others",
    [[], [None], [answer(outcome="failed", tokens_per_s=1.0)], [answer(tokens_per_s=70.5)], [answer()]],
)
def test_without_a_clear_difference_nobody_is_praised(others: list[StoredAnswer | None]) -> None:
    assert best_of([answer(tokens_per_s=70.0), *others]) == {}


async def test_an_earlier_answer_can_stand_again_and_does_after_reopening(tmp_path: Path) -> None:
    async with playing(tmp_path) as scene:
        await scene.ask("Once")
        first = scene.answer().id
        scene.playground.regenerate(0)
        await until(lambda: scene.answer().id != first)
        await scene.rest()
        [exchange] = scene.playground.lanes[0].exchanges
        assert (exchange.place, len(exchange.answers)) == (1, 2)
        scene.playground.choose_answer(0, exchange.turn.id, 0)
        await scene.rest()
        assert scene.answer().id == first
        await reopen(scene)
        assert scene.answer().id == first


async def test_an_edited_question_is_a_branch_in_every_lane_and_the_first_one_stays(tmp_path: Path) -> None:
    async with playing(tmp_path, [GOOD, GOOD]) as scene:
        for text in ("One", "Two", "Three"):
            await scene.ask(text)
        turn = scene.playground.lanes[0].exchanges[1].turn
        scene.playground.edit(turn.id, "Two, better")
        await until(lambda: scene.playground.turns == 4)
        await scene.rest()
        assert said(scene) == [["One", "Two, better"]] * 2
        assert [one["content"] for one in scene.groq.asked[-1].body["messages"] if one["role"] == "user"] == [
            "One",
            "Two, better",
        ]
        newer = scene.playground.lanes[0].exchanges[1].turn
        scene.playground.show_version(newer.id, 0)
        assert said(scene) == [["One", "Two", "Three"]] * 2
        await scene.rest()
        await reopen(scene)
        assert said(scene) == [["One", "Two", "Three"]] * 2
        scene.playground.show_version(turn.id, 1)
        assert said(scene) == [["One", "Two, better"]] * 2
        await scene.ask("And now?")
        assert said(scene) == [["One", "Two, better", "And now?"]] * 2
        await reopen(scene)
        assert said(scene) == [["One", "Two, better", "And now?"]] * 2


async def test_a_turn_that_is_put_back_takes_nothing_away_that_was_asked_since(tmp_path: Path) -> None:
    async with playing(tmp_path) as scene:
        playground = scene.playground
        for place, rest in ((0, ["One", "Two"]), (1, ["One", "Two"])):
            playground.new_conversation()
            await scene.rest()
            for text in rest:
                await scene.ask(text)
            playground.remove_turn(playground.lanes[0].exchanges[place].turn.id)
            await scene.rest()
            await scene.ask("Three")
            undo = next(one for one in scene.notices.current() if one.action_label == "Undo")
            scene.notices.act(undo.id)
            await scene.rest()
            shown = [exchange.turn.text for exchange in playground.lanes[0].exchanges]
            assert shown == ["One", "Two", "Three"]
            kept = scene.desk.history.load(playground.conversation)
            assert len(kept.answers) == 3
            assert [turn.text for turn in kept.turns] == shown


async def test_a_turn_can_be_removed_and_put_back(tmp_path: Path) -> None:
    async with playing(tmp_path, [GOOD, GOOD]) as scene:
        for text in ("One", "Two", "Three"):
            await scene.ask(text)
        scene.playground.remove_turn(scene.playground.lanes[0].exchanges[1].turn.id)
        await until(lambda: bool(scene.notices.current()))
        await scene.rest()
        assert said(scene) == [["One", "Three"]] * 2
        await reopen(scene)
        assert said(scene) == [["One", "Three"]] * 2
        scene.notices.act(scene.notices.current()[0].id)
        await until(lambda: said(scene) == [["One", "Two", "Three"]] * 2)
        await scene.rest()


def said(scene: Scene) -> list[list[str]]:
    """What each lane shows of the user's words."""
    return [[exchange.turn.text for exchange in lane.exchanges] for lane in scene.playground.lanes]


async def reopen(scene: Scene) -> None:
    id = scene.playground.conversation
    scene.playground.new_conversation()
    await until(lambda: scene.playground.conversation == "")
    scene.playground.open_conversation(id)
    await until(lambda: scene.playground.conversation == id)
    await scene.rest()


@pytest.mark.parametrize(
    ("text", "fault"),
    [('{"a": 1}', ""), ("{}", 'The answer: "a" is a required property'), ("Hi", None)],
)
async def test_an_answer_is_told_to_follow_its_schema_or_not_and_that_is_kept(
    tmp_path: Path, text: str, fault: str | None
) -> None:
    schema = '{"type": "object", "required": ["a"]}'
    async with playing(tmp_path, behaviour=Behaviour(text=text)) as scene:
        asked = Parameters(json_schema=schema if fault is not None else "")
        scene.playground.configure(0, parameters=asked)
        await scene.ask("As JSON")
        assert scene.answer().held == fault
        kept = await asyncio.to_thread(scene.desk.history.load, scene.playground.conversation)
        assert kept.answers[0].held == fault
        assert ("response_format" in scene.groq.asked[0].body) is (fault is not None)


async def test_a_lane_left_out_is_not_asked(tmp_path: Path) -> None:
    async with playing(tmp_path, [GOOD, GOOD]) as scene:
        first, second = scene.playground.lanes
        scene.playground.ask("Hi", (), {first.spec.id})
        await until(lambda: bool(second.exchanges))
        await scene.rest()
        assert (len(first.exchanges), len(second.exchanges), len(scene.groq.asked)) == (0, 1, 1)
        assert [one.place for one in scene.playground.estimates("Hi", 0, {first.spec.id})] == [1]


async def test_lanes_begin_with_the_default_preset(tmp_path: Path) -> None:
    async with playing(tmp_path) as scene:
        precise = Parameters(temperature=0.1)
        scene.playground.presets.save("Precise", precise, default=True)
        await until(lambda: scene.playground.lanes[0].spec.parameters == precise)
        scene.playground.add_lane()
        assert scene.playground.lanes[1].spec.parameters == precise


async def test_the_rest_of_a_cut_answer_is_joined_to_it_and_the_cut_one_stays(tmp_path: Path) -> None:
    story = "Once upon a time there was a lamp that knew every key on the desk by its shadow. " * 3
    async with playing(tmp_path, behaviour=Behaviour(text=story, cut="reset", cut_after=20)) as scene:
        await scene.ask("Tell me")
        lane = scene.playground.lanes[0]
        said = lane.text
        assert lane.can_continue
        scene.groq.behaviour = Behaviour(text=said[-50:] + story[len(said) :])
        scene.playground.continue_answer(0)
        await until(lambda: len(lane.exchanges[-1].answers) == 2)
        await scene.rest()
        assert scene.answer().text == story
        assert scene.answer().outcome == "complete"
        assert not lane.can_continue
        asked = scene.groq.asked[-1].body["messages"]
        assert [one["role"] for one in asked] == ["user", "assistant", "user"]
        assert [one.text for one in lane.exchanges[-1].answers] == [said, story]


async def test_a_conversation_is_named_after_its_words_or_what_went_along(tmp_path: Path) -> None:
    async with playing(tmp_path) as scene:
        await scene.ask('<attachment name="notes.txt">\nMany words\n</attachment>')
        assert scene.playground.title == "📎 notes.txt · 3 tok"


async def test_a_growing_answer_is_kept_and_a_very_long_one_not_written_anew_for_every_word(
    tmp_path: Path,
) -> None:
    async with playing(tmp_path, ["groq/stall-3"]) as scene:
        lane = scene.playground.lanes[0]
        scene.playground.ask("Go on")
        await until(lambda: lane.text)
        history, conversation = scene.desk.history, scene.playground.conversation

        await until(lambda: lane.text and history.load(conversation).answers[0].text == lane.text)
        saves: list[int] = []

        def hear(count: int) -> None:
            for _ in range(count):
                lane._take(TextDelta("word "))
            before = len(scene.tasks.names())
            lane.autosave()
            saves.append(len(scene.tasks.names()) - before)

        hear(VERY_LONG // 5 + 1)
        for _ in range(MOST_PASSED + 1):
            hear(1)
        assert saves == [1, *[0] * MOST_PASSED, 1]
        lane.stop()
