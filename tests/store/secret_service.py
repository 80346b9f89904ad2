"""A Secret Service of its own: a private session bus with a real gnome-keyring on it, nothing of the user's touched."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from contextlib import closing
from pathlib import Path

import secretstorage

PROGRAMS = ("dbus-daemon", "gnome-keyring-daemon")
PASSWORD = b"test-pass\n"

# No service folders: the bus starts no daemon by itself, so what is killed stays dead until the test starts it.
_BUS = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><listen>unix:path={socket}</listen><auth>EXTERNAL</auth>
<policy context="default">
<allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/>
</policy>
</busconfig>"""


def missing() -> str:
    """What of the programs is not installed, "" where all are."""
    return ", ".join(name for name in PROGRAMS if shutil.which(name) is None)


class SecretService:
    """The bus, and a keyring daemon that can be started, stopped, killed and locked. `address` is the bus's."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._daemon: subprocess.Popen[bytes] | None = None
        self.address = f"unix:path={folder}/bus"
        (folder / "bus.conf").write_text(_BUS.format(socket=folder / "bus"))
        self._bus = subprocess.Popen(
            ["dbus-daemon", f"--config-file={folder}/bus.conf", "--nofork", "--nopidfile"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        _until((folder / "bus").exists)

    def start(self) -> None:
        """An unlocked daemon; its collection is the same as before."""
        home = self._folder / "home"
        runtime = self._folder / "run"
        for folder in (home, runtime):
            folder.mkdir(mode=0o700, exist_ok=True)
        environ = {
            name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")
        }
        environ |= {
            "HOME": str(home),
            "XDG_DATA_HOME": str(home / ".local/share"),
            "XDG_RUNTIME_DIR": str(runtime),
            "DBUS_SESSION_BUS_ADDRESS": self.address,
        }
        self._daemon = subprocess.Popen(
            ["gnome-keyring-daemon", "--foreground", "--unlock", "--components=secrets"],
            env=environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        assert self._daemon.stdin is not None
        self._daemon.stdin.write(PASSWORD)
        self._daemon.stdin.close()
        _until(self._is_ready)

    def kill(self) -> None:
        """As when it crashes."""
        if self._daemon is not None:
            self._daemon.kill()
            self._daemon.wait()
            self._daemon = None

    def halt(self) -> None:
        """Stopped: it is there and never answers."""
        assert self._daemon is not None
        self._daemon.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """It answers again. gnome-keyring now and then falls over what waited for it: then it is started again, as
        a desktop's session does."""
        assert self._daemon is not None
        self._daemon.send_signal(signal.SIGCONT)
        try:
            _until(self._is_ready)
        except TimeoutError:
            self.kill()
            self.start()

    def lock(self) -> None:
        with closing(secretstorage.dbus_init()) as bus:
            secretstorage.Collection(bus).lock()

    def secrets(self) -> list[bytes]:
        """Every secret in the default collection."""
        with closing(secretstorage.dbus_init()) as bus:
            return [item.get_secret() for item in secretstorage.Collection(bus).get_all_items()]

    def close(self) -> None:
        """Ends both processes."""
        self.kill()
        self._bus.terminate()
        self._bus.wait()

    def _is_ready(self) -> bool:
        try:
            with closing(secretstorage.dbus_init()) as bus:
                return (
                    secretstorage.check_service_availability(bus)
                    and not secretstorage.Collection(bus).is_locked()
                )
        except secretstorage.SecretStorageException:
            return False


def _until(condition: object) -> None:
    assert callable(condition)
    deadline = time.monotonic() + 10
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("the private Secret Service did not come up in 10 s")
        time.sleep(0.02)
