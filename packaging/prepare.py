"""Makes a fresh clone ready: a virtual environment from a hashed lock, and the system's packages where some lack.

`run`, `test` and `build` beside this file call it with the first Python ≥ 3.11 they find, and only when something has
changed since the last time. All it says goes to standard error: standard output belongs to the program.
"""

from __future__ import annotations

import argparse
import fcntl
import importlib.util
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

PACKAGING = Path(__file__).resolve().parent
ROOT = PACKAGING.parent

LIBRARIES_OF_A_WINDOW = (
    "lib/libQt6Widgets.so.6",
    "lib/libQt6Network.so.6",
    "lib/libQt6DBus.so.6",
    "plugins/platforms/libqxcb.so",
    "plugins/platforms/libqoffscreen.so",
)


class CannotPrepare(Exception):
    """Something only the user can put right; the text says what to type."""


def main(words: list[str]) -> int:
    parser = argparse.ArgumentParser(description="Makes a fresh clone ready.")
    parser.add_argument("venv", help="folder of the virtual environment, in the checkout")
    parser.add_argument("lock", help="which of packaging/*.lock to install")
    parser.add_argument("--also", action="append", default=[], help="a lock this one contains")
    parser.add_argument("--system", action="append", default=[], choices=("window", "test", "build"))
    parser.add_argument("--anew", action="store_true", help="leave nothing of an older lock behind")
    wanted = parser.parse_args(words)
    only_one_at_a_time()
    try:
        prepare(Path(ROOT, wanted.venv), wanted.lock, wanted.also, anew=wanted.anew)
        for section in wanted.system:
            prepare_system(section, Path(ROOT, wanted.venv))
    except CannotPrepare as problem:
        say(str(problem))
        return 1
    return 0


def say(sentence: str) -> None:
    print(f"vibedesk: {sentence}", file=sys.stderr, flush=True)


