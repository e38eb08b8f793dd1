"""Restaurants in the forms and lists of the back office."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms

from apps.loyalty.models import Branch


def branch_choices() -> Iterable[tuple[Any, Any]]:
    """The restaurants, or none."""
    return [("", "–"), *Branch.choices]


def branch_name(branch_id: int | None) -> str:
    """A restaurant as staff call it; a number that we do not know stays a number."""
    return dict(Branch.choices).get(branch_id, str(branch_id)) if branch_id else "–"


class BranchField(forms.TypedChoiceField):
    """One of the restaurants, or none."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(choices=branch_choices, coerce=int, empty_value=None, required=False, **kwargs)
