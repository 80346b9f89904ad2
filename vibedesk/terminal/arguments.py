"""The words of the command line: what may be typed, and one sentence where they are off."""

from __future__ import annotations

import argparse
import math
import re
from collections.abc import Sequence
from typing import NoReturn

from vibedesk import __version__

_EPILOG = """\
exit status: 0 all complete, 1 something failed, 2 the words are off, 3 an answer was cut, 130 interrupted
VIBEDESK_HOME is the one folder for everything VibeDesk writes, where it is set"""


class WordsOff(Exception):
    """What was typed cannot be meant; the message is a whole sentence. Exit status 2."""


class _Parser(argparse.ArgumentParser):
    """Raises instead of printing its usage, and never repeats a value: it could be a secret."""

    def error(self, message: str) -> NoReturn:
        raise WordsOff(f"{_without_values(message)}; see {self.prog} --help")


def _without_values(message: str) -> str:
    """argparse's message in our words, without any text it found no place for."""
    surplus = re.match(r"unrecognized arguments: (.*)", message, re.DOTALL)
    if surplus:
        options = [word.partition("=")[0] for word in surplus[1].split() if re.match(r"--?[a-z]", word)]
        if options:
            return f"there is no option {options[0]} here"
        return "there are too many words here, a prompt of several words goes in quotes"
    if missing := re.match(r"the following arguments are required: (.*)", message):
        return f"{missing[1].removesuffix(', surplus')} is missing"
    if flag := re.match(r"argument (?:\S+/)?(\S+): ignored explicit argument", message):
        return f"{flag[1]} takes no value"
    if choice := re.match(r"argument (\S+): invalid choice: .*\(choose from (.*)\)", message, re.DOTALL):
        return f"{choice[1].rpartition('/')[2]} takes one of {choice[2].replace(chr(39), '')}"
    return re.sub(r"^argument (?:\S+/)?(\S+): ", r"\1: ", message)


def parse(words: Sequence[str]) -> argparse.Namespace:
    """The words as options. `run` names the command ("ask", "keys.add", …). Raises WordsOff; exits for --help."""
    try:
        return _parser().parse_args(words)
    except WordsOff as off:
        if list(words[:2]) == ["keys", "add"]:
            raise WordsOff(f"{off} (the key itself comes on standard input)") from None
        raise


