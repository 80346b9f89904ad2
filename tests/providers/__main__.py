"""The loopback providers by hand: `python -m tests.providers openai --port 0 --key loopback-key` prints its
base URL and runs.

`all` starts one of each behind a gateway and prints a `providers.toml` for them. Besides its own models every
server takes
model ids that say how to go wrong: fail-429, fail-401, fail-500, stall, stall-3, ping, cut-chunked, cut-eof,
cut-reset, html,
empty, json-error, in-band, malformed, split, think, long.
"""

from __future__ import annotations

import argparse
import asyncio
from contextlib import AsyncExitStack

from tests.providers import Anthropic, Behaviour, Gateway, Gemini, Loopback, OpenAI, Responses
from tests.providers.behaviour import TEXT
from tests.providers.openai import MODELS

DIALECTS = {"responses": "openai-responses", "anthropic": "anthropic", "gemini": "gemini"}


def main() -> None:
    words = argparse.ArgumentParser(prog="python -m tests.providers", description=__doc__)
    words.add_argument("kind", choices=[*MODELS, "responses", "anthropic", "gemini", "all"])
    words.add_argument("--port", type=int, default=0)
    words.add_argument("--key", default="loopback-key")
    words.add_argument("--rate", type=float, default=40.0, help="tokens a second; 0 = all at once")
    words.add_argument("--delay", type=float, default=0.2, help="seconds before the first token")
    words.add_argument("--text", default=TEXT)
    words.add_argument("--reasoning", default="")
    given = words.parse_args()
    try:
        asyncio.run(_serve(given))
    except KeyboardInterrupt:
        return


async def _serve(given: argparse.Namespace) -> None:
    behaviour = Behaviour(
        text=given.text, reasoning=given.reasoning, tokens_per_s=given.rate or None, first_token_s=given.delay
    )
    async with AsyncExitStack() as stack:
        if given.kind == "all":
            await _all(behaviour, given.key, stack)
        else:
            server = await stack.enter_async_context(_server(given.kind, behaviour, given.key, given.port))
            print(server.base_url, flush=True)
        await asyncio.Event().wait()


async def _all(behaviour: Behaviour, key: str, stack: AsyncExitStack) -> None:
    upstreams: dict[str, str] = {}
    for kind in (*MODELS, "responses", "anthropic", "gemini"):
        server = await stack.enter_async_context(_server(kind, behaviour, key, 0))
        slug = {"gemini": "google-ai-studio"}.get(kind, kind)
        upstreams[slug] = server.origin if kind in ("anthropic", "gemini") else server.base_url
        print(
            f'[providers.my-{kind}]\nname = "Loopback {kind}"\ndialect = "{DIALECTS.get(kind, "openai-chat")}"'
        )
        print(f'base_url = "{server.base_url}"\nenv = ["MY_{kind.upper()}_API_KEY"]\n')
    gateway = await stack.enter_async_context(Gateway(upstreams))
    print(
        f"# gateway: {gateway.base_url} account {gateway.account} name {gateway.name} token {gateway.key}",
        flush=True,
    )


def _server(kind: str, behaviour: Behaviour, key: str, port: int) -> Loopback:
    match kind:
        case "anthropic":
            return Anthropic(behaviour, key=key, port=port)
        case "gemini":
            return Gemini(behaviour, key=key, port=port)
        case "responses":
            return Responses(behaviour, key=key, port=port)
        case "openai" | "groq" | "cerebras" | "together":
            return OpenAI(behaviour, key=key, flavour=kind, port=port)
    raise ValueError(kind)


if __name__ == "__main__":
    main()
