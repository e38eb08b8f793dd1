"""What buttons of the back office ask before they act."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from apps.core.admin import ReasonForm
from apps.tickets.models import Member, Team, Ticket


class TeamForm(forms.Form):
    """Which team gets it."""

    team = forms.ModelChoiceField(label=_("Team"), queryset=Team.objects.all(), widget=UnfoldAdminSelectWidget)


class OriginalForm(ReasonForm):
    """Which ticket stands for the same trouble, by its id."""

    original = forms.UUIDField(
        label=_("Id of the ticket that stays"), widget=UnfoldAdminTextInputWidget, help_text=_("The first one reported")
    )
    field_order = ("original", "reason")


class OneOfThemForm(ReasonForm):
    """Which of the chosen tickets stays; the others become its duplicates."""

    original = forms.ModelChoiceField(
        label=_("The ticket that stays"), queryset=Ticket.objects.none(), widget=UnfoldAdminSelectWidget
    )
    field_order = ("original", "reason")

    def among(self, tickets: Any) -> None:
        """Offer these tickets, the oldest first and chosen."""
        self.fields["original"].queryset = tickets.order_by("created_at", "pk")  # type: ignore[attr-defined]
        self.fields["original"].initial = tickets.order_by("created_at", "pk").first()


class RoleForm(forms.Form):
    """A role, and a team."""

    role = forms.ChoiceField(label=_("Role"), choices=Member.Role.choices, widget=UnfoldAdminSelectWidget)
    team = forms.ModelChoiceField(
        label=_("Team"), queryset=Team.objects.all(), required=False, widget=UnfoldAdminSelectWidget
    )
