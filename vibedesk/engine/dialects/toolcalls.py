"""Calls of tools, put together from their fragments (wire facts §11.8). We give no tools; models call them
all the same."""

from __future__ import annotations

import json
from typing import Any

from msgspec import Struct

from vibedesk.engine.dialects.lenient import obj, objects, text


class ToolCall(Struct):
    """`arguments` is JSON text, "{}" when there were none."""

    id: str = ""
    name: str = ""
    arguments: str = ""


class ToolCalls:
    """Keyed by index; a new id under an old index begins a new call."""

    def __init__(self) -> None:
        self._calls: list[ToolCall] = []
        self._at: dict[int, ToolCall] = {}

    def __bool__(self) -> bool:
        return bool(self._calls)

    def feed(self, fragments: object) -> None:
        """The `tool_calls` of one delta, whatever shape they have."""
        for position, fragment in enumerate(objects(fragments)):
            index = fragment.get("index")
            self._fragment(index if isinstance(index, int) else position, fragment)

    def calls(self) -> list[ToolCall]:
        """The calls so far, in the order they began."""
        return [ToolCall(call.id, call.name, call.arguments or "{}") for call in self._calls]

    def described(self) -> str:
        """`get_weather({"city":"Bern"}), …`, at most 200 characters."""
        return ", ".join(f"{call.name}({call.arguments})" for call in self.calls())[:200]

    def _fragment(self, index: int, fragment: dict[str, Any]) -> None:
        function, name_id = obj(fragment.get("function")), text(fragment.get("id"))
        call = self._at.get(index)
        if call is None or (name_id and call.id and name_id != call.id):
            call = self._at[index] = ToolCall()
            self._calls.append(call)
        call.id = call.id or name_id
        name = text(function.get("name"))
        if name and name != call.name:
            call.name += name
        arguments = function.get("arguments")
        if isinstance(arguments, dict | list):
            call.arguments = json.dumps(arguments, ensure_ascii=False)
        else:
            call.arguments += text(arguments)
