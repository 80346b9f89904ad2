"""A failure in the words of the terminal: what is true, what to do about it, and the line to type."""

from __future__ import annotations

from vibedesk.desk import Desk
from vibedesk.engine.errors import EngineError
from vibedesk.log import redact
from vibedesk.terminal.output import one_line
from vibedesk.wording import words_for

TYPE_IT = "Type it on a terminal, or set VIBEDESK_PASSPHRASE_FILE to a file that holds it."
"""How the encrypted file gets its passphrase here."""

_ANOTHER_KEY = ("invalid_key", "leaked_key", "wrong_key_type", "wrong_origin")
"""What another key helps against."""


class Sentences:
    """Knows the providers by name, and the secrets in use, so that no provider's message can repeat one."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def of(self, error: EngineError) -> str:
        """One line: the sentence, its fix, and the command that helps."""
        words = words_for(error, provider_name=self.provider_name(error.provider))
        fix = _with_command(words.fix, _command(words.action, error))
        if error.kind == "secret_unavailable" and error.facts.get("state") == "locked":
            fix = TYPE_IT
        return self.clean(f"{words.sentence} {fix}")

    def provider_message(self, error: EngineError) -> str:
        return self.clean(error.provider_message)

    def provider_name(self, provider: str) -> str:
        known = self._desk.catalog.providers.get(provider)
        return known.name if known else provider

    def clean(self, text: str) -> str:
        """Redacted, and on one line without control characters."""
        return one_line(redact(text, self._desk.live_secrets()))


def _with_command(fix: str, command: str) -> str:
    if not command:
        return fix
    return f"{fix} ({command})" if "?" in fix else f"{fix.removesuffix('.')}: {command}"


def _command(action: str, error: EngineError) -> str:
    """The line to type, "" where none helps."""
    match action:
        case "add_key" if error.provider:
            return f"vibedesk keys add {error.provider}"
        case "open_keys" if error.kind in _ANOTHER_KEY and error.provider:
            return f"vibedesk keys add {error.provider}"
        case "open_settings" if error.kind == "unknown_route":
            return "vibedesk routes list"
        case "use_another_model" if error.kind == "model_not_found" and error.provider:
            return f"vibedesk models --provider {error.provider}"
        case "use_another_model" if error.kind in ("unknown_provider", "retired_model"):
            return "vibedesk models"
    return ""
