"""What OpenAI and its kin take as the schema an answer is held to (wire.md §3.5, §3.7)."""

from __future__ import annotations

import re
from typing import Any

FIELDS = {"name", "schema", "strict", "description"}


def schema_fault(form: Any, where: str) -> str | None:
    """Why this `response_format` is refused; None = it is taken."""
    match form:
        case None | {"type": "text" | "json_object"}:
            return None
        case {"type": "json_schema", "json_schema": dict() as held, **rest} if not rest:
            return named_fault(held, f"{where}.json_schema")
    return f"Invalid value for '{where}'."


def named_fault(held: dict[str, Any], where: str) -> str | None:
    """The same for the named schema in it."""
    if unknown := held.keys() - FIELDS:
        return f"Unknown parameter: '{where}.{min(unknown)}'."
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", str(held.get("name", ""))):
        return f"Invalid '{where}.name': string does not match pattern."
    if not isinstance(held.get("schema"), dict):
        return f"Missing required parameter: '{where}.schema'."
    if held.get("strict") and (wrong := _loose(held["schema"], ())):
        return f"Invalid schema for response_format '{held['name']}': In context={wrong}, 'additionalProperties' is required to be supplied and to be false, and 'required' to name every property."  # noqa: E501
    return None


def _loose(schema: Any, path: tuple[str, ...]) -> tuple[str, ...] | None:
    """Where strict mode finds an object that is open, or has properties that may be missing."""
    if isinstance(schema, dict) and (schema.get("type") == "object" or not path):
        if schema.get("additionalProperties") is not False:
            return path or ("()",)
        if set(schema.get("required", ())) != set(schema.get("properties", ())):
            return path or ("()",)
    inner = schema.items() if isinstance(schema, dict) else ()
    for name, part in inner:
        for place in part if isinstance(part, list) else [part]:
            if found := _loose(place, (*path, name)):
                return found
    return None
