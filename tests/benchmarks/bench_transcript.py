"""A long answer costs the same at its end as at its beginning. Ratios, not times: machines differ.

By hand: `pytest tests/benchmarks/bench_transcript.py`.
"""

from __future__ import annotations

import time

from PySide6.QtWidgets import QApplication

from vibedesk.store.paths import resources
from vibedesk.ui.theme import Theme
from vibedesk.ui.transcript import Transcript

PARAGRAPH = (
    "A **paragraph** of `words` that goes on for a while, with a [link](https://example.org) in it.\n\n"
)
CODE = "```python\ndef f(x):\n    return x + 1  # more\n```\n\n- one item\n- another item\n\n"


def test_twenty_thousand_tokens_stay_linear(qapp: QApplication) -> None:
    theme = Theme(resources())
    theme.apply(qapp, "light")
    view = Transcript(theme)
    view.resize(420, 800)
    view.show()
    view.begin()
    text = (PARAGRAPH * 3 + CODE) * 400
    tokens = [text[start : start + 4] for start in range(0, 80_000, 4)]
    spent: list[float] = []
    for start in range(0, len(tokens), 20):  # about what one frame brings
        began = time.perf_counter()
        view.append("".join(tokens[start : start + 20]))
        qapp.processEvents()
        spent.append(time.perf_counter() - began)
    frames = 1_000 // 20
    first, last = sum(spent[:frames]), sum(spent[-frames:])
    print(
        f"first 1,000 tokens {first:.3f} s, last 1,000 {last:.3f} s, slowest frame {max(spent) * 1000:.1f} ms"
    )
    assert last / first <= 3
