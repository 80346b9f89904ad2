"""The rules of the house, each as a sentence. Whoever joins reads this first.

    app  →  ui  →  state  →  store  →  engine          never upwards

`engine` asks models, `store` keeps things, `state` knows what the screen shows, `ui` shows it, and `app` introduces
them to each other. The terminal face (`terminal`, `desk`, `wording`) is a sibling of the screen's: it stands on store
and engine.
A failure names the file and the line.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple, TypeVar

import pytest

ROOT = Path(__file__).resolve().parent.parent
Node = TypeVar("Node", bound=ast.AST)
QT = ("PySide6", "shiboken6", "qtawesome", "qtpy", "qasync", "pyqtgraph")
NETWORK = (
    "httpx",
    "httpcore",
    "requests",
    "aiohttp",
    "socket",
    "ssl",
    "http.client",
    "urllib.request",
    "truststore",
)
WORDING = ("wording", "failure_sentences", "check_sentences", "amounts")
ABOVE_STORE = (
    "vibedesk.state",
    "vibedesk.ui",
    "vibedesk.app",
    "vibedesk.front",
    "vibedesk.terminal",
    "vibedesk.desk",
    "vibedesk.wording",
    "vibedesk.amounts",
    "vibedesk.failure_sentences",
    "vibedesk.check_sentences",
)


# The four floors


def test_the_engine_stands_on_the_standard_library_httpx_msgspec_and_truststore_alone() -> None:
    ground = (*sys.stdlib_module_names, "httpx", "msgspec", "truststore", "vibedesk.engine")
    ground = (
        *ground,
        "cryptography.x509",
    )  # reads who issued a certificate that is not trusted; nothing else does
    # httpx's own ground: its sockets are bettered in one file.
    below_httpx = [breach for breach in imports("engine", of=("httpcore",)) if "engine/wires.py:" in breach]
    no_breach(breach for breach in imports("engine", unless=ground) if breach not in below_httpx)


def test_the_engine_touches_no_disk_and_no_keychain() -> None:
    disk = ("sqlite3", "shutil", "tempfile", "keyring", "dbm", "shelve", "fileinput")
    files = ("write_text", "write_bytes", "read_text", "read_bytes", "mkdir", "unlink", "iterdir")
    no_breach(imports("engine", of=disk))
    no_breach(calls("engine", lambda call: named(call) == "open" or method(call) in files, "touches files"))


def test_the_store_knows_no_qt_no_network_and_nothing_above_it() -> None:
    asking = ("vibedesk.engine.http", "vibedesk.engine.router", "vibedesk.engine.check")
    no_breach(imports("store", of=(*QT, *NETWORK, *asking, *ABOVE_STORE)))


def test_of_qt_the_state_knows_qtcore_alone() -> None:
    no_breach(imports("state", of=QT, unless=("PySide6.QtCore",)))


def test_the_state_opens_no_socket_no_keychain_no_database_and_knows_no_widget() -> None:
    no_breach(
        imports(
            "state", of=("httpx", "keyring", "sqlite3", "vibedesk.ui", "vibedesk.app", "vibedesk.terminal")
        )
    )


def test_the_screen_awaits_nothing_and_keeps_nothing_itself() -> None:
    below = (
        "asyncio",
        "httpx",
        "keyring",
        "sqlite3",
        "threading",
        "concurrent",
        "vibedesk.app",
        "vibedesk.front",
        "vibedesk.terminal",
    )
    no_breach(imports("ui", of=below))
    no_breach(
        f"{place(file, node)} is a coroutine"
        for file in files("ui")
        for node in ast.walk(tree(file))
        if isinstance(node, ast.AsyncFunctionDef | ast.Await)
    )


def test_of_the_engine_the_screen_knows_the_nouns_and_the_failures_alone() -> None:
    no_breach(
        imports("ui", of=("vibedesk.engine",), unless=("vibedesk.engine.types", "vibedesk.engine.errors"))
    )


def test_the_terminal_face_loads_no_qt_and_knows_nothing_of_the_screen() -> None:
    for room in ("terminal", "desk", *WORDING, "log"):
        no_breach(imports(room, of=(*QT, "vibedesk.state", "vibedesk.ui")))


def test_the_sentences_know_the_engine_alone() -> None:
    each_other = tuple(f"vibedesk.{room}" for room in WORDING)
    for room in WORDING:
        no_breach(imports(room, of=("vibedesk",), unless=("vibedesk.engine", *each_other)))


def test_only_the_app_brings_qt_and_asyncio_together() -> None:
    """What qasync gives is bettered in `loop`, the one file that knows it; `front` alone takes the loop from there."""
    no_breach(breach for breach in imports("", of=("qasync",)) if not breach.startswith("vibedesk/loop.py:"))
    no_breach(
        breach for breach in imports("", of=("vibedesk.loop",)) if not breach.startswith("vibedesk/front.py:")
    )


# Rules for the hands


def test_nothing_is_named_by_a_word_that_says_nothing() -> None:
    empty = {"manager", "service", "controller", "helper", "base", "util", "common"}
    no_breach(
        f"{file} is called {word}"
        for file in files("")
        for word in words_of(Path(file).stem)
        if word in empty
    )
    no_breach(
        f"{place(file, node)} calls a class {node.name}"
        for file in files("")
        for node in ast.walk(tree(file))
        if isinstance(node, ast.ClassDef) and empty & set(words_of(node.name))
    )


def test_every_file_says_in_its_first_lines_what_it_is() -> None:
    no_breach(
        f"{file}:1 has no docstring"
        for file in files("")
        if tree(file).body and not ast.get_docstring(tree(file))
    )


def test_no_dialog_runs_a_loop_of_its_own() -> None:
    """`exec()` inside a coroutine starves every other task: `open()`, and await `finished`."""
    no_breach(calls("", lambda call: method(call) in {"exec", "exec_"}, "runs a nested loop"))


def test_no_task_is_started_that_nobody_can_cancel() -> None:
    """qasync keeps the tasks of `asyncSlot` where nobody reaches them, and `asyncClose` spins the processor."""
    no_breach(
        breach for breach in imports("", of=("qasync",)) if breach.endswith((".asyncSlot", ".asyncClose"))
    )
    no_breach(
        f"{place(file, node)} uses {node.attr}"
        for file in files("")
        for node in ast.walk(tree(file))
        if isinstance(node, ast.Attribute) and node.attr in {"asyncSlot", "asyncClose"}
    )


def test_every_task_has_an_owner() -> None:
    """On the screen's side that is `Tasks`, or a task group that waits for its own; below, whoever keeps the task."""
    starts = {"create_task", "ensure_future"}
    for file in files(""):
        if file == "vibedesk/state/tasks.py":
            continue
        of_groups = set(task_groups(tree(file)))
        dropped = [node.value for node in every(ast.Expr, tree(file))]
        above = file in {*files("state"), *files("ui"), *files("app")}
        no_breach(
            f"{place(file, call)} starts a task without an owner"
            for call in every(ast.Call, tree(file))
            if {method(call), named(call)} & starts
            and owner(call) not in of_groups
            and (above or call in dropped)
        )


