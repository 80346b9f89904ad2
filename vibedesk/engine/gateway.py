"""What a call asks of the AI gateway it goes through, as headers (wire.md §10.6). Pure."""

from __future__ import annotations

import hashlib
import json

from vibedesk.engine.dialects import Call
from vibedesk.engine.types import Gateway


def headers_for(gateway: Gateway, call: Call) -> dict[str, str]:
    """The headers that carry the gateway's controls, names in lower case; never its token."""
    controls = gateway.controls
    metadata = controls.metadata or {"app": "vibedesk"}
    headers = {"cf-aig-metadata": json.dumps(metadata, separators=(",", ":"))}
    if controls.skip_cache:
        headers["cf-aig-skip-cache"] = "true"
    if controls.cache_ttl_s is not None:
        headers["cf-aig-cache-ttl"] = str(controls.cache_ttl_s)
    if controls.cache_key:
        headers["cf-aig-cache-key"] = f"{controls.cache_key}-{_question(call)}"
    if controls.timeout_ms is not None:
        headers["cf-aig-request-timeout"] = str(controls.timeout_ms)
    if controls.price is not None:
        into, out = controls.price
        headers["cf-aig-custom-cost"] = f'{{"per_token_in":{into:f},"per_token_out":{out:f}}}'
    return headers


def _question(call: Call) -> str:
    """The gateway takes a key in place of its own, which is made of the question: so ours must be, or every question
    would get the first one's answer."""
    said = json.dumps([call.path, call.body], sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(said.encode()).hexdigest()[:32]
