"""The stages of a check that cost something: one real answer, and what the model that gave it can do."""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec.structs import replace

from vibedesk.engine.catalog import Catalog
from vibedesk.engine.check_asking import Asking, Skipped
from vibedesk.engine.errors import BadRequest, EngineError, Misconfigured, ModelNotFound, NoKey, Unsupported
from vibedesk.engine.http import Http, Timers, headers_of
from vibedesk.engine.pricing import estimate_tokens, price_on
from vibedesk.engine.router import Router
from vibedesk.engine.types import (
    ApiKey,
    Cost,
    Finished,
    Image,
    Model,
    Provider,
    Request,
    Rung,
    Secret,
    request_of,
)

if TYPE_CHECKING:
    import httpx

QUESTION = "Reply with the word OK."
SEE = "What single colour fills this image? Reply with one word."
JSON = 'Reply with this JSON object and nothing else: {"ok": true}'

_SHORT, _THOUGHTFUL = 16, 64
"""Tokens an answer may have; where reasoning cannot be switched off, it needs some of them."""
_IMAGE_TOKENS = 300
"""What providers count for a tiny image, at most (Gemini 258, OpenAI 85)."""
_OTHER_MODELS = 3
"""How many models are tried, where one is listed and not to be had."""
_LIMIT_REACHED = re.compile(r"(?:max_tokens|output).{0,40}limit was reached", re.IGNORECASE)


def asked(text: str, model: Model, *images: Image) -> Request:
    """A question as short, and with as little thinking, as this model allows."""
    efforts = model.traits.efforts
    effort: Any = "none" if "none" in efforts else next(iter(efforts), None)
    brief = effort in (None, "none")
    return request_of(
        text, images=images, max_tokens=_SHORT if brief else _THOUGHTFUL, reasoning_effort=effort
    )


def models_to_try(catalog: Catalog, provider: Provider, live: Sequence[Model] = ()) -> tuple[Model, ...]:
    """Whom a check asks for its one answer, the next where one is listed and not to be had: of the models that are
    first to be offered those that the key sees (`live`, () = not known), the cheapest first."""
    seen = {model.id for model in live}
    known = {model.id: model for model in catalog.models(provider.id) if model.state != "retired"}
    offered = [known[id] for id in provider.preferences if id in known and (not seen or id in seen)]
    rest = [catalog.model(one.full_id) for one in live] or list(known.values())
    return tuple((sorted(offered, key=_dearness) or rest)[:_OTHER_MODELS])


def most_of_check(
    catalog: Catalog, provider: Provider, *, capabilities: bool = False, on: date
) -> Cost | None:
    """The most that a check with one real answer can cost at this provider, whichever model it comes to ask."""
    models = models_to_try(catalog, provider)
    costs = [cost_of_check(model, provider, capabilities=capabilities, on=on) for model in models]
    known = [cost for cost in costs if cost is not None]
    return max(known, key=lambda cost: cost.usd) if known and len(known) == len(costs) else None


def cost_of_check(model: Model, provider: Provider, *, capabilities: bool = False, on: date) -> Cost | None:
    """The most that one real answer of this model can cost, and the tests of what it can do where they are wanted.

    None when its price is not known; nothing for a server on this machine.
    """
    if provider.local or provider.simulated:
        return Cost(usd=Decimal(0), source="runs on this machine", estimated=True)
    if model.price is None:
        return None
    price = price_on(model.price, on)
    questions = [QUESTION, *((SEE, JSON) if capabilities else ())]
    put = sum(estimate_tokens(text) + 8 for text in questions) + (_IMAGE_TOKENS if capabilities else 0)
    out = (asked(QUESTION, model).parameters.max_tokens or _THOUGHTFUL) * len(questions)
    usd = (price.input * put + price.output * out) / 1_000_000
    return Cost(usd=usd, source=price.source, estimated=True)


