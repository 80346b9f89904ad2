"""The nouns of the engine: what is asked, of whom, with which key, and what came back.

Values only: frozen, comparable, no I/O. Every time is in seconds, every amount of money a `Decimal` in US dollars,
every count of tokens a whole number. What is unknown is `None`, never zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal, NoReturn

from msgspec import Struct

from vibedesk.engine.errors import EngineError

Via = Literal["gateway", "direct"]
Outcome = Literal["complete", "cut", "stopped", "failed"]
FinishReason = Literal["stop", "length", "content_filter", "tool_call", "error"]
Effort = Literal["none", "minimal", "low", "medium", "high"]
DialectName = Literal["openai-chat", "openai-responses", "anthropic", "gemini", "demo"]


class Secret:
    """The characters of an API key. Nothing prints, copies or stores them by accident: only `reveal` gives them."""

    __slots__ = ("__characters",)

    def __init__(self, characters: str) -> None:
        self.__characters = characters

    def reveal(self) -> str:
        """The characters themselves: for the header, the keychain and the redaction list, and nothing else."""
        return self.__characters

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self.__characters == other.__characters

    def __hash__(self) -> int:
        return hash(self.__characters)

    def __bool__(self) -> bool:
        return bool(self.__characters)

    def __repr__(self) -> str:
        return "Secret(…)"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return repr(self)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not pickled or copied")


class Limits(Struct, frozen=True, kw_only=True):
    """What the user allows a key, `None` = no limit of theirs: never the provider's own.

    Counts are ≥ 1, per minute and per day (any 60 s, any UTC day); `concurrent` = requests under way at once;
    `monthly_usd` > 0 per calendar month (UTC).
    """

    requests_per_minute: int | None = None
    requests_per_day: int | None = None
    tokens_per_minute: int | None = None
    tokens_per_day: int | None = None
    concurrent: int | None = None
    monthly_usd: Decimal | None = None


class ApiKey(Struct, frozen=True, kw_only=True):
    """What is known of an API key: never its secret.

    `source` is "vault", "environment" or the name of the file it stands in (".dev.vars", ".env").
    `origin` is the only place it may be sent to (`https://api.openai.com`), beside the gateway the user set up.
    `state` is the verdict of its last check (see `engine.check.VERDICTS`) or "untested".
    `scope` names the account whose limits it shares with other keys of its provider; "" = unknown, so assumed shared.
    `passport` is what the last check learnt of the key, name → words (tier, organisation, limits).
    """

    id: str
    provider: str
    label: str
    hint: str
    source: str
    origin: str
    enabled: bool = True
    position: int = 0
    state: str = "untested"
    note: str = ""
    limits: Limits = Limits()
    scope: str = ""
    passport: dict[str, str] = {}
    created: datetime | None = None
    checked: datetime | None = None
    last_used: datetime | None = None

    @property
    def name(self) -> str:
        """The key as receipts and answers name it: `work …a1b2`."""
        return f"{self.label} …{self.hint[-4:]}" if self.hint else self.label


class Price(Struct, frozen=True, kw_only=True):
    """US dollars per one million tokens. Above `threshold` input tokens the whole request costs the `long_` prices.

    From `starts` on the prices of `then` hold (providers announce changes ahead).
    """

    input: Decimal
    output: Decimal
    cached: Decimal | None = None
    cache_write: Decimal | None = None
    threshold: int | None = None
    long_input: Decimal | None = None
    long_output: Decimal | None = None
    long_cached: Decimal | None = None
    starts: date | None = None
    then: Price | None = None
    source: str = ""


class Traits(Struct, frozen=True, kw_only=True):
    """What a model takes, so that a request is never refused for a parameter it could have gone without.

    `temperature`: "free", "never", or "without_reasoning" (only while the effort is, or resolves to, "none").
    `temperature_max`: upper end of the range. `efforts`: accepted efforts, weakest first; empty = takes none.
    `default_effort`: what the model does when none is sent, None = unknown.
    `thinking`: how the dialect asks for reasoning: "effort" (a word), "adaptive" or "adaptive_always" (Anthropic),
    "budget" (Anthropic and Gemini 2.5, tokens), "level" (Gemini 3+), or None.
    `max_tokens_field`: "max_tokens" or "max_completion_tokens" (openai-chat only).
    `dialect`: another wire format than the provider's own (models that answer only on the Responses API).
    `streams`: False = one whole answer, no deltas.  `prefill`: may end with an assistant message.
    """

    temperature: Literal["free", "never", "without_reasoning"] = "free"
    temperature_max: float = 2.0
    stop: bool = True
    efforts: tuple[str, ...] = ()
    default_effort: str | None = None
    thinking: Literal["effort", "adaptive", "adaptive_always", "budget", "level"] | None = None
    budget_min: int = 0
    budget_max: int = 0
    max_tokens_field: Literal["max_tokens", "max_completion_tokens"] = "max_completion_tokens"
    dialect: DialectName | None = None
    streams: bool = True
    prefill: bool = False
    reasoning_format: str | None = None
    think_tags: bool = False


class Model(Struct, frozen=True, kw_only=True):
    """A model by its provider's own id. `state` "unlisted" = nobody has described it: asked all the same."""

    provider: str
    id: str
    name: str
    state: Literal["current", "retiring", "retired", "unlisted"] = "current"
    retires: date | None = None
    replacement: str | None = None
    context_window: int | None = None
    max_output: int | None = None
    price: Price | None = None
    capabilities: frozenset[str] = frozenset()
    """Of: vision, reasoning, tools, json."""
    traits: Traits = Traits()
    note: str = ""
    listed_live: bool = False
    """The provider's own list named it the last time it was asked."""

    @property
    def full_id(self) -> str:
        return f"{self.provider}/{self.id}"


