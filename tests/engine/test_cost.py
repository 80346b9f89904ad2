"""What an answer cost that nobody counted: about what its words come to, said to be so, and never forgotten."""

from __future__ import annotations

from contextlib import aclosing
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from tests.engine.asking import CALM, ask, key_of, provider_of, router_of, rung_of
from tests.providers import Anthropic, Behaviour, Gateway, OpenAI
from tests.providers.continuing import ContinuingOpenAI
from vibedesk.engine.http import Http
from vibedesk.engine.pricing import estimate_tokens
from vibedesk.engine.router import Router
from vibedesk.engine.types import ApiKey, Cost, Limits, Price, Rung, Terms, TextDelta, Usage, request_of
from vibedesk.engine.types import Gateway as GatewayValue

PRICE = Price(input=Decimal(3), output=Decimal(15), source="list of 2026")
QUESTION = request_of("why " * 1_000)
CUT = Behaviour(text="word " * 400, cut="chunked", cut_after=200)


def chat(server: OpenAI, *, limits: Limits | None = None, **more: Any) -> Rung:
    rung = rung_of(server, "openai-chat", "gpt-4.1-mini", **({"price": PRICE} | more))
    if limits is None:
        return rung
    key = key_of(rung.deployment.provider, limits=limits)
    return replace(rung, deployment=replace(rung.deployment, key=key))


def about(question: int, *said: str) -> Cost:
    """What so many tokens of a question, and these words, cost by the list."""
    usd = 3 * question + 15 * sum(map(estimate_tokens, said))
    return Cost(usd=Decimal(usd) * Decimal("0.000001"), source="list of 2026", estimated=True)


def spent(router: Router) -> Decimal:
    [uses] = router.world.uses.values()
    return uses.month_usd


async def test_what_was_cut_costs_about_what_its_words_come_to(http: Http) -> None:
    async with OpenAI(CUT) as server:
        router = router_of(http, timers=CALM)
        finished = await ask(router, [chat(server, limits=Limits(monthly_usd=Decimal(1)))], QUESTION)
    assert (finished.outcome, finished.usage) == ("cut", None)
    assert finished.cost == about(1_000, finished.text)
    [attempt] = finished.attempts
    assert (attempt.usage, attempt.cost) == (None, finished.cost)
    assert attempt.guess == Usage(input_tokens=1_000, output_tokens=estimate_tokens(finished.text))
    assert spent(router) == finished.cost.usd


async def test_reasoning_is_paid_for_too(http: Http) -> None:
    thinking = Behaviour(reasoning="hm " * 400, text="Yes. " * 40, cut="chunked", cut_after=410)
    async with Anthropic(thinking) as server:
        rung = rung_of(server, "anthropic", "claude-haiku-4-5", id="anthropic", price=PRICE)
        finished = await ask(router_of(http, timers=CALM), [rung], QUESTION)
    assert finished.text
    assert finished.cost == about(1_000, finished.text, finished.reasoning)


async def test_what_was_stopped_costs_what_had_been_said(http: Http) -> None:
    async with OpenAI(Behaviour(text="word " * 400, stall_after=200)) as server:
        router = router_of(http, timers=CALM)
        answer = router.ask(QUESTION, [chat(server, limits=Limits(monthly_usd=Decimal(1)))])
        async with aclosing(answer.events()) as events:
            async for event in events:
                if isinstance(event, TextDelta) and len(answer.text) > 100:
                    break
    stopped = answer.stopped()
    assert (stopped.outcome, stopped.usage) == ("stopped", None)
    assert stopped.cost == about(1_000, stopped.text)
    assert spent(router) == stopped.cost.usd


async def test_a_server_that_counts_nothing_is_counted_for(http: Http) -> None:
    async with OpenAI(Behaviour(usage=False)) as server:
        finished = await ask(router_of(http, timers=CALM), [chat(server)], QUESTION)
    assert (finished.outcome, finished.usage) == ("complete", None)
    assert finished.cost == about(1_000, finished.text)


