"""The peers, in the environment that holds them and nothing of ours: `peers.py WAY PORT STREAMS MODEL`."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

MESSAGES = [{"role": "user", "content": "Hi"}]


def openai_sdk(port: int) -> Callable[[str], Awaitable[int]]:
    from openai import AsyncOpenAI

    client = AsyncOpenAI(api_key="bench-key-of-nobody", base_url=f"http://127.0.0.1:{port}/v1", max_retries=0)

    async def read(model: str) -> int:
        options: Any = {"include_usage": True}
        count = 0
        stream = await client.chat.completions.create(
            model=model, messages=MESSAGES, stream=True, stream_options=options
        )
        async for chunk in stream:
            count += bool(chunk.choices and chunk.choices[0].delta.content)
        return count

    return read


def litellm_sdk(port: int) -> Callable[[str], Awaitable[int]]:
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
    import litellm

    litellm.suppress_debug_info = True

    async def read(model: str) -> int:
        count = 0
        stream = await litellm.acompletion(
            model=f"openai/{model}",
            messages=MESSAGES,
            stream=True,
            stream_options={"include_usage": True},
            api_key="bench-key-of-nobody",
            api_base=f"http://127.0.0.1:{port}/v1",
        )
        async for chunk in stream:
            count += bool(chunk.choices and chunk.choices[0].delta.content)
        return count

    return read


async def measure(read: Callable[[str], Awaitable[int]], streams: int, model: str) -> dict[str, float]:
    await read("count-20")
    wall, cpu = time.perf_counter(), time.process_time()
    counts = await asyncio.gather(*(read(model) for _ in range(streams)))
    return {"cpu_s": time.process_time() - cpu, "wall_s": time.perf_counter() - wall, "events": sum(counts)}


if __name__ == "__main__":
    way, port, streams, model = sys.argv[1:5]
    reader = {"openai": openai_sdk, "litellm": litellm_sdk}[way](int(port))
    print(json.dumps(asyncio.run(measure(reader, int(streams), model))))
