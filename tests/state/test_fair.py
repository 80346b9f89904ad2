"""The fair comparison over real sockets: eight lanes, ten turns, one failing, one cut, one stopped; and its times."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.playing import GOOD, Scene, playing
from tests.providers import TEXT, Behaviour
from tests.sitting import until
from vibedesk.engine.types import Parameters
from vibedesk.state.lane import Lane
from vibedesk.state.lane_sets import LaneSets, offers
from vibedesk.state.playground import Playground
from vibedesk.state.run import run_of

FAILING, CUT, STOPPED = "groq/fail-500", "groq/cut-reset", "groq/long"
EIGHT = [GOOD, FAILING, "groq/a", "groq/b", CUT, "groq/c", STOPPED, "groq/d"]
TURNS = 10


def prepare(scene: Scene) -> None:
    for name in "abcd":
        scene.groq.behaviours[name] = Behaviour(
            text=f"This is {name}, and a smile 😀.\n\n```py\nx = '{name}'\n```"
        )
    scene.groq.behaviours["long"] = Behaviour(text="Many words follow one another. " * 400, tokens_per_s=300)


async def ask(scene: Scene, text: str) -> None:
    """Asks all, stops the one that would never end, waits for the rest."""
    before = scene.playground.turns
    scene.playground.ask(text)
    endless = next(lane for lane in scene.playground.lanes if lane.spec.model == STOPPED)
    await until(lambda: scene.playground.turns > before and len(endless.text) > 20, 60)
    scene.playground.stop(scene.playground.lanes.index(endless))
    await until(lambda: not scene.tasks.names() and not scene.playground.running, 60)


def kept(lanes: list[Lane]) -> list[object]:
    return [(lane.spec, lane.exchanges, lane.phase) for lane in lanes]


async def test_eight_lanes_and_ten_turns_of_which_some_go_wrong_harm_no_other_and_come_back(
    tmp_path: Path,
) -> None:
    async with playing(tmp_path, EIGHT) as scene:
        prepare(scene)
        playground = scene.playground
        playground.configure(2, system="Be short.", parameters=Parameters(temperature=0.2))
        for number in range(TURNS):
            await ask(scene, f"Question {number}?")
        outcomes = [[one.answer.outcome for one in lane.exchanges if one.answer] for lane in playground.lanes]
        wrong = {1: "failed", 4: "cut", 6: "stopped"}
        assert outcomes == [[wrong.get(place, "complete")] * TURNS for place in range(8)]
        for lane in playground.lanes:
            name = lane.spec.model.removeprefix("groq/")
            said = {one.answer.text for one in lane.exchanges if one.answer}
            if name in "abcd":
                assert said == {scene.groq.behaviours[name].text}
        assert {one.answer.text for one in playground.lanes[0].exchanges if one.answer} == {TEXT}
        last = [seen.body for seen in scene.groq.asked if seen.body["model"] == "c"][-1]
        own = scene.groq.behaviours["c"].text
        assert [one["content"] for one in last["messages"]] == [
            text for number in range(TURNS) for text in (f"Question {number}?", own)
        ][:-1]
        before, id = kept(playground.lanes), playground.conversation
        await scene.tasks.close()
    async with playing(tmp_path, EIGHT) as scene:
        scene.playground.open_conversation(id)
        await until(lambda: scene.playground.conversation == id)
        await scene.rest()
        assert kept(scene.playground.lanes) == before
        assert scene.playground.turns == TURNS


async def test_all_requests_leave_together_and_each_answer_knows_when(tmp_path: Path) -> None:
    async with playing(tmp_path, [GOOD, "groq/a", "groq/b", "groq/c"]) as scene:
        prepare(scene)
        await scene.ask()
        left = [lane.exchanges[-1].answers[-1].left_s for lane in scene.playground.lanes]
        assert all(moment is not None for moment in left)
        assert min(moment for moment in left if moment is not None) == 0.0
        run = run_of(scene.playground.lanes, 0)
        assert run is not None
        assert run.spread_s == scene.playground.spread_s
        assert run.spread_s < 0.5  # a bound that holds on a busy machine; alone it is a millisecond
        reopened = scene.desk.history.load(scene.playground.conversation).answers
        assert sorted(answer.left_s or 0.0 for answer in reopened) == sorted(moment or 0.0 for moment in left)


async def test_a_lane_that_cannot_be_reached_does_not_hold_the_others_up(tmp_path: Path) -> None:
    async with playing(tmp_path, [GOOD, "groq/a"]) as scene:
        prepare(scene)
        nowhere = scene.desk.paths.config / "providers.toml"
        text = nowhere.read_text(encoding="utf-8")
        nowhere.write_text(
            text + '\n[providers.lab]\nname = "Lab"\ndialect = "openai-chat"\nkeyless = true\nlocal = true\n'
            'base_url = "http://127.0.0.1:9/v1"\n',
            encoding="utf-8",
        )
        await asyncio.to_thread(scene.desk.reload)
        scene.playground.set_model(1, "lab/none")
        await scene.ask()
        assert [lane.phase for lane in scene.playground.lanes] == ["complete", "failed"]
        assert scene.answer(0).left_s == 0.0
        assert scene.answer(1).left_s is None


async def test_the_times_are_those_the_server_kept(tmp_path: Path) -> None:
    words = "word " * 40
    pace = Behaviour(text=words, first_token_s=0.4, tokens_per_s=40)
    async with playing(tmp_path, ["groq/a", "groq/b"]) as scene:
        scene.groq.behaviours |= {"a": pace, "b": Behaviour(text=words)}
        await scene.ask()
        first, second = scene.answer(0), scene.answer(1)
        assert first.ttft_s is not None
        assert first.tokens_per_s is not None
        # never sooner than the server spoke, never faster than it did; how much later is the machine's business
        assert 0.39 <= first.ttft_s < 5
        assert 5 < first.tokens_per_s <= 42
        assert second.ttft_s is not None
        assert second.ttft_s < first.ttft_s


async def test_asked_several_times_the_answers_are_measured_together(tmp_path: Path) -> None:
    async with playing(tmp_path, [GOOD, "groq/a"]) as scene:
        prepare(scene)
        await scene.ask()
        scene.playground.repeat(4)
        assert scene.playground.running
        await scene.rest()
        run = run_of(scene.playground.lanes, 0)
        assert run is not None
        assert run.times == 4
        assert [row.figures["first"].count for row in run.rows if row.figures["first"]] == [4, 4]
        for row in run.rows:
            for found in row.figures.values():
                assert found is None or found.low <= found.middle <= found.high
        assert [len(lane.exchanges[0].answers) for lane in scene.playground.lanes] == [4, 4]
        assert len({str(seen.body["messages"]) for seen in scene.groq.asked}) == 1


async def test_stopping_ends_the_repeats(tmp_path: Path) -> None:
    async with playing(tmp_path, [STOPPED, "groq/a"]) as scene:
        prepare(scene)
        await ask(scene, "Go")
        scene.playground.repeat(5)
        await until(lambda: len(scene.playground.lanes[0].exchanges[0].answers) == 2)
        scene.playground.stop_all()
        await scene.rest()
        assert len(scene.playground.lanes[0].exchanges[0].answers) == 2


async def test_lanes_change_places_and_keep_their_new_order(tmp_path: Path) -> None:
    async with playing(tmp_path, [GOOD, "groq/a", "groq/b"]) as scene:
        prepare(scene)
        await scene.ask()
        playground = scene.playground
        playground.move_lane(0, 2)
        playground.move_lane(1, -5)
        names = ["groq/b", "groq/a", GOOD]
        assert [lane.spec.model for lane in playground.lanes] == names
        await scene.rest()
        lanes = scene.desk.history.load(playground.conversation).lanes
        assert [lane.model for lane in lanes] == names


async def test_going_on_with_one_keeps_the_others_aside_through_a_restart(tmp_path: Path) -> None:
    async with playing(tmp_path, [GOOD, "groq/a", "groq/b"]) as scene:
        prepare(scene)
        await scene.ask("All")
        scene.playground.promote(1)
        await scene.ask("One")
        await scene.rest()
        id = scene.playground.conversation
        assert [seen.body["model"] for seen in scene.groq.asked][3:] == ["a"]
    async with playing(tmp_path, ["groq/a"]) as scene:
        prepare(scene)
        scene.playground.open_conversation(id)
        await until(lambda: scene.playground.conversation == id)
        assert [lane.spec.model for lane in scene.playground.lanes] == ["groq/a"]
        assert len(scene.playground.lanes[0].exchanges) == 2
        scene.playground.bring_back()
        await scene.rest()
        assert [len(lane.exchanges) for lane in scene.playground.lanes] == [2, 1, 1]
        assert len(scene.playground.targets()) == 3


async def test_the_lanes_of_the_last_time_come_back_with_all_that_was_set(tmp_path: Path) -> None:
    async with playing(tmp_path, [GOOD, GOOD]) as scene:
        scene.playground.configure(
            1, parameters=Parameters(temperature=1.0), system="Sing.", via="direct", linked=False
        )
        await scene.rest()
        before = [lane.spec for lane in scene.playground.lanes]
    async with playing(tmp_path, [GOOD, GOOD]) as scene:
        for old, lane in zip(before, scene.playground.lanes, strict=True):
            assert (old.model, old.parameters, old.system, old.via, old.linked) == (
                lane.spec.model, lane.spec.parameters, lane.spec.system, lane.spec.via, lane.spec.linked,
            )  # fmt: skip


async def test_a_set_is_saved_opened_removed_and_had_back(tmp_path: Path) -> None:
    async with playing(tmp_path, [GOOD, "groq/a"]) as scene:
        playground: Playground = scene.playground
        sets = LaneSets(scene.desk, scene.tasks, scene.notices, playground)
        playground.configure(1, parameters=Parameters(temperature=0.0))
        sets.save("fast vs smart")
        await scene.rest()
        assert [one.name for one in sets.saved] == ["fast vs smart"]
        playground.close_lane(1)
        sets.open(sets.saved[0])
        await until(lambda: len(playground.lanes) == 2)
        assert playground.lanes[1].spec.parameters.temperature == 0.0
        await scene.rest()
        sets.remove(sets.saved[0])
        await scene.rest()
        assert sets.saved == ()
        notice = scene.notices.current()[-1]
        scene.notices.act(notice.id)
        await scene.rest()
        assert [one.name for one in sets.saved] == ["fast vs smart"]


async def test_one_model_at_two_temperatures_is_offered_where_it_takes_one(tmp_path: Path) -> None:
    async with playing(tmp_path, [GOOD]) as scene:
        offered = await asyncio.to_thread(offers, scene.desk, scene.playground.lanes[0].spec)
        names = {one.name.partition(":")[0]: one for one in offered}
        assert [lane.parameters.temperature for lane in names["Two temperatures"].lanes] == [0.0, 1.0]
        assert len({lane.model for lane in names["Fast against smart"].lanes}) == 2
        assert "Direct against gateway" not in names


@pytest.mark.parametrize("lanes", [[GOOD], ["groq/a", "groq/a"]])
async def test_votes_name_the_same_model_apart_or_not_at_all(tmp_path: Path, lanes: list[str]) -> None:
    async with playing(tmp_path, lanes) as scene:
        prepare(scene)
        contest = scene.playground.contest
        if len(lanes) == 1:
            assert not contest.begin()
            return
        scene.playground.configure(0, parameters=Parameters(temperature=0.0))
        assert contest.begin()
        await scene.ask()
        await until(lambda: contest.stage == "voting")
        contest.vote(0)
        await scene.rest()
        [vote] = scene.desk.votes.all()
        assert set(vote.contenders) == {"groq/a", "groq/a · temperature 0"}
