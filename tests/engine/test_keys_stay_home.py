"""Whatever the route, the faults and the keys: no request leaves without a key meant for it, nor to anybody else than
whom its key was stored for."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import date
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as some

from tests.engine.asking import ask, no_pause
from tests.providers import Behaviour, OpenAI, Seen
from vibedesk.engine.catalog import Catalog
from vibedesk.engine.http import Http
from vibedesk.engine.router import Router
from vibedesk.engine.rungs import rungs_of
from vibedesk.engine.timers import Timers
from vibedesk.engine.types import ApiKey, OnCut, Provider, Route, Secret

NAMES = ("one", "two", "three")
MODELS = ("gpt-4.1-mini", "gpt-6-luna")
FAULTS = (
    Behaviour(),
    Behaviour(status=401),
    Behaviour(status=402),
    Behaviour(status=429),
    Behaviour(status=500),
    Behaviour(cut="eof"),
    Behaviour(redirect_to="http://127.0.0.1:1/steal"),
    Behaviour(instead="html"),
)
full_names = some.builds("{}/{}".format, some.sampled_from(NAMES), some.sampled_from(MODELS))
keys_of_anybody = some.lists(
    some.tuples(some.sampled_from(NAMES), some.sampled_from((*NAMES, "elsewhere")), some.booleans()),
    max_size=5,
)


@settings(max_examples=60, deadline=None)
@given(
    model=full_names,
    fallbacks=some.lists(full_names, max_size=3),
    override=some.sampled_from([None, "direct", *NAMES]),
    faults=some.tuples(*(some.sampled_from(FAULTS) for _ in NAMES)),
    stored=keys_of_anybody,
    on_cut=some.sampled_from(["keep", "continue", "restart"]),
)
def test_no_request_leaves_for_anybody_its_key_was_not_stored_for(
    model: str,
    fallbacks: Sequence[str],
    override: str | None,
    faults: Sequence[Behaviour],
    stored: Sequence[tuple[str, str, bool]],
    on_cut: OnCut,
) -> None:
    async def run() -> None:
        servers = {name: await Anyone(fault).__aenter__() for name, fault in zip(NAMES, faults, strict=True)}
        origins = {name: server.origin for name, server in servers.items()} | {
            "elsewhere": "https://else.test"
        }
        keys = [
            ApiKey(
                id=f"k{n}",
                provider=owner,
                label=f"k{n}",
                hint="",
                source="vault",
                origin=origins[place],
                enabled=on,
            )
            for n, (owner, place, on) in enumerate(stored)
        ]
        read = Catalog.read({"providers": {name: entry(server) for name, server in servers.items()}}, {}, today=date(2026, 11, 22))  # fmt: skip # noqa: E501

        def usable(provider: Provider) -> list[ApiKey]:
            return [key for key in keys if key.provider == provider.id and key.enabled]

        async def secret_of(key: ApiKey) -> Secret:
            return Secret(f"secret-of-{key.id}")

        http = Http()
        router = Router(http, secret_of, timers=Timers(total_s=20.0), pause=no_pause)
        more = {"fallback_models": tuple(fallbacks), "provider_override": override, "on_cut": on_cut}
        route = Route(name="r", model=model, **more)
        try:
            rungs = rungs_of(route, read, usable, None)
            for _ in range(2):
                await ask(router, rungs)
            for name, server in servers.items():
                for seen in server.seen:
                    used = seen.headers["authorization"].removeprefix("Bearer secret-of-")
                    [key] = [key for key in keys if key.id == used]
                    assert (key.provider, key.origin, key.enabled) == (name, server.origin, True)
        finally:
            for server in servers.values():
                await server.__aexit__()
            await http.close()

    asyncio.run(run())


class Anyone(OpenAI):
    """Takes any key, and none."""

    def _check_key(self, seen: Seen) -> None:
        return


def entry(server: OpenAI) -> dict[str, Any]:
    return {"name": "Loopback", "dialect": "openai-chat", "base_url": server.base_url}
