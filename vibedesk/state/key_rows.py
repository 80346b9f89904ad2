"""The lines of the keys page: each key as it is shown, and the line of local servers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal

from msgspec import Struct

from vibedesk.desk import Desk
from vibedesk.engine.types import ApiKey, Provider
from vibedesk.state.check import Checks, chip_of
from vibedesk.state.local_servers import LocalServers
from vibedesk.wording import verdict_words

LOCAL = "local"
"""The id of the row that stands for servers on this machine."""


class KeyRow(Struct, frozen=True, kw_only=True):
    """A line of the keys page. `key` None = the line of local servers.

    `spent`: dollars this month (UTC), None = unknown. `over`: it has reached the monthly budget set for it.
    """

    id: str
    key: ApiKey | None
    provider: Provider | None
    label: str
    hint: str
    source: str
    chip: str
    role: str
    spent: Decimal | None = None
    checking: bool = False
    over: bool = False


class KeyRows:
    """Makes the lines out of what is known: keys, checks, local servers."""

    def __init__(
        self,
        desk: Desk,
        checks: Checks,
        servers: LocalServers,
        provider_of: Callable[[str], Provider | None],
    ) -> None:
        self._desk, self._checks, self._servers, self._provider_of = desk, checks, servers, provider_of

    def rows(self, keys: Sequence[ApiKey], spent: Mapping[str, Decimal]) -> list[KeyRow]:
        """The keys in the order of their providers, then the line of local servers."""
        catalog = self._desk.catalog
        order = {name: number for number, name in enumerate([*catalog.providers, *catalog.gateways])}
        ordered = sorted(keys, key=lambda key: order.get(key.provider, len(order)))
        return [*(self._row(key, spent.get(key.id)) for key in ordered), self._local_row()]

    def _row(self, key: ApiKey, spent: Decimal | None) -> KeyRow:
        checking = self._checks.is_running(key.id)
        chip, role = ("checking…", "accent") if checking else self._chip(key)
        budget = key.limits.monthly_usd
        return KeyRow(
            id=key.id,
            key=key,
            provider=self._provider_of(key.provider),
            label=key.label,
            hint=self._hint(key),
            source=key.source,
            chip=chip if key.enabled else "switched off",
            role=role if key.enabled else "neutral",
            spent=spent,
            checking=checking,
            over=budget is not None and spent is not None and spent >= budget,
        )

    def _hint(self, key: ApiKey) -> str:
        if key.provider in self._desk.catalog.gateways:
            return " · ".join(filter(None, (self._desk.settings.get("gateway.name"), key.hint)))
        return key.hint

    def _chip(self, key: ApiKey) -> tuple[str, str]:
        run = self._checks.run_of(key.id)
        verdict = run.verdict if run and run.verdict else key.state
        seen = run.models if run else None
        models = seen if seen is not None else self._models_of(key.provider) or None
        return chip_of(verdict, run.at if run else key.checked, datetime.now(UTC), models=models)

    def _models_of(self, provider_id: str) -> int:
        return len(models_in_use(self._desk, provider_id))

    def _local_row(self) -> KeyRow:
        words = self._servers.words()
        silent = "none found" if self._servers.were_asked else "not looked for"
        return KeyRow(
            id=LOCAL,
            key=None,
            provider=None,
            label="Local servers",
            hint="",
            source="loopback",
            chip=words or silent,
            role="ok" if words else "neutral",
        )


def words_remembered(key: ApiKey, provider: Provider) -> tuple[str, str]:
    """What the last check of a key said, and its fix, of which only the verdict was kept; "" twice for a good one."""
    if key.state in ("ready", "untested"):
        return "", ""
    from vibedesk.engine.check import CheckResult

    kept = CheckResult(
        key_id=key.id, provider=provider.id, verdict=key.state, stage="", error=None, http_status=None,
        took_s=0.0, models=None, stages=(), live=(), limits={},
    )  # fmt: skip
    return verdict_words(kept, provider)


def models_in_use(desk: Desk, provider_id: str) -> tuple[str, ...]:
    """Full ids of the provider's models that can be asked today."""
    models = desk.catalog.models(provider_id)
    return tuple(model.full_id for model in models if model.state in ("current", "retiring"))
