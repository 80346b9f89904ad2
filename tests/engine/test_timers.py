"""How long who is waited for, and that pings and comments are no answer."""

from __future__ import annotations

import time
from contextlib import aclosing

import pytest
from msgspec.structs import replace

from tests.engine.asking import ask, router_of, rung_of
from tests.providers import TEXT, Anthropic, Behaviour, OpenAI
from tests.providers.server import Event, Reply, Seen
from vibedesk.engine import errors
from vibedesk.engine.gate import Gate
from vibedesk.engine.http import Http
from vibedesk.engine.timers import LOCAL, REASONING, USUAL, Timers, timers_for
from vibedesk.engine.types import Deployment, Finished, Model, Provider, Terms, Timeouts, Traits, request_of

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


class Unending(OpenAI):
    """Fails, and never comes to the end of saying so."""

    def answer(self, seen: Seen) -> Reply:
        said = [Event("delta", b'{"error": {"message": "It is'), Event("end", b"")]
        unending = Behaviour(stall_after=1)
        return Reply(500, {"content-type": "application/json"}, events=said, behaviour=unending)


async def test_an_error_that_does_not_end_leaves_time_for_somebody_else(http: Http) -> None:
    async with Unending() as one, Anthropic() as other:
        rungs = [
            rung_of(one, "openai-chat", "gpt-4.1-mini"),
            rung_of(other, "anthropic", "claude-haiku-4-5", id="anthropic"),
        ]
        finished = await ask(router_of(http, timers=Timers(total_s=4.0)), rungs)
    assert (finished.outcome, finished.text) == ("complete", TEXT)
    assert [attempt.kind for attempt in finished.attempts] == ["server_error", "server_error", None]
    assert finished.attempts[0].message == "It is"


async def beside_one_that_is_late(http: Http, server: OpenAI, timers: Timers) -> Finished:
    """One ask of two that are to leave together; the other never comes to the start line."""
    gate = Gate(patience_s=2.0)
    ticket, _ = gate.ticket(), gate.ticket()
    answer = router_of(http, timers=timers).ask(HI, [rung_of(server, "openai-chat", "gpt-4.1-mini")], ticket)
    async with aclosing(answer.events()) as events:
        return [event async for event in events if isinstance(event, Finished)][-1]


async def test_waiting_for_others_at_the_start_line_is_nobodys_silence(http: Http) -> None:
    async with OpenAI() as server:
        finished = await beside_one_that_is_late(http, server, Timers(first_token_s=1.5))
        assert len(server.asked) == 1
    assert (finished.outcome, finished.text) == ("complete", TEXT)


async def test_once_the_request_has_left_the_first_word_is_waited_for(http: Http) -> None:
    async with OpenAI(Behaviour(stall_before_headers=True)) as server:
        finished = await beside_one_that_is_late(http, server, Timers(first_token_s=0.4))
        assert len(server.asked) == 1
    assert isinstance(finished.error, errors.TimedOut)
    assert finished.error.facts == {"timer": "first_token", "limit_s": 0.4, "model": "gpt-4.1-mini"}


class Mute(OpenAI):
    """Takes the call, whatever is asked, and says nothing."""

    def answer(self, seen: Seen) -> Reply:
        return Reply(behaviour=Behaviour(stall_before_headers=True))


async def test_a_connection_that_never_comes_about_is_ended_too(
    http: Http, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tunnel through a proxy has no timer of its own."""
    async with Mute() as proxy:
        monkeypatch.setenv("https_proxy", proxy.origin)
        far = Provider(id="far", name="Far", dialect="openai-chat", base_url="https://far.test/v1")
        rung = rung_of(proxy, "openai-chat", "m", provider=far)
        finished = await ask(router_of(http, timers=Timers(connect_s=0.3, first_token_s=0.4)), [rung])
    assert isinstance(finished.error, errors.TimedOut)
    assert (finished.error.facts["timer"], finished.error.facts["limit_s"]) == ("connect", 0.7)
