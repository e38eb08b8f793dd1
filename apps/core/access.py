"""Who may see and do what: the shapes that each product's `access.py` fills."""

from __future__ import annotations

from typing import Any, Protocol, TypeVar

from django.db import models

from apps.core.errors import NotAllowed, NotFound, Refused

M = TypeVar("M", bound=models.Model)


class Actor(Protocol):
    """Who does it: a membership of a product. `None` in an action means the system."""

    @property
    def pk(self) -> Any: ...

    @property
    def user(self) -> Any: ...


class VisibleQuerySet(models.QuerySet[M]):
    """Base of product querysets: what `by` may see. Forgetting to override it shows nothing."""

    def visible_to(self, by: Any) -> VisibleQuerySet[M]:
        """Rows that `by` may see; nothing until a product says otherwise."""
        return self.none()

    def lock(self, refusal: type[Refused] = NotFound, **where: Any) -> M:
        """The one row, locked until the end of the transaction. Raises `refusal` when it is not among these rows."""
        row = self.select_for_update(of=("self",)).filter(**where).first()
        if row is None:
            raise refusal()
        return row


def ensure(condition: bool, refusal: type[Refused] = NotAllowed, **facts: Any) -> None:
    """Raise `refusal` unless `condition` holds."""
    if not condition:
        raise refusal(**facts)
