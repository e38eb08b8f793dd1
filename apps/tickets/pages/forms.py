"""Shapes of the pages' forms; rules live in the actions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.tickets.models import Ticket
from apps.tickets.queries import maps, public, queue

ANY = [("", _("All"))]


class Filter(forms.Form):
    """What a list and a map show. Nonsense in the address counts as nothing."""

    category = forms.TypedChoiceField(label=_("Category"), required=False, empty_value=None)
    status = forms.ChoiceField(label=_("Status"), required=False, choices=[*ANY, *Ticket.Status.choices])
    page = forms.IntegerField(min_value=1, max_value=500, required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["category"].choices = [*ANY, *public.categories()]  # type: ignore[attr-defined]

    def chosen(self) -> dict[str, Any]:
        """Only what is well-formed."""
        self.is_valid()
        given = getattr(self, "cleaned_data", {})
        return {
            # As a UUID: fixed SQL knows how each database keeps those.
            "category_id": UUID(given["category"]) if given.get("category") else None,
            "status": given.get("status") or "",
            "number": given.get("page") or 1,
        }


class SignIn(forms.Form):
    """E-mail and password."""

    email = forms.EmailField(label=_("E-mail"), widget=forms.EmailInput(attrs={"autocomplete": "username"}))
    password = forms.CharField(
        label=_("Password"),
        max_length=128,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class Move(forms.Form):
    """A step of a ticket."""

    status = forms.ChoiceField(choices=Ticket.Status.choices)
    comment = forms.CharField(max_length=1000, required=False, strip=True)


class Merge(forms.Form):
    """Which ticket stands for the same trouble: one of those nearby, or any other by its id; and why."""

    original = forms.ChoiceField(label=_("The ticket that stays"), required=False, widget=forms.RadioSelect)
    other = forms.UUIDField(label=_("Another one, by its id"), required=False)
    reason = forms.CharField(label=_("Reason"), min_length=3, max_length=500)

    def __init__(self, *args: Any, nearby: Sequence[Mapping[str, Any]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["original"].choices = [(str(row["id"]), _near(row)) for row in nearby]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """The id that was typed goes before the one that was chosen."""
        given: dict[str, Any] = super().clean() or {}
        chosen = given.pop("other", None) or given.get("original")
        if not chosen and not self.errors:
            raise forms.ValidationError(_("Choose the ticket that stays"))
        return {**given, "original": UUID(str(chosen)) if chosen else None}


class HandOver(forms.Form):
    """Which team gets a ticket."""

    team = forms.TypedChoiceField(label=_("Team"), coerce=UUID)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["team"].choices = [("", "—"), *queue.teams()]  # type: ignore[attr-defined]


class Ask(forms.Form):
    """Why the managers should decide about a ticket."""

    reason = forms.CharField(
        label=_("Reason"), min_length=10, max_length=2000, widget=forms.Textarea(attrs={"rows": 4})
    )


def _near(row: Mapping[str, Any]) -> str:
    return f"{row['title']} · {Ticket.Status(row['status']).label} · {row['distance_meters']:.0f} m"


class Period(forms.Form):
    """How far back a heat map looks, and at what."""

    days = forms.TypedChoiceField(
        label=_("Period"),
        coerce=int,
        required=False,
        empty_value=30,  # type: ignore[arg-type]
        choices=[(7, _("7 days")), (30, _("30 days")), (90, _("90 days")), (365, _("a year"))],
    )
    category = forms.TypedChoiceField(label=_("Category"), required=False, empty_value=None)
    status = forms.ChoiceField(label=_("Status"), required=False, choices=[*ANY, *Ticket.Status.choices])

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["category"].choices = [*ANY, *public.categories()]  # type: ignore[attr-defined]


class Sides(forms.Form):
    """A window of the map and its zoom."""

    south = forms.FloatField(min_value=-90, max_value=90)
    north = forms.FloatField(min_value=-90, max_value=90)
    west = forms.FloatField(min_value=-180, max_value=180)
    east = forms.FloatField(min_value=-180, max_value=180)
    zoom = forms.FloatField(min_value=0, max_value=22, required=False)

    def window(self) -> maps.Window | None:
        """The window, or nothing when it is none."""
        if not self.is_valid():
            return None
        sides = {name: self.cleaned_data[name] for name in ("south", "west", "north", "east")}
        found = maps.Window(**sides)
        return found if found.south < found.north and found.west < found.east else None


def wanted(form: Period, window: maps.Window | None = None) -> maps.Wanted:
    """What a heat map is asked: only what is well-formed; a minute is exact enough and lets answers be kept."""
    form.is_valid()
    given = form.cleaned_data
    since = timezone.now().replace(second=0, microsecond=0) - timedelta(days=given.get("days") or 30)
    category = UUID(given["category"]) if given.get("category") else None
    return maps.Wanted(since, category, given.get("status") or None, window)
