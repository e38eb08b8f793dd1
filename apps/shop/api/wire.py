"""The shop's dialect: FastAPI's `detail`, with a machine code and words for people beside it."""

from __future__ import annotations

from typing import Any

from apps.core.wire import Wire


class ShopWire(Wire):
    """The house's default; pages carry the original's arithmetic (contract shop 1.2)."""

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
