"""What the servers on this machine tell of themselves outside the API they share: version, and what is loaded."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from vibedesk.engine.dialects.complaint import clean
from vibedesk.engine.dialects.lenient import Unreadable, count, loads, obj, objects, text

Fetch = Callable[[str], Awaitable[bytes | None]]
"""The body at a path of the server's origin, None where it has no such place."""

_MOST = 3


async def facts_of(provider: str, fetch: Fetch) -> dict[str, str]:
    """`version`, `loaded`, `window`: what Ollama, LM Studio and llama.cpp say (wire facts §9.5 to §9.7); {} for
    another server, or one that does not say."""
    match provider:
        case "ollama":
            version = text(obj(await _read(fetch, "/api/version")).get("version"))
            running = objects(obj(await _read(fetch, "/api/ps")).get("models"))
            return _told(version=version, loaded=[text(one.get("name")) for one in running])
        case "lm-studio":
            known = objects(obj(await _read(fetch, "/api/v0/models")).get("data"))
            return _told(loaded=[text(one.get("id")) for one in known if one.get("state") == "loaded"])
        case "llama-cpp":
            props = obj(await _read(fetch, "/props"))
            path = text(props.get("model_path")).replace("\\", "/").rpartition("/")[2]
            window = count(obj(props.get("default_generation_settings")).get("n_ctx"))
            return _told(loaded=[path], window=f"{window:,} tokens" if window else "")
    return {}


async def _read(fetch: Fetch, path: str) -> Any:
    try:
        return loads(await fetch(path) or b"null")
    except Unreadable:
        return None


def _told(*, version: str = "", loaded: list[str] | None = None, window: str = "") -> dict[str, str]:
    names = [clean(name) for name in loaded or [] if name]
    more = f" and {len(names) - _MOST} more" if len(names) > _MOST else ""
    facts = {"version": clean(version), "loaded": ", ".join(names[:_MOST]) + more, "window": window}
    return {name: words for name, words in facts.items() if words}
