"""Managers and waiters: hired with a password, changed, dismissed; a new referral code by a click."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldAdminSelectWidget

from apps.core.admin import ActingAdmin, run_action
from apps.loyalty.actions import staff
from apps.loyalty.admin.saving import BranchField, branch_name
from apps.loyalty.models import Branch, Staff


class StaffForm(forms.ModelForm):  # type: ignore[type-arg]
    """A password is set here and never shown; empty keeps the one there is."""

    branch_id = BranchField(label=_("Branch"), widget=UnfoldAdminSelectWidget)
    password = forms.CharField(
        label=_("Password"),
        help_text=_("Empty keeps the present one; a new one ends every session."),
        max_length=128,
        required=False,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
    )

    class Meta:
        model = Staff
        fields: ClassVar[list[str]] = ["name", "phone", "role", "branch_id", "referral_code"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.instance.pk and "password" in self.fields:
            self.fields["password"].required, self.fields["password"].help_text = True, ""


class BranchFilter(admin.SimpleListFilter):
    """One of the restaurants."""

    title = _("branch")
    parameter_name = "branch"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[Any, Any]]:
        return list(Branch.choices)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = self.value() or ""
        return queryset.filter(branch_id=int(chosen)) if chosen.isdecimal() and len(chosen) < 10 else queryset


@admin.register(Staff)
class StaffAdmin(ActingAdmin):
    """Who works in the restaurants. Whoever left keeps the row for the logs, not the phone and not the code."""

    form = StaffForm
    list_display = ("id", "name", "phone", "role_badge", "branch", "referral_code", "guests", "created_at", "state")
    list_display_links = ("id", "name")
    list_filter = ("role", BranchFilter, ("deleted_at", admin.EmptyFieldListFilter))
    search_fields = ("name__icontains", "phone__icontains", "referral_code__iexact")
    search_help_text = _("Part of the name or phone, referral code")
    list_select_related = False
    ordering = ("-created_at", "-id")
    actions_detail = ("new_code", "dismiss")
    one_click = ("new_code",)
    fieldsets = (
        (None, {"fields": ("name", "phone", "role", "branch_id", "referral_code", "password")}),
        (_("Times"), {"fields": ("created_at", "updated_at", "deleted_at")}),
    )
    readonly_fields = ("created_at", "updated_at", "deleted_at")

    # ── What is shown ───────────────────────────────────────────────────────────────────────────────────────────────
    def get_queryset(self, request: HttpRequest) -> QuerySet[Staff]:
        living = Count("clients", filter=Q(clients__is_deleted=False))
        return super().get_queryset(request).annotate(guests_count=living)

    @display(description=_("role"), ordering="role", label={"MANAGER": "warning", "WAITER": "info"})
    def role_badge(self, row: Staff) -> tuple[str, str]:
        return row.role, row.get_role_display()

    @display(description=_("branch"), ordering="branch_id")
    def branch(self, row: Staff) -> str:
        return branch_name(row.branch_id)

    @display(description=_("guests"), ordering="guests_count")
    def guests(self, row: Any) -> int:
        return int(row.guests_count)

    @display(description=_("state"), label={"left": "danger", "here": "success"})
    def state(self, row: Staff) -> tuple[str, Any]:
        return ("left", _("left")) if row.deleted_at else ("here", _("works"))

    # ── Writing ─────────────────────────────────────────────────────────────────────────────────────────────────────
    def create(self, by: Any, given: Mapping[str, Any]) -> Staff:
        return staff.hire(by=by, **{**given, "referral_code": given.get("referral_code") or ""})

    def change(self, by: Any, pk: int, given: Mapping[str, Any]) -> Staff:
        return staff.update(by=by, staff_id=pk, changes=given)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return not (obj and obj.deleted_at) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Dismissing is a button: the row stays for the logs."""
        return False

    def get_exclude(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("user",)

    # ── Buttons ─────────────────────────────────────────────────────────────────────────────────────────────────────
    def buttons(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Managers have no code, and whoever left has no buttons."""
        shown = self.get_object(request, str(object_id))
        if shown is None or shown.deleted_at:
            return []
        found = super().buttons(request, object_id)
        return [button for button in found if not (shown.is_manager and button.action_name.endswith("new_code"))]

    @action(description=_("New referral code"), icon="autorenew", permissions=["steer"])
    def new_code(self, request: HttpRequest, object_id: int) -> HttpResponse:
        run_action(request, lambda: staff.regenerate_code(by=request.user, staff_id=object_id))
        return self.back_to(object_id)

    @action(description=_("Dismiss from work"), icon="person_remove", permissions=["dismiss"])
    def dismiss(self, request: HttpRequest, object_id: int) -> HttpResponse:
        row = Staff.objects.get(pk=object_id)
        title = _("Dismiss: the guests are nobody's afterwards, phone and code are free")
        return self.ask_reason(request, row, title=title, deed=_dismiss, form=forms.Form)

    def has_dismiss_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("loyalty.delete_staff")

    def has_steer_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("loyalty.change_staff")


def _dismiss(row: Staff, *, by: Any) -> None:
    staff.dismiss(by=by, staff_id=row.pk)
