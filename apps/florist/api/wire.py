"""The flower shops' dialect: FastAPI's `detail`, `{items, total}`, money as numbers (contract florist 1.0)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from apps.core.errors import Refused
from apps.core.wire import Wire
from apps.florist.errors import StockShort

SECRET = frozenset({"password", "otp_code", "refresh_token", "refreshToken", "initData", "phone", "phoneNumber"})
"""Fields whose values an error list never repeats."""


class FloristWire(Wire):
    """The house's default, with shortages named for programs."""

    def refused(self, refused: Refused, request: Any) -> tuple[int, Any]:
        """A shortage lists its flowers."""
        status, body = super().refused(refused, request)
        if isinstance(refused, StockShort):
            body["shortages"] = [asdict(row) for row in refused.shortages]
        return status, body

    def invalid(self, found: Sequence[Mapping[str, Any]]) -> tuple[int, Any]:
        """FastAPI's list, without what nobody may read in a log."""
        return super().invalid([_discreet(error) for error in found])

    def paged(self, items: Sequence[Any], total: int) -> dict[str, Any]:
        """`{items, total}`."""
        return {"items": list(items), "total": total}


def _discreet(error: Mapping[str, Any]) -> dict[str, Any]:
    given = error.get("input")
    if error["loc"] and error["loc"][-1] in SECRET:
        given = None
    elif isinstance(given, Mapping):
        given = {name: None if name in SECRET else value for name, value in given.items()}
    return {**error, "input": given}


WIRE = FloristWire()