async def test_cut_answers_fill_a_budget(http: Http) -> None:
    budget = Limits(monthly_usd=Decimal("0.03"))
    async with OpenAI(CUT) as server:
        router = router_of(http, timers=CALM)
        finished = [await ask(router, [chat(server, limits=budget)], QUESTION) for _ in range(6)]
        assert 1 < len(server.asked) < 6
    assert (finished[0].outcome, finished[-1].outcome) == ("cut", "failed")
    assert spent(router) == sum(one.cost.usd for one in finished if one.cost)


@pytest.mark.parametrize(
    "facts", [{}, {"local": True}, {"keyless": True}], ids=["no price", "local", "keyless"]
)
async def test_what_has_no_price_or_runs_at_home_is_given_none(http: Http, facts: dict[str, Any]) -> None:
    async with OpenAI(CUT) as server:
        provider = provider_of(server, "openai-chat", **facts)
        rung = chat(server, provider=provider, price=PRICE if facts else None)
        finished = await ask(router_of(http, timers=CALM), [rung], QUESTION)
    assert (finished.text != "", finished.cost, finished.attempts[0].cost) == (True, None, None)


async def test_what_comes_from_the_gateways_cache_costs_nothing(http: Http) -> None:
    async with (
        OpenAI(Behaviour(usage=False)) as server,
        Gateway({"openai": server.base_url}, cache_status="HIT") as front,
    ):
        token = ApiKey(
            id="cf", provider="cloudflare-ai-gateway", label="", hint="", source="vault", origin=front.origin
        )
        value = GatewayValue(account=front.account, name=front.name, token=token, base_url=front.base_url)
        provider = provider_of(server, "openai-chat", gateway_slug="openai", gateway_strips=server.base_url)
        rung = chat(server, provider=provider, gateway=value)
        finished = await ask(router_of(http, timers=CALM, cf="gateway-token"), [rung], QUESTION)
    assert finished.cost == Cost(usd=Decimal(0), source="gateway cache")


async def test_an_answer_that_never_began_costs_nothing(http: Http) -> None:
    async with OpenAI(Behaviour(cut="chunked", cut_after=0)) as server:
        router = router_of(http, timers=CALM)
        finished = await ask(router, [chat(server, limits=Limits(monthly_usd=Decimal(1)))], QUESTION)
    assert {attempt.cost for attempt in finished.attempts} == {None}
    assert spent(router) == 0


async def test_each_half_of_a_joined_answer_costs_its_own_words(http: Http) -> None:
    whole = (
        "There was once a desk that spoke to many models, and when a line broke it asked for the rest of it."
    )
    async with ContinuingOpenAI(whole, 12, lambda said, rest: said + rest) as server:
        rung = replace(chat(server), terms=Terms(on_cut="continue"))
        finished = await ask(router_of(http, timers=CALM), [rung], QUESTION)
    first, second = finished.attempts
    assert (finished.text, finished.usage) == (whole, None)
    assert first.cost == about(1_000, whole[: finished.joined_at[0]])
    assert second.cost is not None
    assert (second.usage is not None, second.cost.estimated) == (True, False)
    assert finished.cost == Cost(usd=first.cost.usd + second.cost.usd, source="list of 2026", estimated=True)


async def test_an_answer_said_anew_leaves_the_first_its_own_cost(http: Http) -> None:
    terms = Terms(on_cut="restart")
    async with OpenAI(CUT) as one, Anthropic(Behaviour(text="Yes. " * 40, cut="eof", cut_after=20)) as other:
        second = rung_of(other, "anthropic", "claude-haiku-4-5", id="anthropic", price=PRICE)
        rungs = [replace(rung, terms=terms) for rung in (chat(one), second)]
        finished = await ask(router_of(http, timers=CALM), rungs, QUESTION)
    assert finished.restarts == 2
    assert finished.cost == about(1_000, finished.text)
    first, *others = [attempt.cost for attempt in finished.attempts]
    assert (first, others) == (about(1_000, "word " * 200), [finished.cost] * 2)
