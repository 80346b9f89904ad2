"""Checks of keys as the screen sees them: each stage as it lights up, the verdict, and the words for it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import aclosing
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace
from PySide6.QtCore import QObject, Signal

from vibedesk.desk import Desk
from vibedesk.engine.catalog import origin_of
from vibedesk.engine.errors import EngineError, Misconfigured
from vibedesk.engine.types import ApiKey, Cost, Provider, Secret
from vibedesk.engine.verdicts import CAPABILITIES, is_stale
from vibedesk.state.loading import loaded
from vibedesk.state.tasks import Tasks
from vibedesk.store.database import DatabaseProblem
from vibedesk.wording import verdict_words

if TYPE_CHECKING:
    from vibedesk.engine.check import CheckResult, Stage

_log = logging.getLogger(__name__)

STAGES = (
    ("shape", "Shape"),
    ("host", "Host"),
    ("port", "Connection"),
    ("tls", "Certificate"),
    ("api", "API"),
    ("key", "Key"),
    ("models", "Models"),
    ("answer", "One answer"),
    ("stream", "Streaming"),
    ("vision", "Images"),
    ("json", "JSON"),
)
"""Every stage a check can have, in order, with its title."""
ROLES = {
    "ready": "ok",
    "rate_limited": "warn",
    "spend_limit": "warn",
    "restricted": "warn",
    "untested": "neutral",
}
SHORT = {
    "ready": "ready",
    "untested": "untested",
    "rate_limited": "rate-limited",
    "no_credit": "no credit",
    "spend_limit": "spend limit reached",
    "restricted": "restricted",
    "invalid": "refused",
    "revoked": "revoked",
    "wrong_type": "wrong kind of key",
    "wrong_provider": "another provider’s key",
    "wrong_organisation": "wrong organisation",
    "region_blocked": "region blocked",
    "network_blocked": "network blocked",
    "wrong_base_url": "wrong address",
    "not_this_api": "not this API",
    "dns_failed": "host not found",
    "refused": "no connection",
    "tls_untrusted": "certificate not trusted",
    "timed_out": "timed out",
    "server_down": "provider down",
    "unknown": "unclear",
}
NOT_THE_KEY = {
    "dns_failed",
    "refused",
    "timed_out",
    "server_down",
    "tls_untrusted",
    "network_blocked",
    "unknown",
}


class CheckLine(Struct, frozen=True, kw_only=True):
    """One stage as it is shown. `took_s` None = not measured yet. `evidence`: more short facts, name → words."""

    id: str
    title: str
    verdict: str = "waiting"
    detail: str = ""
    took_s: float | None = None
    evidence: tuple[tuple[str, str], ...] = ()


class CheckRun(Struct, frozen=True, kw_only=True):
    """A check, under way or done. `verdict` "" = under way; `message` and `fix` are sentences.

    `nuance` tells apart what has one verdict (see `engine.verdicts.nuance_of`). `passport` is what was learnt of the
    key, name → words. `capabilities`: those that were tried. `spent_usd`: what real answers cost, None = unknown.
    `suggestion`: where the fix is another provider's id ("wrong_provider") or another base URL, that; else "".
    """

    key_id: str
    provider: str
    lines: tuple[CheckLine, ...]
    verdict: str = ""
    message: str = ""
    fix: str = ""
    took_s: float | None = None
    models: int | None = None
    limits: tuple[tuple[str, str], ...] = ()
    at: datetime | None = None
    nuance: str = ""
    passport: tuple[tuple[str, str], ...] = ()
    capabilities: tuple[tuple[str, bool], ...] = ()
    spent_usd: Decimal | None = None
    suggestion: str = ""

    def is_stale(self, now: datetime | None = None) -> bool:
        """Older than a day: what was true then."""
        return is_stale(self.at, now or datetime.now(UTC))

    @property
    def running(self) -> bool:
        return not self.verdict

    @property
    def role(self) -> str:
        return role_of(self.verdict)


def role_of(verdict: str) -> str:
    """The chip's role for a verdict: what is not the key's own fault is a warning."""
    return ROLES.get(verdict, "warn" if verdict in NOT_THE_KEY else "bad") if verdict else "neutral"


def chip_of(
    verdict: str, checked: datetime | None, now: datetime, *, models: int | None = None
) -> tuple[str, str]:
    """The words and the role of a key's chip: its last verdict, and that it is old where it is older than a day.

    `models`: how many the key sees, None = not known. One that sees none can ask none.
    """
    words, role = SHORT.get(verdict, verdict), role_of(verdict)
    if verdict == "ready" and models is not None:
        words = f"ready · {models} model{'' if models == 1 else 's'}" if models else "no models"
        role = role if models else "warn"
    if is_stale(checked, now) and verdict not in ("", "untested"):
        return (
            f"{words} · {(now - checked).days if checked else 0} d ago",
            "neutral" if role == "ok" else role,
        )
    return words, role


class Checks(QObject):
    """`changed(key id)` at every step, `finished(key id)` at the end. A key is checked once at a time."""

    changed = Signal(str)
    finished = Signal(str)

    def __init__(self, desk: Desk, tasks: Tasks, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._desk, self._tasks = desk, tasks
        self._runs: dict[str, CheckRun] = {}
        self._running: dict[str, asyncio.Task[None]] = {}

    def run_of(self, key_id: str) -> CheckRun | None:
        """The last check of this key in this sitting, or the one under way."""
        return self._runs.get(key_id)

    def is_running(self, key_id: str) -> bool:
        return key_id in self._running

    def start(
        self,
        key: ApiKey,
        provider: Provider,
        *,
        secret: Secret | None = None,
        answer: bool = True,
        capabilities: bool = False,
        insist: bool = False,
        done: Callable[[CheckResult], object] | None = None,
    ) -> None:
        """Checks `key`, with `secret` where it is not kept yet. A check of it under way is left for this one.

        `answer` and `capabilities` cost (see `estimate`); `insist` sends a key that looks like another provider's.
        """
        self.stop(key.id)
        depth = Depth(answer=answer or capabilities, capabilities=capabilities, insist=insist)
        self._show(CheckRun(key_id=key.id, provider=provider.id, lines=_waiting(depth)))
        task = self._tasks.start(
            self._run(key, provider, secret, depth, done), name=f"check {key.id or provider.id}"
        )
        self._running[key.id] = task

    def estimate(self, provider: Provider, *, capabilities: bool = False) -> Cost | None:
        """The most that one real answer can cost, and the tests of what the model can do; None = price unknown."""
        from vibedesk.engine.check import most_of_check

        catalog = self._desk.catalog
        return most_of_check(catalog, provider, capabilities=capabilities, on=date.today())

    def stop(self, key_id: str) -> None:
        """Ends a check under way; what it had found is forgotten."""
        task = self._running.pop(key_id, None)
        if task is not None:
            task.cancel()
            self._runs.pop(key_id, None)
            self.changed.emit(key_id)

    def forget(self, key_id: str) -> None:
        """Drops what is known of a key."""
        self.stop(key_id)
        if self._runs.pop(key_id, None) is not None:
            self.changed.emit(key_id)

    def forget_older(self, keys: Sequence[ApiKey]) -> None:
        """Drops checks that a later answer contradicts: what the provider said last is what is shown."""
        for key in keys:
            run = self._runs.get(key.id)
            if run is None or run.at is None or key.checked is None or key.id in self._running:
                continue
            if key.checked > run.at and key.state != run.verdict:
                self.forget(key.id)

    async def _run(
        self,
        key: ApiKey,
        provider: Provider,
        secret: Secret | None,
        depth: Depth,
        done: Callable[[CheckResult], object] | None,
    ) -> None:
        await loaded("vibedesk.engine.check")
        from vibedesk.engine.check import CheckResult

        me = asyncio.current_task()
        try:
            if secret is None and not provider.keyless:
                secret = await self._desk.secret_of(key)
            result = await self._follow(key, provider, secret, depth)
        except (EngineError, DatabaseProblem) as problem:
            error = problem if isinstance(problem, EngineError) else Misconfigured(str(problem))
            result = CheckResult(
                key_id=key.id,
                provider=provider.id,
                verdict="unknown",
                stage="key",
                error=error,
                http_status=None,
                took_s=0.0,
                models=None,
                stages=(),
                live=(),
                limits={},
            )
        if self._running.get(key.id) is not me:
            return
        try:
            await self._keep(key, provider, result)
        except (DatabaseProblem, OSError) as problem:
            # The verdict holds, and is shown, also where it is not kept.
            _log.warning("what a check found was not kept: %s", problem)
        self._running.pop(key.id, None)
        self._show_result(key.id, provider, result)
        if done is not None:
            done(result)
        self.finished.emit(key.id)

    async def _follow(
        self, key: ApiKey, provider: Provider, secret: Secret | None, depth: Depth
    ) -> CheckResult:
        from vibedesk.engine.check import CheckResult, check

        gateway = None
        if provider.id in self._desk.catalog.gateways:
            gateway = await asyncio.to_thread(self._desk.gateway)
        probes = check(
            key,
            secret,
            provider,
            self._desk.catalog,
            self._desk.http,
            answer=depth.answer,
            capabilities=depth.capabilities,
            insist=depth.insist,
            gateway=gateway,
        )
        async with aclosing(probes) as steps:
            async for step in steps:
                if isinstance(step, CheckResult):
                    return step
                self._show_stage(key.id, step)
        raise EngineError("the check ended without a result", provider=provider.id)

    async def _keep(self, key: ApiKey, provider: Provider, result: CheckResult) -> None:
        if key.id:
            now = result.at or datetime.now(UTC)
            note = partial(self._desk.keys.note_check, hint=key.hint)
            await asyncio.to_thread(note, key.id, result.verdict, now, result.passport or None)
            if result.verdict == "ready":
                self._desk.key_changed(key.id)
        for answer in result.answers:
            await asyncio.to_thread(self._desk.ledger.record, answer, datetime.now(UTC))
        if result.live:
            await asyncio.to_thread(self._desk.keep_models, provider.id, result.live)

    def _show_stage(self, key_id: str, stage: Stage) -> None:
        run = self._runs.get(key_id)
        if run is None:
            return
        lines = tuple(_lit(line, stage) if line.id == stage.name else line for line in run.lines)
        self._show(replace(run, lines=lines))

    def _show_result(self, key_id: str, provider: Provider, result: CheckResult) -> None:
        message, fix = verdict_words(result, provider)
        lines = self._runs[key_id].lines
        for stage in result.stages:
            lines = tuple(_lit(line, stage) if line.id == stage.name else line for line in lines)
        self._show(
            CheckRun(
                key_id=key_id,
                provider=provider.id,
                lines=tuple(
                    replace(line, verdict="skipped") if line.verdict == "waiting" else line for line in lines
                ),
                verdict=result.verdict,
                message=message,
                fix=fix,
                took_s=result.took_s,
                models=result.models,
                limits=tuple(result.limits.items()),
                at=result.at or datetime.now(UTC),
                nuance=result.nuance,
                passport=tuple(result.passport.items()),
                capabilities=tuple(result.capabilities.items()),
                spent_usd=result.spent_usd,
                suggestion=str(result.error.facts.get("suggestion", "")) if result.error else "",
            )
        )

    def _show(self, run: CheckRun) -> None:
        self._runs[run.key_id] = run
        self.changed.emit(run.key_id)


def unsaved_key(provider: Provider, hint: str = "") -> ApiKey:
    """Stands for a key that is checked before it is kept: its id is empty, its origin the provider's own."""
    return ApiKey(
        id="", provider=provider.id, label="", hint=hint, source="vault", origin=origin_of(provider.base_url)
    )


class Depth(Struct, frozen=True, kw_only=True):
    """How deep a check goes, and whether the key is sent although it looks like another provider's."""

    answer: bool
    capabilities: bool
    insist: bool


def _waiting(depth: Depth) -> tuple[CheckLine, ...]:
    left_out = set() if depth.capabilities else {*CAPABILITIES} if depth.answer else {*CAPABILITIES, "answer"}
    return tuple(CheckLine(id=name, title=title) for name, title in STAGES if name not in left_out)


def _lit(line: CheckLine, stage: Stage) -> CheckLine:
    took = stage.took_s if stage.verdict in ("ok", "failed") else None
    facts = tuple(stage.evidence.items())
    return replace(line, verdict=stage.verdict, detail=stage.detail, took_s=took, evidence=facts)
