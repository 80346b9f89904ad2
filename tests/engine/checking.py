"""Checks over scripted providers: what the tests of the check share."""

from __future__ import annotations

import copy
import tomllib
from collections.abc import Mapping
from contextlib import aclosing
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from tests.engine.asking import key_of
from tests.providers.server import Loopback, Reply, Seen, json_reply
from vibedesk.engine.catalog import Catalog
from vibedesk.engine.check import VERDICTS, CheckResult, Stage, check
from vibedesk.engine.http import Http
from vibedesk.engine.types import Provider, Secret

CATALOG = Path(__file__).resolve().parents[2] / "resources" / "catalog"
KEYS = {
    "openai": "sk-proj-" + "a1B2" * 20,
    "anthropic": "sk-ant-api03-" + "x" * 93 + "AA",
    "google-ai-studio": "AQ.Ab8RN6" + "y" * 44,
    "cerebras": "csk-" + "z9" * 24,
    "groq": "gsk_" + "q" * 52,
    "together": "tgp_v1_" + "t" * 43,
    "openrouter": "sk-or-v1-" + "0a" * 32,
    "mistral": "m1" * 16,
    "deepseek": "sk-" + "0d" * 16,
    "grok": "xai-" + "k" * 80,
    "cloudflare-ai-gateway": "cfut_" + "c" * 48,
}
"""Of each provider a key of its form; none is anybody's."""

PATHS = {
    "anthropic": "",
    "deepseek": "",
    "google-ai-studio": "/v1beta",
    "openrouter": "/api/v1",
    "groq": "/openai/v1",
}
NO_KEY: dict[str, tuple[int, Any]] = {
    "openai": (401, {"error": {"message": "You didn't provide an API key.", "type": "invalid_request_error", "param": None, "code": None}}),  # noqa: E501
    "anthropic": (401, {"type": "error", "error": {"type": "authentication_error", "message": "x-api-key header is required"}}),  # noqa: E501
    "google-ai-studio": (401, {"error": {"code": 401, "message": "Request is missing required authentication credential.", "status": "UNAUTHENTICATED", "details": [{"reason": "CREDENTIALS_MISSING"}]}}),  # noqa: E501
    "cerebras": (403, {"detail": "Not authenticated"}),
    "mistral": (401, {"message": "Unauthorized", "request_id": "r1"}),
    "openrouter": (401, {"error": {"message": "No auth credentials found", "code": 401}}),
    "grok": (401, {"code": "unauthenticated:no-credentials", "error": "No credentials provided"}),
}  # fmt: skip
"""What each says to somebody without a key (wire.md §3 to §9); the others as OpenAI does."""

LISTS: dict[str, Any] = {
    "anthropic": {"data": [{"type": "model", "id": "claude-haiku-4-5", "display_name": "Claude Haiku 4.5"}]},
    "google-ai-studio": {"models": [{"name": "models/gemini-3.8-flash", "supportedGenerationMethods": ["generateContent"]}]},  # noqa: E501
    "together": [{"id": "openai/gpt-oss-120b", "object": "model", "type": "chat"}],
}  # fmt: skip


def list_of(provider: str) -> Any:
    return LISTS.get(provider) or {"object": "list", "data": [{"id": "gpt-6-luna", "object": "model"}]}


@cache
def documents() -> tuple[dict[str, Any], dict[str, Any]]:
    read = [(CATALOG / name).read_text(encoding="utf-8") for name in ("providers.toml", "models.toml")]
    return tomllib.loads(read[0]), tomllib.loads(read[1])


def catalog_at(addresses: Mapping[str, str], **more: Any) -> Catalog:
    """The bundled catalog with some providers at other addresses, `more` = fields of all of those."""
    providers, models = copy.deepcopy(documents()[0]), documents()[1]
    for id, url in addresses.items():
        block = providers["providers"].get(id) or providers["gateways"][id]
        block |= {"base_url": url, **more}
        if block.get("gateway_strips"):
            block["gateway_strips"] = url
    return Catalog.read(providers, models, today=date(2026, 11, 24))


class Scripted(Loopback):
    """A provider of the catalog by its id: good, but for what `says` (a path's end → reply) makes it say to a key.

    `to_all`: the same reply to everybody. `open_list`: it lists its models without a key.
    """

    def __init__(
        self,
        provider: str,
        says: Mapping[str, Reply] | None = None,
        *,
        to_all: Reply | None = None,
        open_list: bool = False,
    ) -> None:
        super().__init__(key=KEYS.get(provider, "loopback-key-0001"))
        self.provider, self.says, self.to_all = provider, says or {}, to_all
        self.open_list = open_list or provider == "openrouter"
        self.prefix = PATHS.get(provider, "/v1")

    def answer(self, seen: Seen) -> Reply:
        if self.to_all is not None:
            return self.to_all
        lists = seen.path.endswith("/models")
        if not is_keyed(seen) and not (lists and self.open_list):
            status, body = NO_KEY.get(self.provider, NO_KEY["openai"])
            return json_reply(body, status)
        if is_keyed(seen):
            for end, reply in self.says.items():
                if seen.path.endswith(end):
                    return reply
        return json_reply(list_of(self.provider)) if lists else json_reply({"data": {}})


def is_keyed(seen: Seen) -> bool:
    """A key came with it."""
    names = ("authorization", "x-api-key", "x-goog-api-key", "cf-aig-authorization")
    return any(name in seen.headers for name in names)


async def outcome(checking: Any) -> CheckResult:
    """The one result, last; every stage before it announced first and then told."""
    async with aclosing(checking) as steps:
        heard = [step async for step in steps]
    assert isinstance(heard[-1], CheckResult)
    stages = heard[:-1]
    assert all(isinstance(stage, Stage) for stage in stages)
    assert [stage.verdict for stage in stages[::2]] == ["running"] * (len(stages) // 2)
    assert [stage.name for stage in stages[::2]] == [stage.name for stage in stages[1::2]]
    assert heard[-1].verdict in VERDICTS
    return heard[-1]


async def checked(
    http: Http, server: Scripted, *, secret: str | None = "", catalog: Catalog | None = None, **more: Any
) -> tuple[CheckResult, Provider]:
    """The check of a key (of its provider's form, unless given) at this server."""
    catalog = catalog or catalog_at({server.provider: server.base_url})
    provider = catalog.provider(server.provider)
    given = server.key if secret == "" else secret
    checking = check(key_of(provider), Secret(given) if given else None, provider, catalog, http, **more)
    return await outcome(checking), provider
