"""The settings page: how it looks, how it sends, the gateway, where keys are read and everything is kept."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QFileDialog, QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from vibedesk.engine.types import Secret
from vibedesk.state.settings import Settings
from vibedesk.state.vault import Saved, Vault
from vibedesk.ui.banner import act_on_place
from vibedesk.ui.theme import Theme
from vibedesk.ui.unlock import PassphraseSheet
from vibedesk.ui.vault_words import place_words
from vibedesk.ui.widgets import (
    Button,
    Check,
    Chip,
    Choice,
    Elided,
    Field,
    Hairline,
    Label,
    Scroll,
    TopBar,
    bare,
    quiet_field,
)

IDLE = ((0, "Never"), (5, "After 5 minutes"), (15, "After 15 minutes"), (60, "After an hour"))
GATEWAY = "cloudflare-ai-gateway"
WIDTH = 640


class SettingsPage(QWidget):
    """Every change is written at once; a folder of sections under one another."""

    theme_chosen = Signal(str)

    def __init__(self, settings: Settings, vault: Vault, theme: Theme) -> None:
        super().__init__()
        self._settings, self._vault, self._theme = settings, vault, theme
        column: QVBoxLayout = bare(QVBoxLayout(self))
        column.addWidget(TopBar("Settings"))
        scroll = Scroll(margins=(24, 20, 24, 32), spacing=0)
        column.addWidget(scroll)
        inside = QWidget()
        inside.setMaximumWidth(WIDTH)
        self._sections: QVBoxLayout = bare(QVBoxLayout(inside))
        row: QHBoxLayout = bare(QHBoxLayout())
        row.addWidget(inside, 1000)
        row.addStretch(1)
        scroll.column.addLayout(row)
        scroll.column.addStretch(1)
        self._build_looks()
        self._build_gateway()
        self._build_vault()
        self._build_folders()
        self._build_places()
        settings.changed.connect(self._show)
        vault.changed.connect(self._show)
        vault.saved.connect(self._forget_token)
        self._show()

    # Sections

    def _build_looks(self) -> None:
        grid = self._section(self.tr("Appearance and typing"), "")
        self.theme = Choice([("As the desktop says", "system"), ("Light", "light"), ("Dark", "dark")])
        self.theme.setAccessibleName(self.tr("Theme"))
        self.theme.setMinimumWidth(200)
        self.theme.activated.connect(self._choose_theme)
        _line(grid, "Theme", self.theme)
        self.enter = Check(self.tr("Enter sends, Shift+Enter breaks the line"))
        self.enter.clicked.connect(lambda on: self._settings.set("composer.enter_sends", on))
        _line(grid, "Sending", self.enter)

    def _build_gateway(self) -> None:
        text = (
            "Where one is set up, calls go through it, except to providers it has no path for. "
            "A route or a lane can still say “direct”."
        )
        grid = self._section(self.tr("Cloudflare AI Gateway"), text)
        self.gateway_chip = Chip("", dot=True)
        _line(grid, "State", self.gateway_chip)
        self.account = self._text_field("gateway.account", self.tr("Account id"), mono=True)
        self.gateway_name = self._text_field("gateway.name", "Gateway")
        self.gateway_url = self._text_field("gateway.base_url", self.tr("Base URL"), mono=True)
        for title, field in (
            ("Account id", self.account),
            ("Gateway", self.gateway_name),
            ("Base URL", self.gateway_url),
        ):
            _line(grid, title, field)
        self.token = Field(self.tr("Paste a token to keep it in the vault"), name=self.tr("Gateway token"))
        quiet_field(self.token)
        self.keep_token = Button(self.tr("Keep")).on(self._keep_token)
        self.keep_token.setEnabled(False)
        self.token.textChanged.connect(lambda text: self.keep_token.setEnabled(bool(text.strip())))
        self.token.returnPressed.connect(self._keep_token)
        _line(grid, "Token", _beside(self.token, self.keep_token))
        self.token_place = Label("", "small", wrap=True)
        _line(grid, "", self.token_place)
        self.stored_keys = Check(self.tr("The providers’ keys are stored at the gateway"))
        self.stored_keys.setToolTip(
            self.tr("Calls through the gateway carry its token and no provider’s key")
        )
        self.stored_keys.clicked.connect(lambda on: self._settings.set("gateway.stored_keys", on))
        _line(grid, "Keys", self.stored_keys)

    def _build_vault(self) -> None:
        grid = self._section(
            "Vault",
            self.tr(
                "Another program running as you can read your keys. "
                "VibeDesk never writes them to its own files or logs."
            ),
        )
        self.vault_chip = Chip("", dot=True)
        self.vault_button = Button("").on(self._vault_act)
        self.passphrase_button = Button(self.tr("Change passphrase…")).on(self._change_passphrase)
        buttons = _beside(self.vault_chip, self.vault_button, self.passphrase_button, stretch=True)
        _line(grid, self.tr("Kept in"), buttons)
        self.vault_reason = Label("", "small", wrap=True)
        _line(grid, "", self.vault_reason)
        self.idle = Choice([(words, minutes) for minutes, words in IDLE])
        self.idle.setAccessibleName(self.tr("Lock when idle"))
        self.idle.setMinimumWidth(200)
        self.idle.activated.connect(
            lambda: self._settings.set("vault.lock_after_minutes", self.idle.chosen())
        )
        _line(grid, self.tr("Lock when idle"), self.idle)
        self.idle_note = Label(
            self.tr("The encrypted file only; a system keychain has its own ways to lock."), "small"
        )
        _line(grid, "", self.idle_note)

    def _build_folders(self) -> None:
        grid = self._section(
            self.tr("Folders with keys"),
            self.tr("The .dev.vars and .env files of these folders are read, beside the working folder’s."),
        )
        self.folders = QWidget()
        self._folder_rows: QVBoxLayout = bare(QVBoxLayout(self.folders), 4)
        _line(grid, "Folders", self.folders)
        _line(grid, "", _beside(Button(self.tr("Add a folder…")).on(self._pick_folder), stretch=True))
        self.key_files = Label("", "small", wrap=True)
        _line(grid, "", self.key_files)

    def _build_places(self) -> None:
        grid = self._section(self.tr("Where things are kept"), "", last=True)
        for place in self._settings.places():
            path = Elided(place.path, "mono", Qt.TextElideMode.ElideMiddle)
            look = Button(self.tr("Open"), "link").on(_opener(place.path))
            look.setAccessibleName(self.tr("Open") + f" {place.title}")
            _line(grid, place.title, _beside(path, look, stretch=True))
            _line(grid, "", Label(place.text, "small", wrap=True))

    def _section(self, title: str, text: str, *, last: bool = False) -> QGridLayout:
        self._sections.addWidget(Label(title, "title"))
        if text:
            self._sections.addSpacing(4)
            self._sections.addWidget(Label(text, "muted", wrap=True))
        self._sections.addSpacing(12)
        grid: QGridLayout = bare(QGridLayout())
        grid.setHorizontalSpacing(16)
        grid.setVerticalSpacing(8)
        grid.setColumnMinimumWidth(0, 112)
        grid.setColumnStretch(1, 1)
        self._sections.addLayout(grid)
        if not last:
            self._sections.addSpacing(20)
            self._sections.addWidget(Hairline())
            self._sections.addSpacing(20)
        return grid

    def _text_field(self, key: str, name: str, *, mono: bool = False) -> Field:
        field = Field(mono=mono, name=name)
        field.editingFinished.connect(lambda: self._settings.set(key, field.text().strip()))
        return field

    # What it shows

    def _show(self) -> None:
        get = self._settings.get
        self.theme.choose(get("appearance.theme"))
        self.enter.setChecked(get("composer.enter_sends"))
        fields = ((self.account, "account"), (self.gateway_name, "name"), (self.gateway_url, "base_url"))
        for field, name in fields:
            if not field.hasFocus():
                field.setText(get(f"gateway.{name}"))
        self.stored_keys.setChecked(get("gateway.stored_keys"))
        self._show_gateway()
        self._show_vault()
        self._show_folders()

    def _show_gateway(self) -> None:
        gateway = self._settings.gateway()
        token = next((key for key in self._vault.all_keys() if key.provider == GATEWAY and key.enabled), None)
        if gateway is not None:
            part = gateway.carries is not None
            words = f"for the keys of {gateway.token.source}" if part else "set up"
            self.gateway_chip.set(f"{words} · {gateway.name}", "ok")
            reach = ". Enter account and name here to send the other keys through it too" if part else ""
            self.gateway_chip.setToolTip(f"Account {gateway.account}{reach}")
        else:
            self.gateway_chip.set(_missing(self._settings, has_token=token is not None), "neutral")
        token = gateway.token if gateway is not None else token
        self.token_place.setText(
            f"{token.label} {token.hint}, from {_source(token.source)}" if token else "No token yet."
        )

    def _show_vault(self) -> None:
        words, state = place_words(self._vault), self._vault.state
        self.vault_chip.set(words.chip, words.role)
        self.vault_reason.setText(words.sentence)
        self.vault_reason.setVisible(bool(words.sentence))
        opened_file = bool(state and state.is_file and state.kind == "ready") and self._vault.door.can_ask
        self.vault_button.setText("Lock now" if opened_file else words.action)
        self.vault_button.setVisible(bool(self.vault_button.text()))
        self.passphrase_button.setVisible(opened_file)
        self.idle.setEnabled(bool(state and state.is_file) and self._vault.door.can_ask)
        minutes = self._settings.get("vault.lock_after_minutes")
        if self.idle.findData(minutes) < 0:
            self.idle.addItem(f"After {minutes} minutes", minutes)
        self.idle.choose(minutes)

    def _show_folders(self) -> None:
        while (item := self._folder_rows.takeAt(0)) is not None:
            if item.widget() is not None:
                item.widget().hide()
                item.widget().deleteLater()
        folders = self._settings.get("keys.folders")
        for folder in folders:
            path = Elided(folder, "mono", Qt.TextElideMode.ElideMiddle)
            remove = Button(self.tr("Remove"), "link").on(self._remover(folder))
            self._folder_rows.addWidget(_beside(path, remove, stretch=True))
        if not folders:
            self._folder_rows.addWidget(Label(self.tr("None but the working folder."), "muted"))
        files = self._settings.key_files()
        self.key_files.setText("Keys found in " + ", ".join(files) if files else "No keys found in files.")

    # What is asked of it

    def _choose_theme(self) -> None:
        if self._settings.set("appearance.theme", self.theme.chosen()):
            self.theme_chosen.emit(self.theme.chosen())

    def _forget_token(self, saved: Saved) -> None:
        if any(key.provider == GATEWAY for key in saved.keys):
            self.token.clear()

    def _keep_token(self) -> None:
        text = self.token.text().strip()
        if text:
            self._vault.add([(GATEWAY, Secret(text), "gateway")])

    def _vault_act(self) -> None:
        if self._vault.door.is_ready:
            self._vault.door.lock()
        else:
            act_on_place(self.window(), self._theme, self._vault)

    def _change_passphrase(self) -> None:
        PassphraseSheet(self.window(), self._theme, self._vault, change=True).open()

    def _pick_folder(self) -> None:
        dialog = QFileDialog(self, self.tr("Folder with .dev.vars or .env"))
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(lambda folder: self._settings.add_folder(folder))
        dialog.open()

    def _remover(self, folder: str) -> Callable[[], object]:
        return lambda: self._settings.remove_folder(folder)


def _line(grid: QGridLayout, title: str, widget: QWidget) -> None:
    row = grid.rowCount()
    if title:
        caption = Label(title, "muted")
        caption.setBuddy(widget)
        grid.addWidget(caption, row, 0, Qt.AlignmentFlag.AlignVCenter)
    compact = isinstance(widget, Chip | Choice)
    grid.addWidget(widget, row, 1, Qt.AlignmentFlag.AlignLeft if compact else Qt.AlignmentFlag(0))


def _beside(*widgets: QWidget, stretch: bool = False) -> QWidget:
    holder = QWidget()
    row: QHBoxLayout = bare(QHBoxLayout(holder), 8)
    for widget in widgets:
        row.addWidget(widget)
    if stretch:
        row.addStretch(1)
    return holder


def _opener(path: str) -> Callable[[], object]:
    return lambda: QDesktopServices.openUrl(QUrl.fromLocalFile(path))


def _missing(settings: Settings, *, has_token: bool) -> str:
    wants = [
        word
        for word, there in (
            ("account", bool(settings.get("gateway.account"))),
            ("gateway", bool(settings.get("gateway.name"))),
            ("token", has_token),
        )
        if not there
    ]
    return "not set up" if len(wants) == 3 else f"missing: {', '.join(wants)}" if wants else "not usable"


def _source(source: str) -> str:
    return {"vault": "the vault", "environment": "the environment"}.get(source, source)