def test_what_went_wrong_is_named_where_it_is_caught() -> None:
    """The broad handlers of the program are `sys.excepthook` and the loop's. An `except` may catch everything only to
    raise it again, or to keep it for another thread that does."""

    def passes_it_on(handler: ast.ExceptHandler) -> bool:
        raised = any(node.exc is None for node in every(ast.Raise, handler))
        kept = any(name_of(node.value) == handler.name for node in every(ast.Assign, handler))
        return raised or (kept and handler.name is not None)

    def broad(handler: ast.ExceptHandler) -> bool:
        kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
        return any(kind is None or name_of(kind) in {"Exception", "BaseException"} for kind in kinds)

    no_breach(
        f"{place(file, handler)} catches everything"
        for file in files("")
        for handler in every(ast.ExceptHandler, tree(file))
        if broad(handler) and not passes_it_on(handler)
    )


def test_only_the_theme_sets_a_stylesheet() -> None:
    found = calls("", lambda call: method(call) == "setStyleSheet", "sets a stylesheet")
    no_breach(breach for breach in found if not breach.startswith("vibedesk/ui/theme.py:"))


def test_colours_stand_in_the_themes_alone() -> None:
    literal = re.compile(r"#[0-9a-fA-F]{6}\b|#[0-9a-fA-F]{8}\b|^#[0-9a-fA-F]{3}$|\brgba?\(")
    for file in [*files("ui"), *files("state"), *files("app")]:
        if file != "vibedesk/ui/theme.py":
            no_breach(
                f"{place(file, text)} names the colour {text.value!r}"
                for text in every(ast.Constant, tree(file))
                if isinstance(text.value, str) and literal.search(text.value)
            )
            no_breach(
                f"{place(file, call)} makes a colour up"
                for call in every(ast.Call, tree(file))
                if named(call) == "QColor"
                and call.args
                and all(isinstance(part, ast.Constant) for part in call.args)
            )


