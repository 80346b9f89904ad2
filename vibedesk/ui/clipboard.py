"""The clipboard for secrets: marked so that histories leave it out, cleared after a time if it still holds ours."""

from __future__ import annotations

import hashlib
import hmac
import secrets

from PySide6.QtCore import QMimeData, QObject, QTimer, Signal
from PySide6.QtGui import QGuiApplication

from vibedesk.engine.types import Secret

SECONDS = 30
_WINDOWS = 'application/x-qt-windows-mime;value="{}"'
_MARKS = {
    "x-kde-passwordManagerHint": b"secret",
    "application/x-nspasteboard-concealed-type": b"",
    _WINDOWS.format("ExcludeClipboardContentFromMonitorProcessing"): b"\0\0\0\0",
    _WINDOWS.format("CanIncludeInClipboardHistory"): b"\0\0\0\0",
    _WINDOWS.format("CanUploadToCloudClipboard"): b"\0\0\0\0",
}


class SecretClipboard(QObject):
    """Remembers only a keyed fingerprint of what it put there. `cleared` when it took it away again."""

    cleared = Signal()

    def __init__(self, parent: QObject | None = None, *, seconds: float = SECONDS) -> None:
        super().__init__(parent)
        self._salt = secrets.token_bytes(16)
        self._ours = b""
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(round(seconds * 1000))
        self._timer.timeout.connect(self.clear)

    def put(self, secret: Secret) -> None:
        """Copies the secret, marked, for a short time."""
        data = QMimeData()
        data.setText(secret.reveal())
        for name, mark in _MARKS.items():
            data.setData(name, mark)
        QGuiApplication.clipboard().setMimeData(data)
        self._ours = self._fingerprint(secret.reveal())
        self._timer.start()

    def clear(self) -> None:
        """Empties the clipboard if it still holds what we put there. Also called on quitting."""
        self._timer.stop()
        clipboard = QGuiApplication.clipboard()
        if self._ours and hmac.compare_digest(self._fingerprint(clipboard.text()), self._ours):
            clipboard.clear()
            self.cleared.emit()
        self._ours = b""

    def _fingerprint(self, text: str) -> bytes:
        return hmac.new(self._salt, text.encode("utf-8", "replace"), hashlib.sha256).digest()
