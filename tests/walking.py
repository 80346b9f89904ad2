"""Everything a window tells: words in every widget, shown or not, tips, names, properties, lists, and what a screen
reader is told."""

from __future__ import annotations

from collections.abc import Iterator

from PySide6.QtCore import QAbstractItemModel, QAbstractListModel, QObject, Qt
from PySide6.QtGui import QAccessible, QAccessibleInterface, QAction
from PySide6.QtWidgets import QAbstractItemView, QApplication, QComboBox, QTextEdit, QWidget

ROLES = (
    Qt.ItemDataRole.DisplayRole,
    Qt.ItemDataRole.ToolTipRole,
    Qt.ItemDataRole.AccessibleTextRole,
    Qt.ItemDataRole.AccessibleDescriptionRole,
    Qt.ItemDataRole.UserRole,
)
TEXTS = (
    QAccessible.Text.Name,
    QAccessible.Text.Description,
    QAccessible.Text.Value,
    QAccessible.Text.Help,
)
PROPERTIES = (
    "objectName", "text", "toolTip", "statusTip", "whatsThis", "windowTitle", "accessibleName",
    "accessibleDescription", "placeholderText", "plainText", "title", "currentText",
)  # fmt: skip


def told_by(top: QWidget) -> list[tuple[str, str]]:
    """(where, what) for every word in the tree under `top`, whether it is visible or not."""
    found: list[tuple[str, str]] = []
    for part in [top, *top.findChildren(QObject)]:
        where = type(part).__name__
        found += [(f"{where}.{name}", str(part.property(name) or "")) for name in PROPERTIES]
        found += [(f"{where}[{name}]", value) for name, value in own_properties(part)]
        if isinstance(part, QAction):
            found.append((where, f"{part.text()} {part.toolTip()} {part.data()}"))
        if isinstance(part, QTextEdit):
            found += [(where, part.toPlainText()), (where, part.toHtml())]
        if isinstance(part, QComboBox):
            found += [(where, f"{part.itemText(row)} {part.itemData(row)}") for row in range(part.count())]
        if isinstance(part, QAbstractItemView) and part.model() is not None:
            found += [(f"{where} list", words) for words in items(part.model())]
    return [(where, what) for where, what in found if what]


def own_properties(part: QObject) -> Iterator[tuple[str, str]]:
    """Those that were set at run time; some of Qt's own hold what Python cannot see, and nobody else."""
    for raw in part.dynamicPropertyNames():
        name = bytes(raw.data()).decode()
        try:
            yield name, str(part.property(name))
        except RuntimeError as error:
            if "converter" not in str(error):
                raise


def items(model: QAbstractItemModel) -> Iterator[str]:
    for row in range(model.rowCount()):
        for column in range(1 if isinstance(model, QAbstractListModel) else model.columnCount()):
            for role in ROLES:
                yield str(model.data(model.index(row, column), role) or "")


def read_aloud(top: QWidget) -> list[tuple[str, str]]:
    """(role, what) for all that the accessibility tree says under `top`."""
    found: list[tuple[str, str]] = []

    def visit(part: QAccessibleInterface | None, depth: int) -> None:
        if part is None or not part.isValid() or depth > 60:
            return
        role = part.role().name
        found.extend((role, words) for kind in TEXTS if (words := part.text(kind)))
        content = part.textInterface()
        if content is not None:
            found.append((role, content.text(0, content.characterCount())))
        for number in range(part.childCount()):
            visit(part.child(number), depth + 1)

    visit(QAccessible.queryAccessibleInterface(top), 0)
    return found


def everywhere() -> list[tuple[str, str]]:
    """What every window of the program tells, both ways."""
    found: list[tuple[str, str]] = []
    for window in QApplication.topLevelWidgets():
        found += told_by(window) + read_aloud(window)
    return found
