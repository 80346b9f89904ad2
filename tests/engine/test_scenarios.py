"""Sixteen outages and one clean end in the middle, as a bench of gateways would play them: a primary that fails, a
fallback that does not; after each the text is whole, or said not to be."""

from __future__ import annotations

import asyncio
import time

import pytest

from tests.engine.asking import CALM, ask, router_of, rung_of, timers_beside
from tests.providers import TEXT, Anthropic, Behaviour, OpenAI
from vibedesk.engine.http import Http
from vibedesk.engine.types import Finished, Rung

GPT, HAIKU = "gpt-4.1-mini", "claude-haiku-4-5"
OVERFLOW = {"error": {"message": "maximum context length is 8192 tokens", "code": "context_length_exceeded"}}
POLICY = {"error": {"message": "no", "code": "content_policy_violation"}}
MONEY = {"error": {"message": "quota", "code": "insufficient_quota"}}
LONG = "One word after another, " * 20

# name: (primary's fault, requests to it at most, outcome, whole text, who answers)
SCENARIOS: dict[str, tuple[Behaviour, int, str, str, str]] = {
    "S01 healthy": (Behaviour(), 1, "complete", TEXT, "openai"),
    "S02 rate limited once": (Behaviour(status=429, headers={"retry-after": "1"}, times=1), 2, "complete", TEXT, ""),
    "S03 a fault once": (Behaviour(status=500, times=1), 2, "complete", TEXT, "openai"),
    "S04 always 503": (Behaviour(status=503), 3, "complete", TEXT, "anthropic"),
    "S05 wrong key": (Behaviour(status=401), 1, "complete", TEXT, "anthropic"),
    "S06 headers never come": (Behaviour(stall_before_headers=True), 1, "complete", TEXT, "anthropic"),
    "S07 the first token never comes": (Behaviour(stall_after=0), 1, "complete", TEXT, "anthropic"),
    "S08 cut in the middle": (Behaviour(cut="chunked", cut_after=4), 1, "cut", "", "openai"),
    "S09 silent in the middle": (Behaviour(stall_after=4), 1, "cut", "", "openai"),
    "S10 one bad event": (Behaviour(malformed_after=3), 1, "complete", TEXT, "openai"),
    "S11 an error inside": (Behaviour(error_after=4), 1, "cut", "", "openai"),
    "S12 too long a prompt": (Behaviour(status=400, body=OVERFLOW), 1, "complete", TEXT, "anthropic"),
    "S13 refused by policy": (Behaviour(status=400, body=POLICY), 1, "failed", "", ""),
    "S14 reset in the middle": (Behaviour(cut="reset", cut_after=4), 1, "cut", "", "openai"),
    "S16 no money": (Behaviour(status=429, body=MONEY), 1, "complete", TEXT, "anthropic"),
    "S17 a clean end in the middle": (Behaviour(cut="eof", cut_after=4), 1, "cut", "", "openai"),
}  # fmt: skip


def pair(one: OpenAI, other: Anthropic) -> list[Rung]:
    return [
        rung_of(one, "openai-chat", GPT, id="openai", context_window=8_192),
        rung_of(other, "anthropic", HAIKU, id="anthropic", context_window=200_000),
    ]


@pytest.mark.parametrize("name", SCENARIOS)
async def test_scenario(http: Http, name: str) -> None:
    fault, most, outcome, text, who = SCENARIOS[name]
    async with OpenAI(fault) as one, Anthropic() as other:
        began = time.monotonic()
        finished = await ask(router_of(http, timers=timers_beside(fault)), pair(one, other))
        assert time.monotonic() - began < 20
        assert len(one.asked) <= most
    assert finished.outcome == outcome
    if text:
        assert finished.text == text
    else:
        assert TEXT.startswith(finished.text)
    assert (finished.error is None) == (outcome == "complete")
    assert who in finished.deployment
    assert len(finished.attempts) == len(one.asked) + len(other.asked)


