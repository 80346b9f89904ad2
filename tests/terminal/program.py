"""The real program as a subprocess: a home of its own, the encrypted file as vault, providers on loopback."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.providers import Anthropic, Gemini, Loopback, OpenAI

ROOT = Path(__file__).resolve().parents[2]
KEY = "loopback-key-4242424242"
DIALECTS: dict[type[Loopback], str] = {OpenAI: "openai-chat", Anthropic: "anthropic", Gemini: "gemini"}


@dataclass(frozen=True)
class Ended:
    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def finished(self) -> list[dict[str, Any]]:
        """The `finished` of every lane, by lane."""
        return sorted(
            (event for event in self.events if event["event"] == "finished"), key=lambda event: event["lane"]
        )


class Program:
    """`python -m vibedesk` in a folder and a home of its own."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home"
        self.cwd = folder / "work"
        self.cwd.mkdir()
        passphrase = folder / "passphrase"
        passphrase.write_text("correct horse\n", encoding="utf-8")
        kept = {
            name: os.environ[name]
            for name in ("PATH", "LANG", "HOME", "TMPDIR", "SYSTEMROOT")
            if name in os.environ
        }
        self.environ = kept | {
            "PYTHONPATH": str(ROOT),
            "PYTHONWARNINGS": "default",
            "VIBEDESK_HOME": str(self.home),
            "VIBEDESK_VAULT": "file",
            "VIBEDESK_PASSPHRASE_FILE": str(passphrase),
        }

    async def start(
        self, *words: str, environ: Mapping[str, str] | None = None
    ) -> asyncio.subprocess.Process:
        pipe = asyncio.subprocess.PIPE
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "vibedesk",
            *words,
            cwd=self.cwd,
            env=self.environ | dict(environ or {}),
            stdin=pipe,
            stdout=pipe,
            stderr=pipe,
            start_new_session=True,  # there is no terminal to ask on, wherever the tests are run
        )

    async def __call__(self, *words: str, stdin: str = "", environ: Mapping[str, str] | None = None) -> Ended:
        process = await self.start(*words, environ=environ)
        out, err = await asyncio.wait_for(process.communicate(stdin.encode()), 60)
        assert process.returncode is not None
        ended = Ended(process.returncode, out.decode(), err.decode())
        assert "Traceback" not in ended.out + ended.err
        return ended

    def write(self, name: str, text: str) -> None:
        """A file in `config/`."""
        path = self.home / "config" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def provide(self, **servers: Loopback) -> None:
        """Writes these as providers; the key of `lab` is looked for in LAB_API_KEY."""
        blocks = []
        for id, server in servers.items():
            dialect = next(name for kind, name in DIALECTS.items() if isinstance(server, kind))
            blocks.append(
                f'[providers.{id}]\nname = "Loopback {id}"\ndialect = "{dialect}"\n'
                f'base_url = "{server.base_url if dialect != "anthropic" else server.origin}"\n'
                f'env = ["{id.upper()}_API_KEY"]\n'
            )
            self.environ[f"{id.upper()}_API_KEY"] = server.key
        self.write("providers.toml", "\n".join(blocks))
