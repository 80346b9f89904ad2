"""Asking: falling back, waiting, stopping, and exactly one honest record at the end."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from tests.engine.asking import CALM, ask, events_of, key_of, no_pause, provider_of, router_of, rung_of
from tests.providers import TEXT, Anthropic, Behaviour, Gateway, Gemini, OpenAI
from vibedesk.engine import errors
from vibedesk.engine.errors import EngineError
from vibedesk.engine.http import Http, Timers
from vibedesk.engine.router import Router
from vibedesk.engine.types import (
    ApiKey,
    Deployment,
    FellBack,
    Finished,
    Model,
    Price,
    Provider,
    Rung,
    Secret,
    Started,
    TextDelta,
    Waiting,
    request_of,
)
from vibedesk.engine.types import Gateway as GatewayValue

GPT = "gpt-4.1-mini"
HAIKU = "claude-haiku-4-5"


def chat(server: OpenAI, model: str = GPT, **more: object) -> Rung:
    return rung_of(server, "openai-chat", model, id="openai", **more)  # type: ignore[arg-type]


def claude(server: Anthropic, **more: object) -> Rung:
    return rung_of(server, "anthropic", HAIKU, id="anthropic", **more)  # type: ignore[arg-type]


class TestFallingBack:
    async def test_the_next_deployment_answers_before_anything_was_shown(self, http: Http) -> None:
        limited = Behaviour(status=429, headers={"retry-after": "2"})
        async with OpenAI(limited) as first, Anthropic() as second:
            events = await events_of(router_of(http), [chat(first), claude(second)])
        kinds = [type(event) for event in events]
        assert kinds[:3] == [Started, FellBack, Started]
        fell, finished = events[1], events[-1]
        assert isinstance(fell, FellBack)
        assert (fell.error.kind, fell.failed.name, fell.next.name) == (
            "rate_limited",
            f"openai/{GPT}",
            f"anthropic/{HAIKU}",
        )
        assert isinstance(finished, Finished)
        assert (finished.outcome, finished.text, finished.deployment) == (
            "complete",
            TEXT,
            f"anthropic/{HAIKU}",
        )
        assert [attempt.rule for attempt in finished.attempts] == ["first choice", "next after rate_limited"]
        assert [attempt.outcome for attempt in finished.attempts] == ["failed", "complete"]
        assert finished.attempts[0].status == 429

    async def test_a_failing_server_is_tried_once_more_before_moving_on(self, http: Http) -> None:
        async with OpenAI(Behaviour(status=500)) as first, Anthropic() as second:
            finished = await ask(router_of(http), [chat(first), claude(second)])
            assert len(first.asked) == 2
        assert [attempt.rule for attempt in finished.attempts][1:] == [
            "again after server_error",
            "next after server_error",
        ]

    async def test_a_silent_server_is_left_at_once(self, http: Http) -> None:
        async with OpenAI(Behaviour(stall_before_headers=True)) as first, Anthropic() as second:
            finished = await ask(router_of(http), [chat(first), claude(second)])
            assert len(first.asked) == 1
            await asyncio.wait_for(first.asked[0].closed.wait(), 1)
        assert (finished.outcome, finished.text) == ("complete", TEXT)

    async def test_nobody_else_is_asked_once_something_was_shown(self, http: Http) -> None:
        async with OpenAI(Behaviour(cut="chunked")) as first, Anthropic() as second:
            finished = await ask(router_of(http), [chat(first), claude(second)])
            assert second.asked == []
        assert (finished.outcome, finished.text) == ("cut", "Hello! This")
        assert finished.not_needed == (f"anthropic/{HAIKU}",)

    async def test_a_blocked_prompt_is_not_carried_around(self, http: Http) -> None:
        body = {
            "error": {
                "message": "blocked",
                "type": "invalid_request_error",
                "code": "content_policy_violation",
            }
        }
        async with OpenAI(Behaviour(status=400, body=body)) as first, Anthropic() as second:
            finished = await ask(router_of(http), [chat(first), claude(second)])
            assert second.asked == []
        assert isinstance(finished.error, errors.ContentBlocked)

    async def test_a_question_about_wrong_keys_kills_none(self, http: Http) -> None:
        body = {
            "error": {
                "message": "Invalid value: 'Incorrect API key provided'",
                "type": "invalid_request_error",
                "param": "messages",
                "code": "invalid_value",
            }
        }
        async with OpenAI(Behaviour(status=400, body=body)) as server:
            router = router_of(http)
            finished = await ask(router, [chat(server)], request_of("Incorrect API key provided"))
        assert isinstance(finished.error, errors.BadRequest)
        assert router.world.dead == {}

    async def test_rungs_that_cannot_be_asked_are_stepped_over_and_named(self, http: Http) -> None:
        async with OpenAI() as server:
            blocked = chat(server, obstacle=errors.NoKey("no key"))
            events = await events_of(router_of(http), [blocked, blocked, chat(server)])
            assert len(server.asked) == 1
        assert [event.error.kind for event in events if isinstance(event, FellBack)] == ["no_key", "no_key"]
        assert isinstance(events[-1], Finished)
        assert events[-1].outcome == "complete"

    async def test_with_nobody_to_ask_the_first_obstacle_is_the_failure(self, http: Http) -> None:
        async with OpenAI() as server:
            blocked = chat(server, obstacle=errors.NoKey("no key"))
            finished = await ask(
                router_of(http), [blocked, chat(server, obstacle=errors.RetiredModel("gone"))]
            )
            assert server.seen == []
        assert (finished.outcome, finished.attempts) == ("failed", ())
        assert isinstance(finished.error, errors.NoKey)

    async def test_an_empty_route_fails_too(self, http: Http) -> None:
        assert (await ask(router_of(http), [])).outcome == "failed"

    async def test_a_locked_vault_is_a_failure_not_a_crash(self, http: Http) -> None:
        async def locked(key: ApiKey) -> Secret:
            raise errors.SecretUnavailable("the vault is locked")

        async with OpenAI() as server:
            finished = await ask(Router(http, locked), [chat(server)])
            assert server.seen == []
        assert isinstance(finished.error, errors.SecretUnavailable)


class TestWaiting:
    async def test_a_short_rate_limit_is_waited_for_where_nobody_else_answers(self, http: Http) -> None:
        pauses: list[float] = []

        async def pause(seconds: float) -> None:
            pauses.append(seconds)

        async with OpenAI(Behaviour(status=429, headers={"retry-after": "2"}, times=1)) as server:
            router = router_of(http)
            router.pause = pause
            events = await events_of(router, [chat(server)])
        waiting = [event for event in events if isinstance(event, Waiting)]
        assert [(event.seconds, event.error.kind) for event in waiting] == [(2.0, "rate_limited")]
        assert pauses == [2.0]
        assert isinstance(events[-1], Finished)
        assert events[-1].outcome == "complete"

    async def test_nothing_is_waited_for_after_the_last_attempt(self, http: Http) -> None:
        pauses: list[float] = []

        async def pause(seconds: float) -> None:
            pauses.append(seconds)

        async with OpenAI(Behaviour(status=503)) as server:
            router = router_of(http)
            router.pause = pause
            finished = await ask(router, [chat(server)])
        assert (len(finished.attempts), len(pauses)) == (3, 2)

    async def test_a_wait_past_the_total_time_is_not_begun(self, http: Http) -> None:
        async with OpenAI(Behaviour(status=429, headers={"retry-after": "9"})) as server:
            finished = await ask(router_of(http, timers=Timers(total_s=5.0)), [chat(server)])
        assert (finished.outcome, len(finished.attempts)) == ("failed", 1)

    async def test_the_total_time_ends_a_stream_that_never_does(self, http: Http) -> None:
        slow = Behaviour(text="word " * 500, tokens_per_s=40)
        async with OpenAI(slow) as server:
            finished = await ask(router_of(http, timers=Timers(total_s=0.4)), [chat(server)])
        assert finished.outcome == "cut"
        assert isinstance(finished.error, errors.TimedOut)
        assert finished.error.facts["timer"] == "total"

    async def test_a_reader_that_takes_its_time_is_no_silence_of_the_provider(self, http: Http) -> None:
        async with OpenAI() as server:
            answer = router_of(http, timers=Timers(first_token_s=0.2, idle_s=0.2)).ask(
                request_of("Hi"), [chat(server)]
            )
            async with aclosing(answer.events()) as events:
                async for event in events:
                    if isinstance(event, TextDelta) and answer.text == "Hello!":
                        await asyncio.sleep(0.5)
        assert isinstance(event, Finished)
        assert event.outcome == "complete"


class TestBatches:
    async def test_batches_hold_the_same_events_in_the_same_order(self, http: Http) -> None:
        kinds = []
        for way in ("events", "batches"):
            limited = Behaviour(status=429, headers={"retry-after": "2"})
            async with (
                OpenAI(limited) as first,
                Anthropic(Behaviour(reasoning="a b", text="c d e")) as second,
            ):
                answer = router_of(http).ask(request_of("Hi"), [chat(first), claude(second)])
                if way == "events":
                    async with aclosing(answer.events()) as events:
                        kinds.append([event async for event in events])
                else:
                    async with aclosing(answer.batches()) as batches:
                        found = [batch async for batch in batches]
                    assert all(found)
                    kinds.append([event for batch in found for event in batch])
        ones, others = ([type(event) for event in events] for events in kinds)
        assert ones == others
        texts = [[e.text for e in events if isinstance(e, TextDelta)] for events in kinds]
        assert texts[0] == texts[1]

    async def test_what_was_read_at_once_comes_together(self, http: Http) -> None:
        async with OpenAI(Behaviour(text="word " * 300)) as server:
            answer = router_of(http).ask(request_of("Hi"), [chat(server)])
            async with aclosing(answer.batches()) as batches:
                sizes = [len(batch) async for batch in batches]
        assert sum(sizes) > 300
        assert max(sizes) > 1

    async def test_stopping_a_stream_while_it_rests_closes_its_socket(self, http: Http) -> None:
        async with OpenAI(Behaviour(text="word " * 4000, tokens_per_s=400)) as server:
            answer = router_of(http, timers=CALM).ask(request_of("Hi"), [chat(server)])

            async def listen() -> None:
                async with aclosing(answer.batches()) as batches:
                    async for _ in batches:
                        pass

            for delay_s in (1.5, 1.507):
                answer = router_of(http, timers=CALM).ask(request_of("Hi"), [chat(server)])
                listener = asyncio.create_task(listen())
                await asyncio.sleep(delay_s)
                listener.cancel()
                await asyncio.gather(listener, return_exceptions=True)
                await asyncio.wait_for(server.asked[-1].closed.wait(), 10)
                assert answer.stopped().outcome == "stopped"
                assert answer.text.startswith("word word")

    async def test_what_came_before_a_failure_is_told_before_it(self, http: Http) -> None:
        async with OpenAI(Behaviour(error_after=2)) as server:
            answer = router_of(http).ask(request_of("Hi"), [chat(server)])
            async with aclosing(answer.batches()) as batches:
                events = [event async for batch in batches for event in batch]
        assert "".join(e.text for e in events if isinstance(e, TextDelta)) == "Hello! This"
        assert isinstance(events[-1], Finished)
        assert events[-1].outcome == "cut"

    async def test_a_fast_stream_is_paced_and_its_times_stay_true(self, http: Http) -> None:
        fast = Behaviour(text="word " * 600, tokens_per_s=400, first_token_s=0.1)
        async with OpenAI(fast) as server:
            answer = router_of(http).ask(request_of("Hi"), [chat(server)])
            loop = asyncio.get_running_loop()
            began, at, sizes = loop.time(), [], []
            async with aclosing(answer.batches()) as batches:
                async for batch in batches:
                    if isinstance(batch[0], TextDelta):
                        at.append(loop.time() - began)
                        sizes.append(len(batch))
        finished = answer.stopped()
        assert finished.outcome == "complete"
        assert finished.ttft_s is not None
        assert 0.1 <= finished.ttft_s < 0.3
        assert at[0] < 0.3
        late = [size for size, when in zip(sizes, at, strict=True) if when - at[0] > 0.6]
        assert sum(late) / len(late) > 1.5
        assert finished.tokens_per_s is not None
        assert abs(finished.tokens_per_s - (sum(sizes) - 1) / (at[-1] - at[0])) < 0.05 * finished.tokens_per_s


FIVE = [
    ("a wrong key", Behaviour(status=401), errors.InvalidKey, "failed"),
    ("a web page", Behaviour(instead="html"), errors.NotThisApi, "failed"),
    ("a cut stream", Behaviour(cut="eof"), errors.Cut, "cut"),
    ("an empty answer", Behaviour(instead="only_done"), errors.EmptyAnswer, "failed"),
    ("silence", Behaviour(stall_after=0), errors.TimedOut, "failed"),
]


class TestHonesty:
    @pytest.mark.parametrize(
        ("behaviour", "kind", "outcome"), [row[1:] for row in FIVE], ids=[row[0] for row in FIVE]
    )
    async def test_five_ways_to_fail_are_five_different_failures(
        self, http: Http, behaviour: Behaviour, kind: type[EngineError], outcome: str
    ) -> None:
        async with OpenAI(behaviour) as server:
            finished = await ask(router_of(http), [chat(server)])
        assert type(finished.error) is kind
        assert finished.outcome == outcome
        assert finished.error.provider == "openai"
        assert finished.error.key == "work …-key"

    async def test_no_network_is_a_failure_of_its_own(self, http: Http) -> None:
        async with OpenAI() as server:
            rung = chat(server)
        finished = await ask(router_of(http), [rung])
        assert isinstance(finished.error, errors.ConnectionRefused)

    async def test_a_key_echoed_by_the_provider_is_blanked(self, http: Http) -> None:
        secret = "sk-loopback-" + "x" * 40
        body = {"error": {"message": f"Incorrect API key provided: {secret}.", "code": "invalid_api_key"}}
        async with OpenAI(Behaviour(status=401, body=body), key=secret) as server:
            finished = await ask(router_of(http, key_openai=secret), [chat(server)])
        assert isinstance(finished.error, errors.InvalidKey)
        assert secret not in repr(finished)
        assert secret[-12:] not in finished.error.provider_message + finished.attempts[0].message

    async def test_a_deployment_whose_key_belongs_elsewhere_sees_no_request(self, http: Http) -> None:
        async with OpenAI() as server:
            provider = provider_of(server, "openai-chat")
            deployment = Deployment(
                provider=provider,
                model=Model(provider="openai", id=GPT, name=GPT),
                key=key_of(provider, origin="https://api.openai.com"),
                via="direct",
            )
            finished = await ask(router_of(http), [Rung(deployment=deployment, reason="first choice")])
            assert server.seen == []
        assert isinstance(finished.error, errors.KeyBoundElsewhere)

    @settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        faults=some.lists(
            some.sampled_from(
                [row[1] for row in FIVE[:4]] + [Behaviour(status=500), Behaviour(error_after=1), Behaviour()]
            ),
            min_size=1,
            max_size=3,
        )
    )
    def test_every_route_ends_in_exactly_one_finished(self, faults: list[Behaviour]) -> None:
        async def run() -> None:
            http = Http()
            servers = [await OpenAI(fault).__aenter__() for fault in faults]
            try:
                rungs = [
                    rung_of(server, "openai-chat", GPT, id=f"p{place}")
                    for place, server in enumerate(servers)
                ]
                finished = await ask(router_of(http), rungs)
                assert (finished.error is None) == (finished.outcome == "complete")
                assert finished.outcome != "complete" or finished.text == TEXT
                assert TEXT.startswith(finished.text)
            finally:
                for server in servers:
                    await server.__aexit__()
                await http.close()

        asyncio.run(run())


class TestRecord:
    async def test_times_speed_cost_and_ids_are_kept(self, http: Http) -> None:
        price = Price(input=Decimal("1"), output=Decimal("2"), cached=Decimal("0.5"), source="list of 2026")
        async with OpenAI(Behaviour(tokens_per_s=100, first_token_s=0.1)) as server:
            finished = await ask(router_of(http), [chat(server, price=price)])
        assert finished.ttft_s is not None
        assert 0.1 <= finished.ttft_s < 0.4
        assert finished.tokens_per_s is not None
        assert 40 < finished.tokens_per_s < 130
        assert finished.cost is not None
        assert (finished.cost.usd, finished.cost.source) == (Decimal("0.000033"), "list of 2026")
        [attempt] = finished.attempts
        assert attempt.request_id == "req_1"
        assert (attempt.key, attempt.key_id, attempt.via) == ("work …-key", "key-openai", "direct")
        assert attempt.started_s == 0, "the time that is told begins with the first request"
        assert attempt.connected_s is not None
        assert (
            attempt.started_s <= attempt.connected_s <= finished.ttft_s <= attempt.ended_s <= finished.took_s
        )
        assert attempt.usage == finished.usage

    async def test_reasoning_is_timed_apart(self, http: Http) -> None:
        async with Anthropic(Behaviour(reasoning="a b c d e", text="f g", tokens_per_s=50)) as server:
            finished = await ask(router_of(http), [claude(server)])
        assert finished.reasoning_s is not None
        assert 0.05 < finished.reasoning_s < 0.4
        assert finished.ttft_s is not None

    async def test_reasoning_nobody_saw_does_not_make_an_answer_look_fast(self, http: Http) -> None:
        """OpenAI counts hidden reasoning as output: made before the first word, it is not speed."""
        async with OpenAI(Behaviour(reasoning="x " * 400, text="a b c d e", tokens_per_s=100)) as server:
            finished = await ask(router_of(http), [chat(server)])
        assert finished.usage is not None
        assert finished.usage.output_tokens > 400
        assert finished.tokens_per_s is not None
        assert finished.tokens_per_s < 150

    async def test_stopping_between_attempts_is_a_record_too(self, http: Http) -> None:
        async with OpenAI(Behaviour(status=500)) as server:
            router = router_of(http)
            pausing = asyncio.Event()

            async def pause(seconds: float) -> None:
                pausing.set()
                await asyncio.sleep(30)

            router.pause = pause
            answer = router.ask(request_of("Hi"), [chat(server)])

            async def listen() -> None:
                async with aclosing(answer.events()) as events:
                    async for _ in events:
                        pass

            listener = asyncio.create_task(listen())
            await asyncio.wait_for(pausing.wait(), 5)
            listener.cancel()
            await asyncio.gather(listener, return_exceptions=True)
        stopped = answer.stopped()
        assert (stopped.outcome, stopped.error, len(stopped.attempts)) == ("stopped", None, 1)

    async def test_an_answer_that_had_ended_is_not_turned_into_a_stopped_one(self, http: Http) -> None:
        async with OpenAI() as server:
            answer = router_of(http).ask(request_of("Hi"), [chat(server)])
            async with aclosing(answer.events()) as events:
                assert [event async for event in events][-1] is answer.stopped()
        assert answer.stopped().outcome == "complete"

    async def test_lanes_are_asked_at_the_same_time(self, http: Http) -> None:
        async with OpenAI(Behaviour(first_token_s=0.3)) as one, Gemini(Behaviour(first_token_s=0.3)) as two:
            gemini = rung_of(two, "gemini", "gemini-2.5-flash", id="google-ai-studio")
            router = router_of(http)
            began = asyncio.get_running_loop().time()
            answers = await asyncio.gather(ask(router, [chat(one)]), ask(router, [gemini]))
            assert asyncio.get_running_loop().time() - began < 0.55
        assert [answer.outcome for answer in answers] == ["complete", "complete"]
        assert abs(one.asked[0].at - two.asked[0].at) < 0.2


class TestGateway:
    @staticmethod
    def through(front: Gateway, server: OpenAI) -> Rung:
        token = ApiKey(
            id="cf",
            provider="cloudflare-ai-gateway",
            label="cf",
            hint="",
            source="vault",
            origin=front.origin,
        )
        value = GatewayValue(account=front.account, name=front.name, token=token, base_url=front.base_url)
        provider = provider_of(server, "openai-chat", gateway_slug="openai", gateway_strips=server.base_url)
        return chat(server, gateway=value, provider=provider)

    async def test_an_answer_through_the_gateway_notes_its_log_and_step(self, http: Http) -> None:
        async with OpenAI() as server, Gateway({"openai": server.base_url}) as front:
            finished = await ask(router_of(http, cf="gateway-token"), [self.through(front, server)])
            assert finished.outcome == "complete", finished.error
            assert (len(front.asked), len(server.asked)) == (1, 1)
            assert "cf-aig-authorization" not in server.asked[0].headers
            assert front.asked[0].headers["cf-aig-metadata"] == '{"app":"vibedesk"}'
        [attempt] = finished.attempts
        assert {"gateway cache MISS", "gateway log log-1", "gateway step 0"} <= set(attempt.notes)
        assert (attempt.via, finished.cached) == ("gateway", False)

    async def test_a_cached_answer_costs_nothing_and_has_no_speed(self, http: Http) -> None:
        async with OpenAI() as server, Gateway({"openai": server.base_url}, cache_status="HIT") as front:
            finished = await ask(router_of(http, cf="gateway-token"), [self.through(front, server)])
        assert finished.cached
        assert finished.cost is not None
        assert (finished.cost.usd, finished.cost.source) == (0, "gateway cache")
        assert finished.tokens_per_s is None

    async def test_a_wrong_gateway_token_is_the_gateways_error(self, http: Http) -> None:
        async with OpenAI() as server, Gateway({"openai": server.base_url}) as front:
            finished = await ask(router_of(http, cf="wrong-token"), [self.through(front, server)])
            assert server.seen == []
        assert isinstance(finished.error, errors.GatewayError)
        assert finished.error.facts["fault"] == "token"


async def test_the_demo_answers_without_a_network_and_says_what_it_is() -> None:
    provider = Provider(
        id="demo", name="Demo", dialect="demo", base_url="", keyless=True, simulated=True, local=True
    )
    deployment = Deployment(
        provider=provider, model=Model(provider="demo", id="quick-fast", name="Quick"), key=None, via="direct"
    )
    http = Http()

    async def none(key: ApiKey) -> Secret:
        raise AssertionError("nobody asks for a secret")

    router = Router(http, none, today=lambda: date(2026, 11, 22), pause=no_pause)
    finished = await ask(router, [Rung(deployment=deployment, reason="first choice")])
    assert finished.outcome == "complete"
    assert "simulation" in finished.text.split(".")[0]
    assert finished.reasoning
    assert http._opened is None
