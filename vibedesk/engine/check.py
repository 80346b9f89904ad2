"""Is this key good? Staged probes, each with its own verdict; the key is sent only to what has proven to be
its provider."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from datetime import UTC, datetime
from decimal import Decimal

from msgspec import Struct

from vibedesk.engine.catalog import Catalog
from vibedesk.engine.check_answers import CostlyStages, cost_of_check, most_of_check
from vibedesk.engine.check_asking import Asking, Found, Skipped, Subject
from vibedesk.engine.check_stages import FreeStages
from vibedesk.engine.errors import EngineError, RateLimited, TimedOut
from vibedesk.engine.http import Http, Timers
from vibedesk.engine.shapes import is_retired_form
from vibedesk.engine.transport import scrubbed, without_secrets
from vibedesk.engine.types import ApiKey, Finished, Gateway, Model, Provider, Secret
from vibedesk.engine.verdicts import CAPABILITIES, VERDICTS, is_stale, nuance_of, verdict_of

__all__ = [
    "CAPABILITIES",
    "STAGES",
    "TIMERS",
    "VERDICTS",
    "CheckResult",
    "Stage",
    "check",
    "cost_of_check",
    "is_stale",
    "most_of_check",
]

TIMERS = Timers(connect_s=8.0, first_token_s=20.0, idle_s=15.0, total_s=60.0)
"""`connect_s` each for name, port and certificate, `first_token_s` for the headers of an answer, `idle_s` for its body;
`total_s` for all stages that cost nothing together, and again for each one that costs something."""

FREE = ("shape", "host", "port", "tls", "api", "key", "models")
STAGES = (*FREE, "answer", *CAPABILITIES)


class Stage(Struct, frozen=True, kw_only=True):
    """`verdict`: running, ok, failed or skipped. `detail` is a short fact, `evidence` more of them by name (addresses,
    status, issuer, model, …): none holds the key."""

    name: str
    verdict: str
    took_s: float = 0.0
    detail: str = ""
    evidence: dict[str, str] = {}


class CheckResult(Struct, frozen=True, kw_only=True):
    """`stage` is where it failed, or the last that passed. `models` None = the list was not seen.

    `nuance` tells apart what has one verdict and several causes (see `verdicts.nuance_of`). `passport` is what was
    learnt of the key, name → words. `capabilities`: of stream, vision, json, those that were tried. `answers` is what
    was asked for money, for the ledger. `at` is when it ended (UTC): after a day it is stale.
    """

    key_id: str
    provider: str
    verdict: str
    stage: str
    error: EngineError | None
    http_status: int | None
    took_s: float
    models: int | None
    stages: tuple[Stage, ...]
    live: tuple[Model, ...]
    limits: dict[str, str]
    nuance: str = ""
    passport: dict[str, str] = {}
    capabilities: dict[str, bool] = {}
    answers: tuple[Finished, ...] = ()
    at: datetime | None = None

    @property
    def spent_usd(self) -> Decimal | None:
        """What the real answers cost; None when one of them has no known cost."""
        costs = [answer.cost.usd if answer.cost else None for answer in self.answers if answer.usage]
        return None if None in costs else sum((usd for usd in costs if usd is not None), Decimal(0))


async def check(
    key: ApiKey,
    secret: Secret | None,
    provider: Provider,
    catalog: Catalog,
    http: Http,
    *,
    answer: bool = False,
    capabilities: bool = False,
    model: str = "",
    insist: bool = False,
    gateway: Gateway | None = None,
    gateway_secret: Secret | None = None,
    timers: Timers = TIMERS,
) -> AsyncGenerator[Stage | CheckResult, None]:
    """Each stage as it begins ("running") and as it ends, then the one `CheckResult`. Never raises `EngineError`.

    With a `gateway` the provider is reached through it; where `key` is that gateway's own token, the token is
    checked. `answer` asks for one real, short answer, of `model` or of a cheap one, which costs a few tokens
    (`cost_of_check`); `capabilities` also for what that model can do. `insist` sends a key that looks like another
    provider's. Closing the generator, or cancelling the task in it, closes the socket that is open.
    """
    subject = Subject(
        key=key,
        secret=secret,
        provider=provider,
        catalog=catalog,
        gateway=gateway,
        gateway_secret=gateway_secret,
        insist=insist,
    )
    run = _Check(subject, http, timers, model)
    wanted = STAGES if capabilities else (*FREE, "answer") if answer else FREE
    for name, step in run.steps(wanted):
        yield Stage(name=name, verdict="running")
        yield await run.take(name, step)
        if run.over:
            break
    yield run.result()


class _Check:
    """One check under way."""

    def __init__(self, subject: Subject, http: Http, timers: Timers, model: str) -> None:
        self._subject, self._timers = subject, timers
        self._ask = Asking(subject, http, timers)
        self._free = FreeStages(self._ask)
        self._costly = CostlyStages(self._ask, model=model)
        self._began = time.monotonic()
        self._stages: list[Stage] = []
        self._error: EngineError | None = None
        self._verdict = ""
        self.over = False

    @property
    def _found(self) -> Found:
        return self._ask.found

    def steps(self, wanted: Sequence[str]) -> list[tuple[str, Callable[[], Awaitable[str]]]]:
        """The wanted stages in order."""
        return [(name, getattr(self._free if name in FREE else self._costly, name)) for name in wanted]

    async def take(self, name: str, step: Callable[[], Awaitable[str]]) -> Stage:
        """Runs one stage and keeps what it found."""
        began = time.monotonic()
        self._found.evidence = {}
        verdict, detail = "ok", ""
        try:
            detail = await self._within(name, step)
        except Skipped as exc:
            verdict, detail = "skipped", str(exc)
        except RateLimited as exc:
            # Only a key that was accepted has a limit to run into.
            detail = "the key is accepted, and over its rate limit"
            self._conclude(exc, name)
        except EngineError as exc:
            verdict = "failed"
            self._conclude(exc, name)
            detail = exc.provider_message or exc.detail
        if name in CAPABILITIES and self._found.capabilities.get(name) is False:
            verdict = "failed"
        stage = Stage(
            name=name,
            verdict=verdict,
            took_s=time.monotonic() - began,
            detail=self._clean(detail),
            evidence={fact: self._clean(words) for fact, words in self._found.evidence.items()},
        )
        self._stages.append(stage)
        return stage

    async def _within(self, name: str, step: Callable[[], Awaitable[str]]) -> str:
        """The stage, for as long as it may take."""
        spent = time.monotonic() - self._began if name in FREE else 0.0
        left = max(0.0, self._timers.total_s - spent)
        try:
            async with asyncio.timeout(left):
                return await step()
        except TimeoutError as exc:
            limit = self._timers.total_s
            raise TimedOut(f"no end of the check in {limit:g} s", timer="check", limit_s=limit) from exc

    def _conclude(self, error: EngineError, stage: str) -> None:
        error.provider = error.provider or self._subject.provider.id
        error.key = error.key or self._subject.key.name
        self._error = scrubbed(error, self._secrets)
        if stage not in CAPABILITIES:
            self._found.status = error.status if error.status is not None else self._found.status
            self._verdict = verdict_of(error, of_gateway=self._subject.of_gateway, proven=self._found.proven)
            self.over = True

    @property
    def _secrets(self) -> tuple[Secret | None, Secret | None]:
        return self._ask.secret, self._ask.token

    def _clean(self, words: str) -> str:
        return without_secrets(words, self._secrets)

    def result(self) -> CheckResult:
        found, subject = self._found, self._subject
        verdict, nuance, error = self._judged()
        reached = self._stages[-1].name if self._stages else STAGES[0]
        if not self._verdict:
            passed = [stage.name for stage in self._stages if stage.verdict == "ok"]
            reached = passed[-1] if passed else reached
        taken = {stage.name for stage in self._stages}
        left = tuple(Stage(name=name, verdict="skipped") for name in STAGES if name not in taken)
        return CheckResult(
            key_id=subject.key.id,
            provider=subject.provider.id,
            verdict=verdict,
            stage=reached,
            error=error,
            http_status=found.status,
            took_s=time.monotonic() - self._began,
            models=len(found.live) if found.listed is not None else None,
            stages=(*self._stages, *left),
            live=found.live,
            limits=found.limits,
            nuance=nuance,
            passport={name: self._clean(words) for name, words in found.passport.items()},
            capabilities=found.capabilities,
            answers=tuple(found.answers),
            at=datetime.now(UTC),
        )

    def _judged(self) -> tuple[str, str, EngineError | None]:
        """Verdict, nuance, and the error that led to them. A key that was never proven is not ready."""
        found, subject = self._found, self._subject
        if self._verdict:
            return self._verdict, self._nuance(), self._error
        if self._ask.stored_instead:
            return "unknown", "stored_keys", None
        answered = any(answer.outcome == "complete" for answer in found.answers)
        if found.unlisted is not None and not answered:
            error = scrubbed(found.unlisted, self._secrets)
            return "restricted", "list", error
        if found.open_to_all and not found.proven and not subject.provider.keyless:
            return "unknown", "open_gateway" if subject.of_gateway else "open_list", None
        if found.unlisted is not None:
            return "ready", "unlisted", None
        if found.listed is not None and not found.live:
            return "ready", "no_models", None
        needless = subject.provider.keyless and subject.secret is None
        return "ready", "no_key" if needless else "answered" if answered else "", None

    def _nuance(self) -> str:
        """What lies in the key itself, or in there being none, goes before what the error tells."""
        error, subject = self._error, self._subject
        if error is not None and error.kind in ("invalid_key", "wrong_key_type"):
            if subject.secret is None:
                return "needed"
            if is_retired_form(subject.secret.reveal()) and error.status is not None:
                return "retired"
        return nuance_of(error, subject.provider, proven=self._found.proven)
