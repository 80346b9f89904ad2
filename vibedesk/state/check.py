"""Checks of keys as the screen sees them: each stage as it lights up, the verdict, and the words for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace
from PySide6.QtCore import QObject, Signal

from vibedesk.desk import Desk
from vibedesk.engine.catalog import origin_of
from vibedesk.engine.errors import EngineError
from vibedesk.engine.types import ApiKey, Provider, Secret
from vibedesk.state.tasks import Tasks
from vibedesk.wording import verdict_words

if TYPE_CHECKING:
    from vibedesk.engine.check import CheckResult, Stage

STAGES = (
    ("shape", "Shape"),
    ("host", "Host"),
    ("tls", "Certificate"),
    ("api", "API"),
    ("key", "Key"),
    ("models", "Models"),
    ("answer", "One answer"),
)
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
    """One stage as it is shown. `took_s` None = not measured yet."""

    id: str
    title: str
    verdict: str = "waiting"
    detail: str = ""
    took_s: float | None = None


class CheckRun(Struct, frozen=True, kw_only=True):
    """A check, under way or done. `verdict` "" = under way; `message` and `fix` are sentences."""

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

    @property
    def running(self) -> bool:
        return not self.verdict

    @property
    def role(self) -> str:
        return role_of(self.verdict)


def role_of(verdict: str) -> str:
    """The chip's role for a verdict: what is not the key's own fault is a warning."""
    return ROLES.get(verdict, "warn" if verdict in NOT_THE_KEY else "bad") if verdict else "neutral"


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
        done: Callable[[CheckResult], object] | None = None,
    ) -> None:
        """Checks `key`, with `secret` where it is not kept yet. A check of it under way is left for this one."""
        self.stop(key.id)
        self._show(CheckRun(key_id=key.id, provider=provider.id, lines=_waiting(answer)))
        task = self._tasks.start(
            self._run(key, provider, secret, answer, done), name=f"check {key.id or provider.id}"
        )
        self._running[key.id] = task

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

    async def _run(
        self,
        key: ApiKey,
        provider: Provider,
        secret: Secret | None,
        answer: bool,
        done: Callable[[CheckResult], object] | None,
    ) -> None:
        from vibedesk.engine.check import CheckResult

        me = asyncio.current_task()
        try:
            if secret is None and not provider.keyless:
                secret = await self._desk.secret_of(key)
            result = await self._follow(key, provider, secret, answer)
        except EngineError as error:
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
        await self._keep(key, provider, result)
        self._running.pop(key.id, None)
        self._show_result(key.id, provider, result)
        if done is not None:
            done(result)
        self.finished.emit(key.id)

    async def _follow(
        self, key: ApiKey, provider: Provider, secret: Secret | None, answer: bool
    ) -> CheckResult:
        from vibedesk.engine.check import CheckResult, check

        probes = check(key, secret, provider, self._desk.catalog, self._desk.http, answer=answer)
        async with aclosing(probes) as steps:
            async for step in steps:
                if isinstance(step, CheckResult):
                    return step
                self._show_stage(key.id, step)
        raise EngineError("the check ended without a result", provider=provider.id)

    async def _keep(self, key: ApiKey, provider: Provider, result: CheckResult) -> None:
        if key.id:
            now = datetime.now(UTC)
            await asyncio.to_thread(self._desk.keys.note_check, key.id, result.verdict, now)
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
                at=datetime.now(UTC),
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


def _waiting(answer: bool) -> tuple[CheckLine, ...]:
    return tuple(CheckLine(id=name, title=title) for name, title in STAGES if answer or name != "answer")


def _lit(line: CheckLine, stage: Stage) -> CheckLine:
    took = stage.took_s if stage.verdict in ("ok", "failed") else None
    return replace(line, verdict=stage.verdict, detail=stage.detail, took_s=took)
