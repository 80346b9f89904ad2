"""A lane while its answer breaks and is mended: what it waits for, what it takes back, where the halves meet."""

from __future__ import annotations

import asyncio
from pathlib import Path

from msgspec.structs import replace

from tests.engine.asking import rung_of
from tests.playing import GOOD, playing
from tests.providers import TEXT, Behaviour, Seen
from tests.providers.continuing import ContinuingOpenAI
from tests.sitting import until
from vibedesk.engine.types import Terms
from vibedesk.state.lane import Lane


class Open(ContinuingOpenAI):
    """Asks for no key."""

    def _check_key(self, seen: Seen) -> None:
        return


def hearing(lane: Lane) -> list[str]:
    """What a screen would have shown after each step."""
    shown = [""]
    lane.answer_begun.connect(lambda: shown.append(""))
    lane.text_appended.connect(lambda text: shown.append(shown[-1] + text))
    lane.text_taken_back.connect(lambda at: shown.append(shown[-1][:at]))
    return shown


async def test_a_wait_is_counted_down_and_over_when_it_asks_again(tmp_path: Path) -> None:
    limited = Behaviour(status=429, headers={"retry-after": "1"}, times=1)
    async with playing(tmp_path, [GOOD], limited) as scene:
        lane = scene.playground.lanes[0]
        waited: list[float] = []
        lane.waited.connect(waited.append)
        scene.playground.ask("Hi")
        await until(lambda: waited)
        assert lane.waiting is not None
        assert lane.waiting.error.kind == "rate_limited"
        await scene.rest()
        assert lane.waiting is None
    assert waited == [1.0]
    assert lane.text == TEXT


async def test_what_is_taken_back_is_not_shown_and_not_kept(tmp_path: Path) -> None:
    async with playing(tmp_path, [GOOD]) as scene:
        await scene.ask()
        scene.groq.behaviour = Behaviour(cut="eof", cut_after=4, times=1)
        lane = scene.playground.lanes[0]
        rungs = await asyncio.to_thread(lane.rungs)
        rungs = tuple(replace(rung, terms=Terms(on_cut="restart")) for rung in rungs)
        shown = hearing(lane)
        lane.start(lane.request(), rungs)
        await lane.settle()
        await scene.rest()
        assert lane.result is not None
        assert (lane.result.outcome, lane.result.restarts) == ("complete", 1)
        assert shown[-1] == TEXT == lane.text == scene.answer().text
        assert [attempt.outcome for attempt in scene.answer().attempts] == ["cut", "complete"]


async def test_the_place_where_two_halves_meet_is_told(tmp_path: Path) -> None:
    whole = " ".join(f"word{n}" for n in range(60))
    server = Open(whole, 30, lambda said, rest: said[-80:] + rest)
    async with server, playing(tmp_path, [GOOD]) as scene:
        await scene.ask()
        lane = scene.playground.lanes[0]
        asked = rung_of(server, "openai-chat", "gpt-4.1-mini", id="openai")
        asked = replace(asked, terms=Terms(on_cut="continue"), deployment=replace(asked.deployment, key=None))
        joined: list[int] = []
        lane.continued.connect(joined.append)
        shown = hearing(lane)
        lane.start(lane.request(), [asked])
        await lane.settle()
        await scene.rest()
        assert lane.result is not None
        assert (lane.result.outcome, lane.result.text) == ("complete", whole)
        assert joined == list(lane.result.joined_at)
        assert whole[: joined[0]] + whole[joined[0] :] == shown[-1]