def _parser() -> _Parser:
    parser = _Parser(
        prog="vibedesk",
        description="Ask many models with your own keys. Without a command it opens the window.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"vibedesk {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True, dest="command")
    _ask(commands)
    _keys(commands)
    _models(commands)
    _routes(commands)
    usage = _command(commands, "usage", "what was asked and what it cost", run="usage.usage")
    usage.add_argument(
        "--since", metavar="7d", help="30m, 24h, 7d, 2w or a date as 2026-11-01; all without it"
    )
    _command(commands, "doctor", "what is found, where, and what is wrong", run="doctor.doctor")
    return parser


def _sentence(help: str) -> str:
    return f"{help[:1].upper()}{help[1:]}" + ("" if help.endswith("?") else ".")


def _command(commands: argparse._SubParsersAction[_Parser], name: str, help: str, *, run: str) -> _Parser:
    parser = commands.add_parser(name, help=help, description=_sentence(help), allow_abbrev=False)
    parser.add_argument("--json", action="store_true", help="JSON on standard output")
    parser.set_defaults(run=run)
    return parser


def _group(
    commands: argparse._SubParsersAction[_Parser], name: str, help: str
) -> argparse._SubParsersAction[_Parser]:
    parser = commands.add_parser(name, help=help, description=_sentence(help), allow_abbrev=False)
    return parser.add_subparsers(title="commands", metavar="COMMAND", required=True, dest="subcommand")


def _ask(commands: argparse._SubParsersAction[_Parser]) -> None:
    ask = _command(commands, "ask", "stream an answer", run="ask.ask")
    ask.add_argument("prompt", metavar="PROMPT", help="“-” reads standard input")
    ask.add_argument(
        "-m",
        "--model",
        metavar="PROVIDER/MODEL",
        action="append",
        dest="lanes",
        type=lambda name: ("model", name),
        help="repeatable: one lane each, asked at the same time",
    )
    ask.add_argument(
        "-r",
        "--route",
        metavar="NAME",
        action="append",
        dest="lanes",
        type=lambda name: ("route", name),
        help="repeatable: a named route instead of a model",
    )
    ask.add_argument("--via", choices=("gateway", "direct"), help="overrides where the call goes")
    ask.add_argument("--system", metavar="TEXT", help="the system prompt")
    ask.add_argument("--max-tokens", metavar="N", type=_positive, help="reasoning counts too")
    ask.add_argument("--temperature", metavar="X", type=_temperature, help="0 to 2")
    ask.add_argument(
        "--effort", choices=("none", "minimal", "low", "medium", "high"), help="reasoning effort"
    )
    ask.add_argument(
        "--image", metavar="FILE", action="append", default=[], help="repeatable: PNG, JPEG, GIF, WebP"
    )
    ask.add_argument("--no-save", action="store_true", help="keep it out of history (usage still counts it)")


def _keys(commands: argparse._SubParsersAction[_Parser]) -> None:
    keys = _group(commands, "keys", "API keys: list, add, check, remove")
    _command(keys, "list", "the keys and where they are kept", run="keys.list_keys")
    add = _command(keys, "add", "keep a key; the secret comes on standard input", run="keys.add")
    add.add_argument("provider", metavar="PROVIDER")
    add.add_argument("--label", metavar="L", help="what to call it")
    add.add_argument("surplus", nargs="*", help=argparse.SUPPRESS)
    check = _command(keys, "check", "is each key good?", run="keys.check_keys")
    check.add_argument("ids", metavar="ID", nargs="*", help="all keys without one")
    check.add_argument(
        "--answer", action="store_true", help="ask each for one real answer, which costs a little"
    )
    check.add_argument(
        "--capabilities", action="store_true", help="also what that model can do: streaming, images, JSON"
    )
    check.add_argument(
        "--anyway", action="store_true", help="send a key although it looks like another provider’s"
    )
    remove = _command(keys, "remove", "forget a key", run="keys.remove")
    remove.add_argument("id", metavar="ID")


def _models(commands: argparse._SubParsersAction[_Parser]) -> None:
    models = _command(commands, "models", "the models known", run="models.models")
    models.add_argument("--provider", metavar="P", help="of this provider only")
    models.add_argument("--refresh", action="store_true", help="ask the providers for their own lists first")


def _routes(commands: argparse._SubParsersAction[_Parser]) -> None:
    routes = _group(
        commands, "routes", "named model configs: list, show, explain, lint, test, export, import"
    )
    _command(routes, "list", "the routes there are", run="routes.list_routes")
    for name, help, run in (
        ("show", "what a route says", "routes.show"),
        ("test", "ask its model and each fallback a short question", "routes.test"),
    ):
        _command(routes, name, help, run=run).add_argument("name", metavar="NAME")
    explain = _command(
        routes, "explain", "the deployments it would ask now, in order, and why", run="routes.explain"
    )
    explain.add_argument("name", metavar="NAME")
    explain.add_argument(
        "--fault",
        metavar="WHOM=WHAT",
        action="append",
        default=[],
        help="repeatable: PROVIDER=529, PROVIDER/MODEL=timeout, KEY=limit, … as if that went wrong",
    )
    _command(routes, "lint", "what looks wrong in the routes", run="routes.lint")
    export = _command(routes, "export", "the routes for another tool, without any key", run="routes.export")
    export.add_argument(
        "format", metavar="FORMAT", help="toml, dev-vars, agent-config, litellm, cloudflare or portkey"
    )
    imported = _command(routes, "import", "take routes from a file", run="routes.import_routes")
    imported.add_argument(
        "file",
        metavar="FILE",
        help="a routes.toml, a config.ts with AGENT_CONFIG or a .dev.vars; “-” is standard input",
    )


def _positive(text: str) -> int:
    number = int(text) if re.fullmatch(r"\d{1,9}", text) else 0
    if number < 1:
        raise argparse.ArgumentTypeError("it takes a whole number from 1 on")
    return number


def _temperature(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 <= number <= 2:
        raise argparse.ArgumentTypeError("it takes a number from 0 to 2")
    return number
