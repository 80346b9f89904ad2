"""An exported route in a real LiteLLM proxy, by hand: `python -m tests.benchmarks.litellm_boots /path/to/litellm`.

Of two providers on loopback the first is dead; the proxy boots from our export, and the fallback has to answer. LiteLLM
lives in an environment of its own (`pip install "litellm[proxy]"`), never in ours.
"""

from __future__ import annotations

import asyncio
import os
import socket
import sys
import tempfile
from datetime import date
from pathlib import Path

import httpx

from tests.providers import OpenAI
from vibedesk.engine.catalog import Catalog
from vibedesk.engine.exports import export
from vibedesk.engine.types import Parameters, Route

MASTER_KEY = "sk-proxy-of-nobody"
ROUTE = Route(
    name="code",
    model="dead/gpt-4.1-mini",
    fallback_models=("alive/gpt-4.1-mini",),
    parameters=Parameters(max_tokens=100),
)
BOOT_S = 90


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def config(alive: OpenAI) -> str:
    def block(name: str, url: str) -> dict[str, object]:
        return {"name": name, "dialect": "openai-chat", "base_url": url, "env": [f"{name.upper()}_KEY"]}

    addresses = {"dead": f"http://127.0.0.1:{free_port()}/v1", "alive": alive.base_url}
    providers = {"providers": {name: block(name, url) for name, url in addresses.items()}}
    return export("litellm", [ROUTE], Catalog.read(providers, {}, today=date.today())).text


async def main(litellm: str) -> int:
    port = free_port()
    async with OpenAI() as alive:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "config.yaml"
            file.write_text(config(alive), encoding="utf-8")
            print(file.read_text(encoding="utf-8"))
            environ = os.environ | {
                "DEAD_KEY": "loopback-key",
                "ALIVE_KEY": "loopback-key",
                "LITELLM_MASTER_KEY": MASTER_KEY,
                "LITELLM_LOCAL_MODEL_COST_MAP": "True",
            }
            proxy = await asyncio.create_subprocess_exec(
                litellm, "--config", str(file), "--port", str(port), "--host", "127.0.0.1", env=environ
            )
            try:
                answer = await ask(f"http://127.0.0.1:{port}")
            finally:
                proxy.terminate()
                await proxy.wait()
        print(f"HTTP {answer.status_code}: {answer.text[:400]}")
        print(f"the living provider was asked {len(alive.asked)} time(s)")
    return 0 if answer.status_code == 200 and alive.asked else 1


async def ask(address: str) -> httpx.Response:
    question = {"model": ROUTE.name, "messages": [{"role": "user", "content": "Hi"}]}
    async with httpx.AsyncClient(trust_env=False, timeout=60) as client:
        for _ in range(BOOT_S):
            try:
                if (await client.get(f"{address}/health/liveliness")).status_code == 200:
                    break
            except httpx.TransportError:
                await asyncio.sleep(1)
        return await client.post(
            f"{address}/v1/chat/completions",
            json=question,
            headers={"authorization": f"Bearer {MASTER_KEY}"},
        )


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1])))