class Provider(Struct, frozen=True, kw_only=True):
    """A host and its API. `base_url` has no trailing slash; `gateway_slug` None = no path through the gateway.

    Through the gateway the part of `base_url` named by `gateway_strips` (its origin, or origin and path) is replaced by
    `…/v1/{account}/{gateway}/{gateway_slug}`.
    """

    id: str
    name: str
    dialect: DialectName
    base_url: str
    gateway_slug: str | None = None
    gateway_strips: str = ""
    env: tuple[str, ...] = ()
    key_pattern: str = ""
    key_placeholder: str = ""
    key_url: str = ""
    key_steps: str = ""
    letter: str = "?"
    colour: str = "#65676c"
    preferences: tuple[str, ...] = ()
    check_path: str = ""
    """Where a GET proves the key, when listing models does not (a public list); relative to `base_url`."""
    keyless: bool = False
    local: bool = False
    simulated: bool = False
    allow_http: bool = False
    bundled: bool = True
    """False: it, or its base URL, comes from the user's own providers.toml."""
    headers: dict[str, str] = {}


class GatewayControls(Struct, frozen=True, kw_only=True):
    """What a call asks of the gateway beside its token (wire.md §10.6); `None`, "" and False = nothing is said.

    `cache_ttl_s` 60 … 2,592,000: the gateway keeps the answer so long; `skip_cache`: it is to give no kept one;
    `cache_key`: under which it keeps it. `timeout_ms`: to the provider's first byte. `metadata`: at most five, for its
    logs. `price`: US dollars a token, in and out, that it reckons with.
    """

    cache_ttl_s: int | None = None
    skip_cache: bool = False
    cache_key: str = ""
    timeout_ms: int | None = None
    metadata: dict[str, str] = {}
    price: tuple[Decimal, Decimal] | None = None


class Gateway(Struct, frozen=True, kw_only=True):
    """A Cloudflare AI Gateway: complete, or not there. `base_url` ends before `/{account}/{name}`.

    `stored_keys`: the providers' keys are kept at the gateway, and none is sent with a call. `carries`: the ids of the
    keys that may pass through it, None = all; nothing goes through it without one of them.
    """

    account: str
    name: str
    token: ApiKey
    base_url: str = "https://gateway.ai.cloudflare.com/v1"
    stored_keys: bool = False
    carries: frozenset[str] | None = None
    controls: GatewayControls = GatewayControls()


class Text(Struct, frozen=True, tag="text"):
    text: str


class Image(Struct, frozen=True, tag="image"):
    """`media_type` is image/png, image/jpeg, image/gif or image/webp; `data` the file's bytes."""

    media_type: str
    data: bytes


Part = Text | Image


class Message(Struct, frozen=True):
    role: Literal["user", "assistant"]
    parts: tuple[Part, ...]

    @property
    def text(self) -> str:
        return "".join(part.text for part in self.parts if isinstance(part, Text))


class Parameters(Struct, frozen=True, kw_only=True):
    """`None` or empty = not sent. `temperature` 0–2; `max_tokens` ≥ 1 counts reasoning too; `top_p` 0–1.

    `stop`: sequences an answer ends before. `json_schema`: the text of the JSON schema an answer is held to, "" = free.
    """

    max_tokens: int | None = None
    temperature: float | None = None
    reasoning_effort: Effort | None = None
    top_p: float | None = None
    stop: tuple[str, ...] = ()
    seed: int | None = None
    json_schema: str = ""