@pytest.mark.parametrize("fault", [Behaviour(status=500), Behaviour(status=503), Behaviour(stall_after=0), Behaviour(hang_up_before_headers=True)], ids=["500", "503", "silence", "hung up"])  # fmt: skip # noqa: E501
async def test_s15_a_dead_primary_costs_fifteen_asks_six_requests_at_most_and_is_back_in_thirty_seconds(
    http: Http, fault: Behaviour
) -> None:
    now = 1_795_000_000.0
    async with OpenAI(fault) as one, Anthropic() as other:
        router = router_of(http, timers=timers_beside(fault))
        router.wall = lambda: now
        for _ in range(15):
            finished = await ask(router, pair(one, other))
            assert (finished.outcome, finished.text) == ("complete", TEXT)
            now += 1.0
        assert len(one.asked) <= 6
        one.behaviour = Behaviour()
        back = 0.0
        while not (await ask(router, pair(one, other))).deployment.startswith("openai"):
            now += 1.0
            back += 1.0
            assert back <= 36.0, "30 s, spread by a fifth"
        assert (await ask(router, pair(one, other))).deployment.startswith("openai")


async def test_s15_nobody_listening_is_an_outage_too(http: Http) -> None:
    async with OpenAI() as one:
        dead = one
    async with Anthropic() as other:
        router = router_of(http, timers=CALM)
        answers = [await ask(router, pair(dead, other)) for _ in range(15)]
    asked = [attempt for finished in answers for attempt in finished.attempts if attempt.kind == "refused"]
    assert {finished.outcome for finished in answers} == {"complete"}
    assert len(asked) <= 6


async def test_ten_asks_at_once_send_one_probe(http: Http) -> None:
    now = 1_795_000_000.0
    async with OpenAI(Behaviour(status=500)) as one, Anthropic() as other:
        router = router_of(http, timers=CALM)
        router.wall = lambda: now
        for _ in range(2):
            await ask(router, pair(one, other))
        before = len(one.asked)
        now += 10.0
        one.behaviour = Behaviour(text=LONG, tokens_per_s=100)
        answers = await asyncio.gather(*(ask(router, pair(one, other)) for _ in range(10)))
        assert len(one.asked) == before + 1
    assert {finished.outcome for finished in answers} == {"complete"}


async def test_a_wrong_key_is_left_aside_by_the_asks_that_follow(http: Http) -> None:
    async with OpenAI(Behaviour(status=401)) as one, Anthropic() as other:
        router = router_of(http, timers=CALM)
        for _ in range(5):
            assert (await ask(router, pair(one, other))).outcome == "complete"
        assert len(one.asked) == 1
        one.behaviour = Behaviour()
        router.key_changed("key-openai")
        assert (await ask(router, pair(one, other))).deployment.startswith("openai")


async def test_another_network_lets_everybody_try_anew(http: Http) -> None:
    async with OpenAI(Behaviour(status=500)) as one, Anthropic() as other:
        router = router_of(http, timers=CALM)
        for _ in range(3):
            await ask(router, pair(one, other))
        one.behaviour = Behaviour()
        assert (await ask(router, pair(one, other))).deployment.startswith("anthropic")
        router.network_changed()
        assert (await ask(router, pair(one, other))).deployment.startswith("openai")


async def test_a_machine_that_slept_is_on_another_network(http: Http) -> None:
    ahead = 0.0
    async with OpenAI(Behaviour(status=500)) as one, Anthropic() as other:
        router = router_of(http, timers=CALM)
        router.wall = lambda: time.time() + ahead
        for _ in range(3):
            await ask(router, pair(one, other))
        assert router.world.breakers != {}
        await router.prepare(pair(one, other))
        assert router.world.breakers != {}
        ahead = 31.0
        await router.prepare(pair(one, other))
        assert router.world.breakers == {}


async def test_no_network_is_one_sentence_and_opens_no_breaker(http: Http) -> None:
    async with OpenAI() as one, Anthropic() as other:
        rungs = pair(one, other)
    router = router_of(http, timers=CALM)
    finished: Finished = await ask(router, rungs)
    assert finished.error is not None
    assert (finished.outcome, finished.error.kind) == ("failed", "offline")
    for _ in range(4):
        await ask(router, rungs)
    assert router.world.breakers == {}
