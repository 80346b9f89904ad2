"""How long who is waited for, and that pings and comments are no answer."""

from __future__ import annotations

import time

import pytest
from msgspec.structs import replace

from tests.engine.asking import ask, router_of, rung_of
from tests.providers import Behaviour, OpenAI
from vibedesk.engine import errors
from vibedesk.engine.http import Http
from vibedesk.engine.timers import LOCAL, REASONING, USUAL, Timers, timers_for
from vibedesk.engine.types import Deployment, Model, Provider, Terms, Timeouts, Traits, request_of

HI = request_of("Hi")


def deployment(*, local: bool = False, **model: object) -> Deployment:
    provider = Provider(id="p", name="P", dialect="openai-chat", base_url="https://p.test/v1", local=local)
    return Deployment(
        provider=provider, model=Model(provider="p", id="m", name="M", **model), key=None, via="direct"
    )  # type: ignore[arg-type]


def usual(place: Deployment, request: object = HI) -> Timers:
    return timers_for(place, request, Timeouts())  # type: ignore[arg-type]


def test_who_thinks_and_who_loads_a_model_gets_longer() -> None:
    assert usual(deployment()) == USUAL
    assert usual(deployment(capabilities=frozenset({"reasoning"}))) == REASONING
    assert usual(deployment(traits=Traits(efforts=("low", "high")))) == REASONING
    assert usual(deployment(state="unlisted")) == REASONING
    assert usual(deployment(local=True)) == LOCAL
    assert LOCAL.first_token_s == 300.0


def test_thinking_that_was_turned_off_needs_no_time() -> None:
    place = deployment(capabilities=frozenset({"reasoning"}))
    assert usual(place, request_of("Hi", reasoning_effort="none")) == USUAL


def test_a_long_prompt_is_given_time_to_be_read() -> None:
    long = request_of("word " * 80_000)
    assert usual(deployment(), long).first_token_s > USUAL.first_token_s + 40


def test_an_answer_in_one_piece_has_its_first_word_last() -> None:
    assert usual(deployment(traits=Traits(streams=False))).first_token_s == USUAL.total_s


def test_what_the_route_says_comes_first() -> None:
    own = Timeouts(first_token_s=7.0, total_s=60.0)
    timers = timers_for(deployment(local=True), HI, own, Timers(idle_s=3.0))
    assert (timers.first_token_s, timers.idle_s, timers.total_s) == (7.0, 3.0, 60.0)


@pytest.mark.parametrize(
    ("behaviour", "timer"),
    [
        (Behaviour(stall_before_headers=True), "first_token"),
        (Behaviour(stall_after=0), "first_token"),
        (Behaviour(ping_only=True), "first_token"),
        (Behaviour(stall_after=3), "idle"),
        (Behaviour(text="word " * 400, tokens_per_s=40), "total"),
    ],
    ids=["no headers", "no word", "only pings", "silence", "too long"],
)
async def test_each_timer_ends_what_it_watches_and_is_named(
    http: Http, behaviour: Behaviour, timer: str
) -> None:
    own = Terms(timeouts=Timeouts(first_token_s=0.5, idle_s=0.5, total_s=1.5))
    async with OpenAI(behaviour) as server:
        rung = replace(rung_of(server, "openai-chat", "gpt-4.1-mini"), terms=own)
        began = time.monotonic()
        finished = await ask(router_of(http, timers=Timers()), [rung])
        assert time.monotonic() - began < 6
    assert isinstance(finished.error, errors.TimedOut)
    assert finished.error.facts["timer"] == timer
    assert finished.error.facts["limit_s"] == {"total": 1.5}.get(timer, 0.5)
