"""The back office's menu, colours and start page hook: data only."""

from __future__ import annotations

from typing import Any

UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Mahalla",
    "SITE_HEADER": "Mahalla",
    "SHOW_HISTORY": True,
}
