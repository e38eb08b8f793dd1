"""The shop's dialect: FastAPI's `detail`, with a machine code and words for people beside it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from apps.core.errors import Refused
from apps.core.wire import Wire
from apps.shop.errors import NotEnoughStock


class ShopWire(Wire):
    """The house's default; pages carry the original's arithmetic (contract shop 1.2)."""

    def refused(self, refused: Refused, request: Any) -> tuple[int, Any]:
        """A shortage names its products for programs too (contract shop 3.3)."""
        status, body = super().refused(refused, request)
        if isinstance(refused, NotEnoughStock):
            body["short"] = [asdict(row) for row in refused.short]
        return status, body

    def paged(self, items: list[Any], total: int, *, skip: int, limit: int, **more: Any) -> dict[str, Any]:
        """A page whose number is `skip div limit + 1`; `pages` is 0 only without anything."""
        pages = -(-total // limit)
        return {
            "items": items,
            "total": total,
            "page": skip // limit + 1,
            "pages": pages,
            "has_next": skip + limit < total,
            "has_prev": skip > 0,
            **more,
        }


WIRE = ShopWire()
