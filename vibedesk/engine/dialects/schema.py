"""The JSON schema an answer is held to, as each wire wants it (wire facts §11.1)."""

from __future__ import annotations

import json
import re
from typing import Any

from vibedesk.engine.dialects.taken import takes_schema
from vibedesk.engine.errors import Misconfigured, Unsupported
from vibedesk.engine.types import Model, Request

LONGEST = 64 * 1024
_NAME = re.compile(r"[^A-Za-z0-9_-]+")


def schema_of(request: Request, model: Model) -> dict[str, Any] | None:
    """The schema as a value; None = the answer is free.

    A schema is no tuning that could be left out: raises Unsupported for a model known to take none, Misconfigured for
    a text that is no schema.
    """
    text = request.parameters.json_schema
    if not text.strip():
        return None
    if not takes_schema(model):
        raise Unsupported(
            f"{model.id} cannot be held to a JSON schema",
            provider=model.provider,
            part="json_schema",
            model=model.id,
        )
    return read_schema(text)


def read_schema(text: str) -> dict[str, Any]:
    """A JSON schema from its text. Raises Misconfigured with a sentence that says where it goes wrong."""
    if len(text) > LONGEST:
        raise Misconfigured("The JSON schema is longer than 64 KiB.", field="json_schema")
    try:
        schema = json.loads(text)
    except RecursionError as exc:
        raise Misconfigured("The JSON schema is nested too deeply.", field="json_schema") from exc
    except ValueError as exc:
        where = f" in line {exc.lineno}" if isinstance(exc, json.JSONDecodeError) else ""
        raise Misconfigured(f"The JSON schema is not JSON{where}.", field="json_schema") from exc
    if not isinstance(schema, dict):
        raise Misconfigured("A JSON schema is an object: { … }.", field="json_schema")
    return schema


def named(schema: dict[str, Any]) -> dict[str, Any]:
    """`{name, schema}`, with `strict` where the schema allows it: as OpenAI's two APIs and their kin want it."""
    title = schema.get("title")
    name = _NAME.sub("_", title if isinstance(title, str) else "").strip("_")[:64] or "answer"
    return {"name": name, "schema": schema} | ({"strict": True} if is_strict(schema) else {})


def is_strict(schema: Any, depth: int = 0) -> bool:
    """Whether strict mode takes it: at every level all properties required and no others allowed."""
    if depth > 20:
        return False
    if isinstance(schema, list):
        return all(is_strict(part, depth + 1) for part in schema)
    if not isinstance(schema, dict):
        return True
    if not depth and schema.get("type") != "object":
        return False
    properties = schema.get("properties")
    if schema.get("type") == "object" or isinstance(properties, dict):
        names = set(properties) if isinstance(properties, dict) else set()
        required = schema.get("required", [])
        if schema.get("additionalProperties") is not False or not isinstance(required, list):
            return False
        if names != {name for name in required if isinstance(name, str)}:
            return False
    return all(is_strict(part, depth + 1) for name, part in schema.items() if name not in ("enum", "const"))