def only_one_at_a_time() -> None:
    """Holds the folder's lock until this process ends."""
    folder = os.open(PACKAGING, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        say("another set-up is under way, waiting for it …")
        fcntl.flock(folder, fcntl.LOCK_EX)


# The virtual environment


def prepare(venv: Path, lock: str, also: list[str], *, anew: bool) -> None:
    """Installs `lock` unless exactly it is there: `installed/` in the environment keeps a copy of what is."""
    if is_installed(venv, lock):
        return
    marks = venv / "installed"
    shutil.rmtree(marks, ignore_errors=True)
    make(venv, anew=anew)
    install(venv, PACKAGING / lock)
    python_path(venv).write_text(f"{ROOT}\n")
    marks.mkdir()
    for name in (*also, lock):
        shutil.copyfile(PACKAGING / name, marks / name)
    (marks / "root").write_text(str(ROOT))


def is_installed(venv: Path, lock: str) -> bool:
    marks = venv / "installed"
    try:
        same = (marks / lock).read_bytes() == (PACKAGING / lock).read_bytes()
        return same and (marks / "root").read_text() == str(ROOT) and works(venv)
    except OSError:
        return False


def works(venv: Path) -> bool:
    """Whether its Python still starts: the one it was made from may have gone since."""
    try:
        check = subprocess.run([venv / "bin/python", "-c", "import pip"], capture_output=True)
    except OSError:
        return False
    return check.returncode == 0


def make(venv: Path, *, anew: bool) -> None:
    if works(venv) and not anew:
        return
    if importlib.util.find_spec("ensurepip") is None:
        install_system([f"python3.{sys.version_info.minor}-venv"], why="Python's venv module")
    say(f"making {venv.relative_to(ROOT)} with Python {sys.version.split()[0]} …")
    made = subprocess.run([sys.executable, "-m", "venv", "--clear", venv], stdout=sys.stderr)
    if made.returncode:
        raise CannotPrepare(f"Python could not make {venv}; its own words stand above.")


def install(venv: Path, lock: Path) -> None:
    """Only what the lock names by hash, and only ready-made wheels: nothing is built, so nothing unlisted runs."""
    count = lock.read_text().count("==")
    say(f"installing {count} packages into {venv.relative_to(ROOT)} …")
    pip = [str(venv / "bin/python"), "-m", "pip", "--no-input", "--disable-pip-version-check"]
    options = ["--require-hashes", "--no-deps", "--only-binary", ":all:", "--no-warn-script-location"]
    quiet = [] if sys.stderr.isatty() else ["--quiet"]
    environ = {**os.environ, "PIP_USER": "0", "PIP_ROOT_USER_ACTION": "ignore"}
    command = [*pip, "install", *options, *quiet, "-r", str(lock)]
    if subprocess.run(command, stdout=sys.stderr, env=environ).returncode:
        raise CannotPrepare("the packages could not be installed; pip's own words stand above.")


def python_path(venv: Path) -> Path:
    """The file that makes the checkout importable from anywhere, without the caller's folder being importable too."""
    scheme = {"base": str(venv), "platbase": str(venv)}
    purelib = sysconfig.get_path("purelib", scheme="venv", vars=scheme)
    return Path(purelib) / "vibedesk-checkout.pth"


# The system's packages


def prepare_system(section: str, venv: Path) -> None:
    packages = packages_of(section)
    if section == "window":
        prepare_window([name for name, _ in packages], venv)
    else:
        lacking = [name for name, command in packages if shutil.which(command) is None]
        if lacking:
            install_system(lacking, why=f"what {section} needs")
    mark = venv / "installed" / f"system-{section}"
    shutil.copyfile(PACKAGING / "system-packages.txt", mark)


def packages_of(section: str) -> list[tuple[str, str]]:
    """The lines of one section of system-packages.txt: a package, and the command that shows it is there, if any."""
    found, current = [], ""
    for line in (PACKAGING / "system-packages.txt").read_text().splitlines():
        words = line.partition("#")[0].split()
        if line.startswith("["):
            current = line.strip("[] ")
        elif words and current == section:
            found.append((words[0], words[-1]))
    return found


def prepare_window(packages: list[str], venv: Path) -> None:
    """Without the libraries there is no window, so they must come; without fonts it is ugly: they come if they can."""
    lacking = missing_libraries(venv)
    if lacking:
        more = f" and {len(lacking) - 1} more" if lacking[1:] else ""
        install_system(packages, why=f"the libraries Qt needs ({lacking[0]}{more})")
    elif not has_fonts() and as_root() is not None and shutil.which("apt-get"):
        install_system([name for name in packages if name.startswith("fonts-")], why="fonts")


def missing_libraries(venv: Path) -> list[str]:
    """File names of shared libraries that Qt's own libraries ask for and the system's loader does not find."""
    if not sys.platform.startswith("linux") or shutil.which("ldd") is None:
        return []
    qt = python_path(venv).parent / "PySide6" / "Qt"
    asked = [qt / name for name in LIBRARIES_OF_A_WINDOW if (qt / name).exists()]
    answer = subprocess.run(["ldd", *asked], capture_output=True, text=True).stdout
    return sorted({line.split()[0] for line in answer.splitlines() if line.endswith("=> not found")})


def has_fonts() -> bool:
    folders = ("/usr/share/fonts", "/usr/local/share/fonts", os.path.expanduser("~/.fonts"))
    return any(
        name.endswith((".ttf", ".otf", ".ttc"))
        for top in folders
        for *_, names in os.walk(top)
        for name in names
    )


def as_root() -> list[str] | None:
    """What to put before a command to run it as root without being asked anything; None = there is no such way."""
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo") and subprocess.run(["sudo", "-n", "true"], capture_output=True).returncode == 0:
        return ["sudo", "-n"]
    return None


def install_system(packages: list[str], *, why: str) -> None:
    words = ["apt-get", "install", "-y", "--no-install-recommends", *packages]
    if shutil.which("apt-get") is None:
        raise CannotPrepare(
            f"missing: {why}. Please install what Debian calls {' '.join(packages)} with your system's package manager."
        )
    root = as_root()
    if root is None:
        raise CannotPrepare(
            f"missing: {why}. Please type\n\n    sudo {' '.join(words)}\n\nand start this again."
        )
    say(f"installing {why} …")
    apt = [*root, "env", "DEBIAN_FRONTEND=noninteractive"]
    quietly([*apt, "apt-get", "update", "-qq"])
    done = quietly([*apt, *words, "-o", "Dpkg::Use-Pty=0"])
    if done.returncode:
        raise CannotPrepare(f"could not install {why}. The line was: {' '.join(words)}\n\n{done.stdout}")


def quietly(command: list[str]) -> subprocess.CompletedProcess[str]:
    """What it says is kept in `stdout`, to be shown only if it fails; it is asked nothing."""
    return subprocess.run(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
