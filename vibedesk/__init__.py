"""VibeDesk: ask many models with your own keys, side by side, and see what happened."""

from __future__ import annotations

__version__ = "0.1.0"