class CostlyStages:
    """The stages after the list of models."""

    def __init__(self, ask: Asking, *, model: str = "") -> None:
        self._ask = ask
        self._found = ask.found
        self._wanted = model
        self._model: Model | None = None
        self._streamed = False
        self._router = Router(_Overheard(ask.http, self._hear), self._given, timers=ask.timers)

    async def answer(self) -> str:
        """One short real answer: what finds a key without credit, or without access to any model."""
        if self._ask.subject.of_gateway:
            raise Skipped("a gateway answers nothing itself")
        failure: EngineError | None = None
        for model in self._candidates():
            self._found.evidence["model"] = model.id
            try:
                finished = await self._hear_one(asked(QUESTION, model), model)
            except ModelNotFound as error:
                failure = error
                continue
            self._model, self._found.proven = model, True
            if finished.ttft_s is not None:
                self._found.evidence["first_token"] = f"{finished.ttft_s:.2f} s"
            return f"{model.id} answered"
        assert failure is not None
        raise failure

    async def stream(self) -> str:
        """Whether that answer came piece by piece. Nothing more is asked for it."""
        self._answered()
        return self._can("stream", self._streamed, "in pieces", "the answer came in one piece")

    async def vision(self) -> str:
        """Whether it sees: it is shown a red square."""
        model = self._answered()
        try:
            finished = await self._hear_one(asked(SEE, model, Image("image/png", red_square())), model)
        except (Unsupported, BadRequest, ModelNotFound) as error:
            return self._can("vision", False, "", error.provider_message or "it takes no images")
        seen = re.search(r"\bred\b", finished.text, re.IGNORECASE) is not None
        return self._can("vision", seen, "it saw the image", "it did not tell what the image showed")

    async def json(self) -> str:
        """Whether it answers in JSON when told to."""
        model = self._answered()
        finished = await self._hear_one(asked(JSON, model), model)
        bare = re.sub(r"^```(?:json)?|```$", "", finished.text.strip()).strip()
        try:
            good = isinstance(msgspec.json.decode(bare), dict)
        except msgspec.DecodeError:
            good = False
        return self._can("json", good, "valid JSON", "what it said was not JSON alone")

    # What they use

    def _answered(self) -> Model:
        if self._model is None:
            raise Skipped("nothing answered")
        return self._model

    def _can(self, name: str, able: bool, yes: str, no: str) -> str:
        self._found.capabilities[name] = able
        return yes if able else no

    async def _hear_one(self, request: Request, model: Model) -> Finished:
        """One answer. Raises what kept it from coming; one that stayed empty, or ran into its limit, came."""
        rung = Rung(deployment=replace(self._ask.deployment, model=model), reason="check")
        answer = self._router.ask(request, [rung])
        finished = None
        async with aclosing(answer.events()) as events:
            async for event in events:
                finished = event if isinstance(event, Finished) else finished
        finished = finished or answer.stopped()
        self._found.answers.append(finished)
        error = finished.error
        if error is None or error.kind in ("empty_answer", "content_blocked"):
            return finished
        if isinstance(error, BadRequest) and _LIMIT_REACHED.search(error.provider_message):
            return finished
        raise error

    def _candidates(self) -> tuple[Model, ...]:
        """The models to try, one after the other."""
        catalog, provider = self._ask.subject.catalog, self._ask.provider
        if self._wanted:
            return (catalog.model(f"{provider.id}/{self._wanted}"),)
        chosen = models_to_try(catalog, provider, self._found.live)
        if not chosen:
            raise Misconfigured("no model of this provider is known", setting="model", nuance="no_models")
        return chosen

    async def _given(self, key: ApiKey) -> Secret:
        gateway = self._ask.deployment.gateway
        of_gateway = gateway is not None and key.id == gateway.token.id
        secret = self._ask.token if of_gateway else self._ask.secret
        if secret is None:
            raise NoKey(f"no key for {self._ask.provider.name}")
        return secret

    def _hear(self, status: int, headers: dict[str, str]) -> None:
        self._ask.note(status, headers)
        if status < 300 and not self._found.capabilities:
            self._streamed = "json" not in headers.get("content-type", "").replace("x-ndjson", "")


class _Overheard(Http):
    """The same way out; what the answers' headers say is passed on."""

    def __init__(self, http: Http, hear: Callable[[int, dict[str, str]], None]) -> None:
        super().__init__()
        self._http, self._hear = http, hear

    @asynccontextmanager
    async def stream(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: Mapping[str, Any] | None,
        *,
        timers: Timers,
        before_sending: Callable[[], Awaitable[object]] | None = None,
    ) -> AsyncIterator[httpx.Response]:
        async with self._http.stream(
            method, url, headers, body, timers=timers, before_sending=before_sending
        ) as response:
            self._hear(response.status_code, headers_of(response))
            yield response


def red_square() -> bytes:
    """A PNG of 32 × 32 pixels, all red."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = (b"\x00" + b"\xff\x00\x00" * 32) * 32
    header = struct.pack(">IIBBBBB", 32, 32, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def _dearness(model: Model) -> Decimal:
    """Unknown prices last."""
    return Decimal("Infinity") if model.price is None else model.price.input + 4 * model.price.output
