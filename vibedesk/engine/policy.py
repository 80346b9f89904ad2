"""What to do about a failure before anything was shown: pure functions from an error to the next step."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Literal

from msgspec import Struct

from vibedesk.engine.dialects import Call
from vibedesk.engine.dialects.adapting import without
from vibedesk.engine.errors import BadRequest, EngineError

WAIT_CAP_S = 10.0
"""Longer waits are the user's to decide: the error says until when."""
ATTEMPTS_CAP = 12
"""Requests one ask may cost (routing.md §2.5)."""
DROPS_CAP = 3
"""Parameters one deployment may refuse before we stop guessing (wire.md §11.1)."""

_PASSING = frozenset({"connection_lost", "overloaded", "server_error", "cut"})
"""Failures that another try a moment later often survives."""
_FINAL = frozenset({"bad_request", "content_blocked", "context_overflow", "answer_too_long"})
"""The request's own fault, or a refusal nobody should walk around."""
_GATEWAY_FAULTS = {"rate_limit": "rate_limited", "upstream": "server_error", "guardrail": "content_blocked"}


class Step(Struct, frozen=True):
    """`again` asks the same deployment after `wait_s`, `drop` the same without `parameter`, `next` another one."""

    move: Literal["again", "drop", "next", "stop"]
    wait_s: float = 0.0
    parameter: str = ""


def step_after(
    error: EngineError, *, tries: int, others: bool, dropped: tuple[str, ...] = (), parameter: str = ""
) -> Step:
    """The step after a failure with nothing shown yet.

    `tries`: requests this deployment has had, this one included (parameter drops are not counted); `others`:
    another deployment can be asked; `parameter`: what the provider refused and the request could go without, ""
    if nothing.
    """
    nature = _nature(error)
    if parameter and parameter not in dropped and len(dropped) < DROPS_CAP:
        return Step("drop", parameter=parameter)
    if nature in _FINAL:
        return Step("stop")
    if nature == "connection_lost" and tries == 1:
        # Most often a kept-alive socket that the server had just closed: a fresh one does at once.
        return Step("again")
    if nature in _PASSING and tries <= (1 if others else 2):
        return _again_or_on(backoff(tries - 1, error.retry_after_s), others)
    if nature == "rate_limited" and not others and tries <= 2 and _hint(error.retry_after_s) is not None:
        return _again_or_on(backoff(tries - 1, error.retry_after_s), others)
    return Step("next" if others else "stop")


def backoff(n: int, hint: float | None, *, jitter: Callable[[float, float], float] = random.uniform) -> float:
    """Seconds before try n + 1: the server's hint where it is sane, else 0.5·2ⁿ up to 8, jittered by a fifth."""
    known = _hint(hint)
    if known is not None:
        return known
    return min(0.5 * float(2 ** max(n, 0)), 8.0) * jitter(0.8, 1.2)


def droppable(error: EngineError, call: Call) -> str:
    """The parameter the provider refused, if this call has it and can go without; else ""."""
    if not isinstance(error, BadRequest):
        return ""
    name = str(error.facts.get("parameter") or "")
    return name if without(call, name) is not None else ""


def _nature(error: EngineError) -> str:
    if error.kind == "gateway_error":
        return _GATEWAY_FAULTS.get(str(error.facts.get("fault")), error.kind)
    return error.kind


def _hint(seconds: float | None) -> float | None:
    """NaN, infinite, zero and negative hints are no hints."""
    return seconds if seconds is not None and 0 < seconds < 1e9 else None


def _again_or_on(wait_s: float, others: bool) -> Step:
    if wait_s <= WAIT_CAP_S:
        return Step("again", wait_s=wait_s)
    return Step("next" if others else "stop")
