"""Who works in which shop: role, switches, dismissing; what was changed by whom."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldBooleanSwitchWidget

from apps.core.admin import ReadOnlyAdmin, ReasonForm
from apps.florist import access
from apps.florist.access import SWITCHES, switches
from apps.florist.actions import people
from apps.florist.models import Employee, EmployeeChange

Role = Employee.Role
ROLE_COLOURS = {Role.ADMIN: "primary", Role.MANAGER: "info", Role.FLORIST: "success", Role.COURIER: "warning"}


class RoleForm(ReasonForm):
    """Which role."""

    role = forms.ChoiceField(label=_("Role"), choices=Role.choices, widget=UnfoldAdminSelectWidget)
    field_order = ("role", "reason")


class SwitchForm(ReasonForm):
    """The six switches."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in SWITCHES:
            self.fields[name] = forms.BooleanField(label=_(name), required=False, widget=UnfoldBooleanSwitchWidget)
        self.order_fields([*SWITCHES, "reason"])


class ChangeInline(TabularInline):
    """What was changed about an employee."""

    model = EmployeeChange
    extra = 0
    max_num = 0
    can_delete = False
    fields = readonly_fields = ("created_at", "what", "before", "after", "by")

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("florist.view_employee")


@admin.register(Employee)
class EmployeeAdmin(ReadOnlyAdmin):
    """People of all shops; the shops' owners hire, the platform helps out."""

    list_display = ("name", "shop", "role_badge", "is_active", "is_on_shift", "created_at")
    list_filter = ("role", "is_active", ("shop", admin.RelatedOnlyFieldListFilter))
    search_fields = ("id__exact", "name__istartswith", "phone__exact", "email__iexact", "shop__name__istartswith")
    search_help_text = _("Id, beginning of the name or of the shop's, whole phone or e-mail")
    list_select_related = ("shop",)
    ordering = ("-created_at", "-id")
    inlines = (ChangeInline,)
    actions_detail = ("set_role", "switch", "dismiss", "let_in")
    fields: ClassVar[tuple[str, ...]] = (
        *("id", "shop", "name", "phone", "email", "role", "is_active", "is_on_shift", "telegram_id", "rights"),
        *("created_at", "updated_at"),
    )
    readonly_fields = ("rights",)

    def has_manage_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm(access.OFFICE)

    @display(description=_("role"), ordering="role", label=ROLE_COLOURS)
    def role_badge(self, employee: Employee) -> tuple[str, str]:
        return employee.role, employee.get_role_display()

    @display(description=_("switches"))
    def rights(self, employee: Employee) -> str:
        return ", ".join(area for area, is_on in switches(employee).items() if is_on) or "–"

    @action(description=_("Role"), icon="badge", permissions=["manage"])
    def set_role(self, request: HttpRequest, object_id: Any) -> HttpResponse:
        return self.ask_reason(request, _employee(object_id), title=_("Role"), deed=_set_role, form=RoleForm)

    @action(description=_("Switches"), icon="toggle_on", permissions=["manage"])
    def switch(self, request: HttpRequest, object_id: Any) -> HttpResponse:
        employee = _employee(object_id)
        present = {str(area): is_on for area, is_on in switches(employee).items()}
        return self.ask_reason(request, employee, title=_("Switches"), deed=_switch, form=SwitchForm, initial=present)

    @action(description=_("Dismiss"), icon="person_off", permissions=["manage"])
    def dismiss(self, request: HttpRequest, object_id: Any) -> HttpResponse:
        return self.ask_reason(request, _employee(object_id), title=_("Dismiss the employee"), deed=_dismiss)

    @action(description=_("Let in again"), icon="person_check", permissions=["manage"])
    def let_in(self, request: HttpRequest, object_id: Any) -> HttpResponse:
        return self.ask_reason(request, _employee(object_id), title=_("Let the employee in again"), deed=_let_in)


def _employee(object_id: Any) -> Employee:
    return Employee.objects.get(pk=object_id)


def _set_role(employee: Employee, *, by: Any, reason: str, role: str) -> None:
    people.update(by=by, employee_id=employee.pk, role=role)


def _switch(employee: Employee, *, by: Any, reason: str, **chosen: bool) -> None:
    people.set_permissions(by=by, employee_id=employee.pk, permissions=chosen)


def _dismiss(employee: Employee, *, by: Any, reason: str) -> None:
    people.dismiss(by=by, employee_id=employee.pk)


def _let_in(employee: Employee, *, by: Any, reason: str) -> None:
    people.update(by=by, employee_id=employee.pk, is_active=True)