def test_a_sentence_to_translate_is_not_put_together_first() -> None:
    no_breach(
        calls(
            "ui",
            lambda c: method(c) == "tr" and any(isinstance(a, ast.JoinedStr) for a in c.args),
            "translates an f-string",
        )
    )


def test_nothing_is_left_for_later() -> None:
    later = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b|raise NotImplementedError")
    no_breach(
        f"{file}:{number} {line.strip()}"
        for file in files("")
        for number, line in enumerate((ROOT / file).read_text(encoding="utf-8").splitlines(), 1)
        if later.search(line)
    )


def test_the_top_of_the_tree_holds_what_it_should() -> None:
    allowed = {"pyproject.toml", "vibedesk", "resources", "tests", "packaging", "README.md", "LICENSE"}
    made = {"build", "dist"}
    found = {entry.name for entry in ROOT.iterdir() if not entry.name.startswith(".")}
    assert found - made <= allowed
    assert {"pyproject.toml", "vibedesk", "resources", "tests", "packaging", "LICENSE"} <= found


@pytest.mark.parametrize(
    "room",
    ["engine", "store", "state", "ui", "terminal", *WORDING, "desk", "app", "loop"],
)
def test_the_rules_have_something_to_look_at(room: str) -> None:
    assert files(room), f"vibedesk/{room} has no files, so the rules above say nothing about it"


# How the tree is read


class Imported(NamedTuple):
    module: str
    line: int


@cache
def files(room: str) -> tuple[str, ...]:
    """Paths, from the top of the tree, of a room: a package or one file; "" = the whole house."""
    start = ROOT / "vibedesk" / room if room else ROOT / "vibedesk"
    found = [start.with_suffix(".py")] if start.with_suffix(".py").is_file() else sorted(start.rglob("*.py"))
    return tuple(path.relative_to(ROOT).as_posix() for path in found)


@cache
def tree(file: str) -> ast.Module:
    return ast.parse((ROOT / file).read_text(encoding="utf-8"), file)


def every(kind: type[Node], start: ast.AST) -> Iterator[Node]:
    return (node for node in ast.walk(start) if isinstance(node, kind))


def imported(file: str) -> Iterator[Imported]:
    """Full names: `from vibedesk.engine import types` gives vibedesk.engine.types, relative ones made absolute."""
    package = list(Path(file).parent.parts)
    for node in ast.walk(tree(file)):
        if isinstance(node, ast.Import):
            yield from (Imported(alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*above, *([node.module] if node.module else [])])
            yield from (Imported(f"{module}.{alias.name}", node.lineno) for alias in node.names)


def imports(room: str, *, of: Iterable[str] = ("",), unless: Iterable[str] = ()) -> list[str]:
    """Every import in a room of one of these modules, or of something in them, that is in none of the others."""
    return [
        f"{file}:{found.line} imports {found.module}"
        for file in files(room)
        for found in imported(file)
        if any(inside(found.module, top) for top in of)
        and not any(inside(found.module, top) for top in unless)
        if found.module != "__future__.annotations"
    ]


def inside(module: str, top: str) -> bool:
    return not top or module == top or module.startswith(top + ".")


def calls(room: str, which: Callable[[ast.Call], bool], does: str) -> list[str]:
    return [
        f"{place(file, call)} {does}"
        for file in files(room)
        for call in every(ast.Call, tree(file))
        if which(call)
    ]


def name_of(node: ast.AST | None) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def named(call: ast.Call) -> str:
    """`f` of `f(…)`."""
    return call.func.id if isinstance(call.func, ast.Name) else ""


def method(call: ast.Call) -> str:
    """`m` of `anything.m(…)`."""
    return call.func.attr if isinstance(call.func, ast.Attribute) else ""


def owner(call: ast.Call) -> str:
    """`group` of `group.create_task(…)`."""
    return name_of(call.func.value) if isinstance(call.func, ast.Attribute) else ""


def task_groups(start: ast.AST) -> Iterator[str]:
    """Names bound by `async with asyncio.TaskGroup() as …`."""
    for block in every(ast.AsyncWith, start):
        for item in block.items:
            if isinstance(item.context_expr, ast.Call) and name_of(item.context_expr.func) == "TaskGroup":
                yield name_of(item.optional_vars)


def words_of(name: str) -> list[str]:
    """The words of a snake_case or CamelCase name, in lower case and the singular."""
    split = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)
    return [word.lower().removesuffix("s") for word in split]


def place(file: str, node: ast.AST) -> str:
    return f"{file}:{getattr(node, 'lineno', 0)}"


def no_breach(found: Iterable[str]) -> None:
    breaches = sorted(set(found))
    assert not breaches, "\n" + "\n".join(breaches)
