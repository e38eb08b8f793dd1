"""The tickets' dialect: FastAPI's `detail`, a text for refusals, a list for malformed input (contract tickets C13)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from apps.core.errors import Refused
from apps.core.wire import Wire

SECRET = frozenset(
    {"password", "current_password", "new_password", "code", "otp_code", "token", "refresh_token", "phone_number"}
)
"""Fields whose values an error list never repeats, alone or inside a whole body."""


class TicketsWire(Wire):
    """The house's default; lists come with their total, pages with their number too (contract tickets 1.1)."""

    def refused(self, refused: Refused, request: Any) -> tuple[int, Any]:
        """The front end shows `detail` as it is, so a limit names its seconds there too (contract tickets 3)."""
        status, body = super().refused(refused, request)
        if refused.retry_after is not None:
            body["detail"] = f"{body['detail']}. Please try again in {refused.retry_after} seconds"
        return status, body

    def invalid(self, found: Sequence[Mapping[str, Any]]) -> tuple[int, Any]:
        """FastAPI's list, without what nobody may read over a shoulder or in a log."""
        return super().invalid([_discreet(error) for error in found])

    def paged(self, items: Sequence[Any], total: int, *, page: int, page_size: int) -> dict[str, Any]:
        """`Page<T>`."""
        return {"items": list(items), "total": total, "page": page, "page_size": page_size}

    def listed(self, items: Sequence[Any]) -> dict[str, Any]:
        """`List<T>` of something that is never paged."""
        return {"items": list(items), "total": len(items)}


def _discreet(error: Mapping[str, Any]) -> dict[str, Any]:
    given = error.get("input")
    if error["loc"] and error["loc"][-1] in SECRET:
        given = None
    elif isinstance(given, Mapping):
        given = {name: None if name in SECRET else value for name, value in given.items()}
    return {**error, "input": given}


WIRE = TicketsWire()
