"""The parameters' names on screen, and what is set of them in words."""

from __future__ import annotations

from vibedesk.engine.types import Parameters
from vibedesk.state.estimate import differing

NAMES = {
    "reasoning_effort": "Reasoning effort",
    "temperature": "Temperature",
    "top_p": "Top-p",
    "max_tokens": "Max tokens",
    "stop": "Stop sequences",
    "seed": "Seed",
    "json_schema": "JSON schema",
}


def told(parameters: Parameters) -> str:
    """What is set, a line each, for the tip of the badge that says so."""
    lines = []
    for name, value in differing(parameters).items():
        said = (
            "set" if name == "json_schema" else ", ".join(value) if isinstance(value, tuple) else f"{value}"
        )
        lines.append(f"{NAMES[name]}: {said}")
    return "\n".join(lines)