class Request(Struct, frozen=True, kw_only=True):
    """What is asked. Immutable, so that every lane and every attempt is asked the same."""

    messages: tuple[Message, ...]
    system: str = ""
    parameters: Parameters = Parameters()


class Timeouts(Struct, frozen=True, kw_only=True):
    """Seconds a route waits, each > 0; `None` = as long as the model is usually given (`engine.timers`).

    `connect_s` until there is a connection; `first_token_s` from asking a deployment to its first word; `idle_s`
    between two useful pieces (comments and pings are none); `total_s` the whole ask, other deployments and waits
    included.
    """

    connect_s: float | None = None
    first_token_s: float | None = None
    idle_s: float | None = None
    total_s: float | None = None


OnCut = Literal["keep", "continue", "restart"]
"""What follows when an answer breaks off after some of it was shown: it is kept as it is and called cut; its rest is
asked of the same model, and kept as cut where that fails; or it is taken back and answered anew, by the next one."""


Replay = Literal["at_once", "as_recorded"]


class CachePolicy(Struct, frozen=True, kw_only=True):
    """Whether an answer that was given before is given again to exactly the same question.

    `ttl_s` ≥ 1: how old it may be. `replay`: whole at once, or in the time it took the first time.
    """

    on: bool = False
    ttl_s: int = 86_400
    replay: Replay = "at_once"


class GatewayPolicy(Struct, frozen=True, kw_only=True):
    """What a route asks of the AI gateway where its calls go through one (see `GatewayControls`).

    `send_price`: the catalog's price goes along, so that the gateway reckons as we do.
    """

    cache_ttl_s: int | None = None
    skip_cache: bool = False
    cache_key: str = ""
    send_price: bool = False


class Route(Struct, frozen=True, kw_only=True):
    """A named model config. `model` is PROVIDER/MODEL (the seed calls it `name`).

    `provider_override`: None = gateway where one is set up, else direct; "direct"; or a provider's id ("together").
    `fallback_on_policy`: a refusal by one provider's policy may be carried to the next deployment.
    """

    name: str
    model: str
    provider_override: str | None = None
    parameters: Parameters = Parameters()
    fallback_models: tuple[str, ...] = ()
    system: str = ""
    timeouts: Timeouts = Timeouts()
    fallback_on_policy: bool = False
    on_cut: OnCut = "keep"
    cache: CachePolicy = CachePolicy()
    gateway: GatewayPolicy = GatewayPolicy()


class Terms(Struct, frozen=True, kw_only=True):
    """What a route says of how it is climbed; travels with its rungs."""

    timeouts: Timeouts = Timeouts()
    fallback_on_policy: bool = False
    on_cut: OnCut = "keep"


class Deployment(Struct, frozen=True, kw_only=True):
    """One place that can answer. `why_via` says in plain words why it goes through the gateway or direct."""

    provider: Provider
    model: Model
    key: ApiKey | None
    via: Via
    why_via: str = ""
    gateway: Gateway | None = None

    @property
    def name(self) -> str:
        return f"{self.provider.id}/{self.model.id}"

    @property
    def key_name(self) -> str:
        return self.key.name if self.key else ""


class Rung(Struct, frozen=True, kw_only=True):
    """One step of a route, in the order it would be tried. `obstacle` set = it cannot be asked, and why."""

    deployment: Deployment
    reason: str
    obstacle: EngineError | None = None
    terms: Terms = Terms()
    cache: CachePolicy = CachePolicy()


class Usage(Struct, frozen=True, kw_only=True):
    """Tokens of one answer. `input_tokens` includes cached ones, `output_tokens` includes reasoning."""

    input_tokens: int
    output_tokens: int
    cached_tokens: int = 0
    cache_write_tokens: int = 0
    reasoning_tokens: int = 0


class Cost(Struct, frozen=True, kw_only=True):
    """`source` says where the price came from. `estimated` = computed from tokens nobody reported."""

    usd: Decimal
    source: str
    estimated: bool = False


class Attempt(Struct, frozen=True, kw_only=True):
    """One request to one deployment. Times count from the moment the first request was sent, its connection open."""

    deployment: str
    via: Via
    why_via: str
    key: str
    key_id: str
    rule: str
    """Why this one was asked now: "first choice", "next after rate_limited", …"""
    status: int | None
    outcome: Outcome
    kind: str | None
    """Of the error (see `errors`), None when there was none."""
    message: str
    """The provider's own words, redacted."""
    started_s: float
    connected_s: float | None
    """When the answer's headers had arrived."""
    first_token_s: float | None
    ended_s: float
    request_id: str
    finish_reason: str | None
    usage: Usage | None
    cost: Cost | None
    notes: tuple[str, ...] = ()
    """Parameters dropped or changed, a gateway's cache status, malformed events skipped, …"""
    guess: Usage | None = None
    """About what its words come to, where the provider counted nothing: for the key's limits."""


