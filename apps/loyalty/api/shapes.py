"""Request shapes that several views share."""

from __future__ import annotations

from typing import Any

from apps.core.wire import Shape


class Changes(Shape):
    """A partial change: what is absent or `null` stays as it is (contract loyalty 1.5, row 45)."""

    def given(self) -> dict[str, Any]:
        """What the caller named, without the nulls."""
        return {name: value for name, value in self.model_dump(exclude_unset=True).items() if value is not None}
