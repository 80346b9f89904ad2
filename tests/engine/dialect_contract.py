"""What every dialect promises, over real sockets: inherit it, name a server and two models, and all of it is tested."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import ClassVar

import pytest

from tests.engine.asking import SHORT, ask, router_of, rung_of
from tests.providers import TEXT, Behaviour, Loopback
from vibedesk.engine.errors import (
    BadRequest,
    Cut,
    EmptyAnswer,
    EngineError,
    InvalidKey,
    ModelNotFound,
    NoCredit,
    NotThisApi,
    ProviderError,
    RateLimited,
    ServerError,
    TimedOut,
)
from vibedesk.engine.http import Http
from vibedesk.engine.types import DialectName, Finished, Image, ReasoningDelta, TextDelta, Usage, request_of

PIXEL = Image("image/png", b"\x89PNG\r\n\x1a\n" + bytes(32))
WORDS = 13
"""Deltas of the loopback's usual text."""


class DialectContract:
    """The loopback servers are strict: a request of the wrong shape fails these tests with the server's own words."""

    dialect: ClassVar[DialectName]
    model: ClassVar[str]
    sees: ClassVar[str]
    """A model of the server that takes images."""
    no_credit: ClassVar[tuple[int, dict[str, object]]]
    """Status and body with which this provider says that the credit is used up."""

    def server(self, behaviour: Behaviour | None = None) -> Loopback:
        raise NotImplementedError

    async def asked(self, http: Http, behaviour: Behaviour, **parameters: object) -> Finished:
        """One ask of a server that behaves so; a failure costs no waiting."""
        async with self.server(behaviour) as server:
            rung = rung_of(server, self.dialect, self.model)
            return await ask(router_of(http), [rung], request_of("Hi", **parameters))

    async def failure(self, http: Http, behaviour: Behaviour) -> EngineError:
        """The error of an ask that nothing came of."""
        finished = await self.asked(http, behaviour)
        assert finished.outcome == "failed"
        assert finished.text == ""
        assert finished.error is not None
        return finished.error

    # What it says

    async def test_streams_the_whole_text_in_order(self, http: Http) -> None:
        finished = await self.asked(http, Behaviour())
        assert (finished.outcome, finished.finish_reason, finished.text) == ("complete", "stop", TEXT)
        assert finished.error is None

    async def test_text_comes_piece_by_piece(self, http: Http) -> None:
        async with self.server() as server:
            answer = router_of(http).ask(request_of("Hi"), [rung_of(server, self.dialect, self.model)])
            async with aclosing(answer.events()) as events:
                pieces = [event.text async for event in events if isinstance(event, TextDelta)]
        assert "".join(pieces) == TEXT
        assert len(pieces) == WORDS

    async def test_usage_counts_cached_and_reasoning_tokens(self, http: Http) -> None:
        finished = await self.asked(http, Behaviour())
        assert finished.usage is not None
        assert finished.usage == Usage(input_tokens=9, output_tokens=WORDS, cached_tokens=4)

    async def test_unreported_usage_is_unknown(self, http: Http) -> None:
        finished = await self.asked(http, Behaviour(usage=False))
        assert (finished.outcome, finished.usage, finished.cost) == ("complete", None, None)
        assert finished.tokens_per_s is None

    async def test_reasoning_is_told_apart_from_text(self, http: Http) -> None:
        finished = await self.asked(http, Behaviour(reasoning="One moment. Yes."))
        assert (finished.reasoning, finished.text) == ("One moment. Yes.", TEXT)
        assert finished.reasoning_s is not None
        assert finished.usage is not None
        assert (finished.usage.reasoning_tokens, finished.usage.output_tokens) == (3, WORDS + 3)

    async def test_an_answer_at_its_limit_says_so(self, http: Http) -> None:
        finished = await self.asked(http, Behaviour(finish="length"))
        assert (finished.outcome, finished.finish_reason) == ("complete", "length")

    async def test_an_image_arrives_in_the_shape_the_provider_wants(self, http: Http) -> None:
        async with self.server() as server:
            rung = rung_of(server, self.dialect, self.sees, capabilities=frozenset({"vision"}))
            finished = await ask(router_of(http), [rung], request_of("What is it?", images=[PIXEL]))
            assert finished.outcome == "complete", finished.error
            assert b"iVBORw0KGgo" in server.asked[0].raw

    async def test_a_system_prompt_and_a_limit_are_taken(self, http: Http) -> None:
        finished = await self.asked(http, Behaviour(), system="Be brief.", max_tokens=64)
        assert finished.outcome == "complete", finished.error

    @pytest.mark.parametrize("size", [1, 3, 7])
    async def test_bytes_split_anywhere_change_nothing(self, http: Http, size: int) -> None:
        finished = await self.asked(http, Behaviour(split=size, text="Grüße 😀 naïve\n\n```py\nx = 1\n```"))
        assert (finished.outcome, finished.text) == ("complete", "Grüße 😀 naïve\n\n```py\nx = 1\n```")

    async def test_crlf_line_ends_change_nothing(self, http: Http) -> None:
        assert (await self.asked(http, Behaviour(crlf=True))).text == TEXT

    async def test_a_whole_answer_instead_of_a_stream_is_an_answer(self, http: Http) -> None:
        finished = await self.asked(http, Behaviour(instead="whole"))
        assert (finished.outcome, finished.text) == ("complete", TEXT)

    # What the provider refuses

    async def test_a_wrong_key_is_an_invalid_key(self, http: Http) -> None:
        async with self.server() as server:
            rung = rung_of(server, self.dialect, self.model)
            finished = await ask(router_of(http, key_openai="wrong-" + "x" * 30), [rung])
        assert isinstance(finished.error, InvalidKey)
        assert finished.attempts[0].status in (400, 401)
        assert len(finished.attempts) == 1

    async def test_a_429_carries_its_wait(self, http: Http) -> None:
        error = await self.failure(http, Behaviour(status=429, headers={"retry-after": "37"}))
        assert isinstance(error, RateLimited)
        # Google says it in the body, and only there.
        assert error.retry_after_s == pytest.approx(2 if self.dialect == "gemini" else 37, abs=35)
        assert error.retry_after_s

    async def test_no_credit_is_not_a_rate_limit(self, http: Http) -> None:
        status, body = self.no_credit
        assert isinstance(await self.failure(http, Behaviour(status=status, body=body)), NoCredit)

    async def test_a_500_is_tried_again_and_then_told(self, http: Http) -> None:
        once = await self.asked(http, Behaviour(status=500, times=1))
        assert (once.outcome, len(once.attempts)) == ("complete", 2)
        assert once.attempts[0].kind == "server_error"
        assert isinstance(await self.failure(http, Behaviour(status=500)), ServerError)

    async def test_an_unknown_model_is_named_as_such(self, http: Http) -> None:
        async with self.server() as server:
            finished = await ask(router_of(http), [rung_of(server, self.dialect, "no-such-model")])
        assert isinstance(finished.error, ModelNotFound)

    async def test_an_error_inside_the_stream_leaves_the_text_cut(self, http: Http) -> None:
        finished = await self.asked(http, Behaviour(error_after=2))
        assert (finished.outcome, finished.text) == ("cut", "Hello! This")
        assert isinstance(finished.error, ProviderError)

    # What breaks

    async def test_a_malformed_event_is_skipped_and_noted(self, http: Http) -> None:
        finished = await self.asked(http, Behaviour(malformed_after=2))
        assert (finished.outcome, finished.text) == ("complete", TEXT)
        assert finished.attempts[0].notes

    @pytest.mark.parametrize("way", ["chunked", "eof", "reset"])
    async def test_a_stream_cut_midway_keeps_a_true_prefix_marked_cut(self, http: Http, way: str) -> None:
        finished = await self.asked(http, Behaviour(cut=way, cut_after=3))  # type: ignore[arg-type]
        assert (finished.outcome, finished.text) == ("cut", "Hello! This is")
        assert isinstance(finished.error, Cut)
        assert finished.attempts[-1].outcome == "cut"

    @pytest.mark.parametrize("way", ["chunked", "reset"])
    async def test_a_stream_cut_before_the_first_word_is_tried_again(self, http: Http, way: str) -> None:
        finished = await self.asked(http, Behaviour(cut=way, cut_after=0, times=1))  # type: ignore[arg-type]
        assert (finished.outcome, finished.text, len(finished.attempts)) == ("complete", TEXT, 2)

    async def test_an_empty_200_is_no_answer(self, http: Http) -> None:
        assert isinstance(await self.failure(http, Behaviour(instead="empty")), EmptyAnswer | Cut)

    async def test_a_proper_end_without_a_word_is_no_answer(self, http: Http) -> None:
        assert isinstance(await self.failure(http, Behaviour(instead="only_done")), EmptyAnswer)

    async def test_a_web_page_with_200_is_not_this_api(self, http: Http) -> None:
        error = await self.failure(http, Behaviour(instead="html"))
        assert isinstance(error, NotThisApi)
        assert "<" not in error.detail + error.provider_message

    async def test_an_error_as_json_with_200_is_that_error(self, http: Http) -> None:
        assert isinstance(await self.failure(http, Behaviour(instead="json_error")), ServerError)

    async def test_a_redirect_is_not_followed(self, http: Http) -> None:
        async with self.server() as elsewhere:
            error = await self.failure(http, Behaviour(redirect_to=elsewhere.base_url + "/elsewhere"))
            assert elsewhere.seen == []
        assert isinstance(error, NotThisApi)
        assert error.facts["host"] == "127.0.0.1"

    async def test_silence_before_the_headers_times_out(self, http: Http) -> None:
        error = await self.failure(http, Behaviour(stall_before_headers=True))
        assert isinstance(error, TimedOut)
        assert error.facts["timer"] == "first_token"

    async def test_pings_alone_are_silence(self, http: Http) -> None:
        error = await self.failure(http, Behaviour(ping_only=True))
        assert isinstance(error, TimedOut)
        assert error.facts["timer"] == "first_token"

    async def test_silence_after_some_words_is_a_cut_by_the_idle_timer(self, http: Http) -> None:
        finished = await self.asked(http, Behaviour(stall_after=2))
        assert (finished.outcome, finished.text) == ("cut", "Hello! This")
        assert isinstance(finished.error, TimedOut)
        assert finished.error.facts["timer"] == "idle"

    async def test_leaving_closes_the_socket_and_keeps_the_text(self, http: Http) -> None:
        async with self.server(Behaviour(stall_after=2)) as server:
            rung = rung_of(server, self.dialect, self.model)
            answer = router_of(http, timers=SHORT.__class__()).ask(request_of("Hi"), [rung])
            said = asyncio.Event()

            async def listen() -> None:
                async with aclosing(answer.events()) as events:
                    async for _ in events:
                        if answer.text == "Hello! This":
                            said.set()

            listener = asyncio.create_task(listen())
            await asyncio.wait_for(said.wait(), 5)
            listener.cancel()
            await asyncio.gather(listener, return_exceptions=True)
            await asyncio.wait_for(server.asked[0].closed.wait(), 1)
        stopped = answer.stopped()
        assert (stopped.outcome, stopped.text, stopped.error) == ("stopped", "Hello! This", None)
        assert answer.stopped() is stopped

    async def test_a_refused_parameter_is_dropped_once_and_noted(self, http: Http) -> None:
        """The catalog may be wrong about a model: what it refuses is left out, and the answer still comes."""
        async with self.server() as server:
            server.behaviours[self.model] = Behaviour(status=400, body=self.refused_temperature(), times=1)
            router = router_of(http)
            rung = rung_of(server, self.dialect, self.model)
            finished = await ask(router, [rung], request_of("Hi", temperature=0.5))
            assert finished.outcome == "complete", finished.error
            assert [attempt.kind for attempt in finished.attempts] == [BadRequest.kind, None]
            assert b"temperature" in server.asked[0].raw
            assert b"temperature" not in server.asked[1].raw
            again = await ask(router, [rung], request_of("Hi", temperature=0.5))
            assert len(again.attempts) == 1
            assert b"temperature" not in server.asked[2].raw

    def refused_temperature(self) -> dict[str, object]:
        message = "Unsupported parameter: 'temperature' is not supported with this model."
        return {
            "error": {
                "message": message,
                "type": "invalid_request_error",
                "param": "temperature",
                "code": "unsupported_parameter",
            }
        }

    async def test_reasoning_alone_then_a_break_is_a_cut(self, http: Http) -> None:
        async with self.server(Behaviour(reasoning="Let me see. Well.", stall_after=2)) as server:
            rung = rung_of(server, self.dialect, self.model)
            answer = router_of(http).ask(request_of("Hi"), [rung])
            async with aclosing(answer.events()) as events:
                heard = [event async for event in events]
        assert any(isinstance(event, ReasoningDelta) for event in heard)
        assert isinstance(heard[-1], Finished)
        assert (heard[-1].outcome, heard[-1].text) == ("cut", "")