# What a dialect makes of the bytes (router → nobody else sees `Reported…`)


class TextDelta(Struct, frozen=True, gc=False):
    text: str


class ReasoningDelta(Struct, frozen=True, gc=False):
    text: str


class UsageReported(Struct, frozen=True, gc=False):
    """The latest counts; a later report replaces an earlier one, they are never added."""

    usage: Usage
    cost_usd: Decimal | None = None
    """What the provider says it charged."""


class FinishReported(Struct, frozen=True, gc=False):
    """`raw` is the provider's own word."""

    reason: FinishReason
    raw: str


class ModelReported(Struct, frozen=True, gc=False):
    """The id the provider says answered, and its id of the request where the body carries one."""

    model: str
    request_id: str = ""


Piece = TextDelta | ReasoningDelta | UsageReported | FinishReported | ModelReported


class CacheUse(Struct, frozen=True, kw_only=True):
    """What the answer cache did for one ask.

    `verdict`: "hit" (given from the cache), "shared" (the same was being asked already, and its answer given to both),
    "kept" (asked, and kept for the next time), "not_kept" (asked, but nothing to keep: `why`), "passed_by" (asked
    anew because the user wanted it). `kept_at`, `saved` and `saved_s` (US dollars and seconds the first time) of a hit.
    """

    verdict: Literal["hit", "shared", "kept", "not_kept", "passed_by"]
    why: str = ""
    kept_at: datetime | None = None
    saved: Cost | None = None
    saved_s: float | None = None

    @property
    def spared(self) -> bool:
        """Nothing was sent."""
        return self.verdict in ("hit", "shared")


# What the router tells its caller


class Started(Struct, frozen=True):
    deployment: Deployment
    attempt: int


class Waiting(Struct, frozen=True):
    seconds: float
    error: EngineError


class FellBack(Struct, frozen=True):
    error: EngineError
    failed: Deployment
    next: Deployment


class Restarted(Struct, frozen=True):
    """The text from character `discard_from` on is taken back, and all reasoning where that is 0."""

    discard_from: int


class Continued(Struct, frozen=True):
    """What follows, from character `at` of the text on, is the rest of an answer that had broken off there.

    `how`: "prefill" (the model went on with its own words) or "overlap" (it repeated the last ones, left out here).
    """

    at: int
    how: Literal["prefill", "overlap"]


class Finished(Struct, frozen=True, kw_only=True):
    """Always last, exactly once. `text` holds all that was said, also when it was cut, stopped or failed."""

    outcome: Outcome
    finish_reason: FinishReason | None
    text: str
    reasoning: str
    deployment: str
    model: str
    """The id the provider reported, or the one asked for."""
    usage: Usage | None
    cost: Cost | None
    ttft_s: float | None
    """From the first request being sent to the first token, reasoning included."""
    tokens_per_s: float | None
    """Output tokens after the first, over the time from the first token to the last."""
    reasoning_s: float | None
    took_s: float
    cached: bool
    error: EngineError | None
    attempts: tuple[Attempt, ...]
    not_needed: tuple[str, ...] = ()
    """Deployments of the route that were not asked."""
    joined_at: tuple[int, ...] = ()
    """Characters of the text at which it broke off and was continued."""
    restarts: int = 0
    """How often what had been shown was taken back."""
    cache: CacheUse | None = None
    """None: the route does not cache."""


def never_asked(error: EngineError, model: str = "") -> Finished:
    """The end of an ask that nothing was sent for."""
    return Finished(
        outcome="failed",
        finish_reason=None,
        text="",
        reasoning="",
        deployment=model,
        model=model,
        usage=None,
        cost=None,
        ttft_s=None,
        tokens_per_s=None,
        reasoning_s=None,
        took_s=0.0,
        cached=False,
        error=error,
        attempts=(),
    )


Event = Started | Waiting | FellBack | Restarted | Continued | TextDelta | ReasoningDelta | Finished


def request_of(text: str, *, images: Sequence[Image] = (), system: str = "", **parameters: Any) -> Request:
    """One user message as a request: `request_of("Hi", max_tokens=20)`."""
    message = Message("user", (*images, Text(text)))
    return Request(messages=(message,), system=system, parameters=Parameters(**parameters))
