"""The back office of people: find, shut out, let in, bring together, forget; and what happened at the door."""

from __future__ import annotations

from typing import Any, ClassVar

from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django import forms
from django.contrib import admin
from django.contrib.admin.utils import flatten_fieldsets
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice
from import_export import resources
from import_export.fields import Field
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldAdminTextInputWidget

from apps.accounts import actions, queries
from apps.accounts.actions import second_factor
from apps.accounts.errors import NothingToKnowBy, PersonNotFound
from apps.accounts.models import AuthLog, MailToken, Merge, OneTimeCode, Session, SmsSpend, User
from apps.core import phones
from apps.core.admin import HouseAdmin, ReadOnlyAdmin, ReasonForm


class OtherPersonForm(ReasonForm):
    """Who is the same human."""

    other = forms.CharField(
        label=_("The other row: number, phone, e-mail or name"),
        help_text=_("That row goes; this one stays."),
        widget=UnfoldAdminTextInputWidget(),
    )
    field_order = ("other", "reason")


class PasswordForm(ReasonForm):
    """A first or forgotten password of a staff member; he changes it himself afterwards."""

    new = forms.CharField(label=_("New password"), min_length=8, max_length=128, widget=UnfoldAdminPasswordWidget())
    field_order = ("new", "reason")


class NewStaffForm(forms.ModelForm):
    """A staff member who is not a client yet. Names and addresses are kept in lower case."""

    def clean_username(self) -> str | None:
        return (self.cleaned_data["username"] or "").strip().lower() or None

    def clean_email(self) -> str | None:
        return (self.cleaned_data["email"] or "").strip().lower() or None

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        if not self.errors and not (self.cleaned_data.get("username") or self.cleaned_data.get("email")):
            raise forms.ValidationError(NothingToKnowBy.message)
        return cleaned


class PersonResource(resources.ModelResource):
    """People as a spreadsheet: phones are masked, for a file travels."""

    phone = Field()

    def dehydrate_phone(self, user: User) -> str:
        return phones.mask(user.phone or "")

    class Meta:
        model = User
        fields = (
            "id",
            "first_name",
            "last_name",
            "phone",
            "language",
            "is_staff",
            "joined_at",
            "last_login",
            "blocked_at",
        )


class StateFilter(admin.SimpleListFilter):
    """active, blocked, erased or merged."""

    title = _("state")
    parameter_name = "state"
    WHERE: ClassVar[dict[str, dict[str, Any]]] = {
        "active": {"is_active": True},
        "blocked": {"blocked_at__isnull": False},
        "erased": {"erased_at__isnull": False},
        "merged": {"merged_into__isnull": False},
    }

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("active", _("active")), ("blocked", _("blocked")), ("erased", _("erased")), ("merged", _("merged"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> QuerySet[User]:
        return queryset.filter(**self.WHERE[self.value() or ""]) if self.value() in self.WHERE else queryset


@admin.register(User)
class PersonAdmin(HouseAdmin):
    """People: everything that moves rights or identity is a button with a reason."""

    resource_classes = (PersonResource,)
    list_display = ("id", "name", "phone", "email", "telegram", "state", "is_staff", "joined_at", "last_login")
    list_display_links = ("id", "name")
    list_filter = (StateFilter, "is_staff", "language", "groups")
    list_select_related = False
    search_fields = ("phone", "email", "username", "first_name", "last_name", "telegram_username")
    search_help_text = _("Phone, e-mail, name or Telegram number")
    ordering = ("-id",)
    autocomplete_fields = ("groups",)
    compressed_fields = False
    actions_detail = (
        "block_person",
        "unblock_person",
        "merge_person",
        {"title": _("More"), "items": ["set_password", "reset_factor", "erase_person", "show_log"]},
    )
    fieldsets: Any = (
        (
            _("Person"),
            {"fields": (("first_name", "last_name"), ("language", "joined_at"), ("last_login", "updated_at"))},
        ),
        (
            _("Known by"),
            {"fields": (("phone", "email"), ("username", "telegram_id"), ("telegram_username", "can_message_bot"))},
        ),
        (
            _("State"),
            {
                "fields": (
                    ("is_active", "blocked_at"),
                    "block_reason",
                    ("erased_at", "merged_into"),
                    "tokens_valid_from",
                )
            },
        ),
        (_("Rights"), {"fields": (("is_staff", "is_superuser"), "groups")}),
    )
    new_staff_fieldsets: Any = (
        (None, {"fields": ("username", "email", "first_name", "last_name", "language", "groups")}),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        """Names may be corrected; rights only by a superuser; the rest moves by buttons."""
        if obj is None:
            return ()
        editable = {"first_name", "last_name", "language"}
        if request.user.is_superuser and obj.is_active:
            editable |= {"is_staff", "groups"}
        return tuple(name for name in flatten_fieldsets(self.fieldsets) if name not in editable)

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> Any:
        return self.fieldsets if obj else self.new_staff_fieldsets

    def get_form(self, request: HttpRequest, obj: User | None = None, change: bool = False, **kwargs: Any) -> Any:
        return super().get_form(request, obj, change=change, **(kwargs if change else {**kwargs, "form": NewStaffForm}))

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """A new row is a staff member; a password is set by its own button."""
        if not change:
            obj.is_staff = True
            obj.set_unusable_password()
        super().save_model(request, obj, form, change)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Clients come by themselves; superusers add staff."""
        return request.user.is_superuser

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Staff do not correct the names of other staff; superusers do."""
        allowed = super().has_change_permission(request, obj)
        return allowed and (obj is None or request.user.is_superuser or not obj.is_staff)

    def get_search_results(self, request: HttpRequest, queryset: QuerySet[User], search_term: str) -> tuple[Any, bool]:
        if not search_term.strip():
            return queryset, False
        return queryset & queries.matching(search_term.strip()), False

    @admin.display(description=_("name"), ordering="last_name")
    def name(self, user: User) -> str:
        return user.get_full_name() or user.username or "–"

    @admin.display(description=_("Telegram"))
    def telegram(self, user: User) -> str:
        return f"@{user.telegram_username}" if user.telegram_username else str(user.telegram_id or "–")

    @display(
        description=_("state"), label={"active": "success", "blocked": "danger", "erased": "info", "merged": "warning"}
    )
    def state(self, user: User) -> tuple[str, Any]:
        return state_of(user)

    @action(description=_("Block"), permissions=["block"], url_path="block")
    def block_person(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._ask(
            request, object_id, _("Block this person"), lambda user, **why: actions.block(user=user, **why)
        )

    @action(description=_("Unblock"), permissions=["block"], url_path="unblock")
    def unblock_person(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._ask(
            request, object_id, _("Unblock this person"), lambda user, **why: actions.unblock(user=user, **why)
        )

    @action(description=_("Merge"), permissions=["merge"], url_path="merge")
    def merge_person(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._ask(request, object_id, _("Another row is the same person"), _merge_with, form=OtherPersonForm)

    @action(description=_("Set password"), permissions=["set_password"], url_path="set-password")
    def set_password(self, request: HttpRequest, object_id: str) -> HttpResponse:
        def deed(user: User, **why: Any) -> None:
            actions.set_password(user=user, **why)

        return self._ask(request, object_id, _("Set a password"), deed, form=PasswordForm)

    @action(description=_("Remove second factor"), permissions=["reset_factor"], url_path="reset-second-factor")
    def reset_factor(self, request: HttpRequest, object_id: str) -> HttpResponse:
        def deed(user: User, **why: Any) -> None:
            second_factor.reset_second_factor(user=user, **why)

        return self._ask(request, object_id, _("Remove the second factor"), deed)

    @action(description=_("Erase"), permissions=["erase"], url_path="erase")
    def erase_person(self, request: HttpRequest, object_id: str) -> HttpResponse:
        title = _("Erase this person for good")
        return self._ask(request, object_id, title, lambda user, **why: actions.erase(user=user, **why))

    @action(description=_("Login log"), permissions=["view"], url_path="log")
    def show_log(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return redirect(f"{reverse('admin:accounts_authlog_changelist')}?user__id__exact={int(object_id)}")

    def _ask(self, request: HttpRequest, object_id: str, title: Any, deed: Any, form: Any = ReasonForm) -> HttpResponse:
        user = get_object_or_404(User, pk=object_id)
        return self.ask_reason(request, user, title=title, deed=deed, form=form)

    def has_block_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("accounts.block_user")

    def has_merge_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("accounts.merge_user")

    def has_erase_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("accounts.erase_user")

    def has_set_password_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.is_superuser

    def has_reset_factor_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("accounts.reset_second_factor")


def state_of(user: User) -> tuple[str, Any]:
    """The state's word for the badge, and for people."""
    if user.erased_at:
        return "erased", _("erased")
    if user.merged_into_id:
        return "merged", _("merged")
    return ("blocked", _("blocked")) if user.blocked_at else ("active", _("active"))


def _merge_with(user: User, *, by: User, reason: str, other: str) -> Merge:
    """The form's text names the row that goes: `#12` or an identifier."""
    wanted = other.strip()
    number = wanted.removeprefix("#")
    is_number = number.isascii() and number.isdigit() and len(number) < 10
    gone = User.objects.filter(pk=int(number)).first() if is_number else queries.person_called(wanted)
    if gone is None:
        raise PersonNotFound()
    return actions.merge(by=by, keep=user, gone=gone, reason=reason)


@admin.register(Merge)
class MergeAdmin(ReadOnlyAdmin):
    """Who was brought together; a mistake is undone here."""

    list_display = ("id", "keep", "gone", "reason", "by", "created_at", "undone_at")
    list_filter = (("undone_at", admin.EmptyFieldListFilter), "created_at")
    list_select_related = ("keep", "gone", "by")
    search_fields = ("keep__phone", "gone__phone", "reason")
    exclude = ("snapshot",)
    actions_detail = ("undo",)

    @action(description=_("Undo"), permissions=["undo"], url_path="undo")
    def undo(self, request: HttpRequest, object_id: str) -> HttpResponse:
        def deed(merge: Merge, **why: Any) -> None:
            actions.undo_merge(merge=merge, **why)

        return self.ask_reason(
            request, get_object_or_404(Merge, pk=object_id), title=_("They are two people after all"), deed=deed
        )

    def has_undo_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("accounts.merge_user")


@admin.register(AuthLog)
class AuthLogAdmin(ReadOnlyAdmin):
    """What happened at the door."""

    list_display = ("at", "event", "is_success", "user", "product", "identifier", "address", "by", "reason")
    list_filter = ("event", "is_success", "product", "at")
    list_select_related = ("user", "by")
    search_fields = ("identifier", "address", "user__phone", "user__email", "user__username")
    ordering = ("-id",)

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        return lookup == "user__id__exact" or super().lookup_allowed(lookup, value, request)  # type: ignore[call-arg,arg-type]


@admin.register(OneTimeCode)
class OneTimeCodeAdmin(ReadOnlyAdmin):
    """Codes that were sent, without the codes."""

    list_display = ("created_at", "phone", "purpose", "channel", "progress", "state", "tries", "expires_at", "address")
    list_filter = ("channel", "progress", "purpose", "created_at")
    list_select_related = False
    search_fields = ("phone", "address")
    exclude = ("salt", "code_hash")
    ordering = ("-id",)

    @display(description=_("state"), label={"live": "info", "used": "success", "burnt": "danger", "expired": "warning"})
    def state(self, code: OneTimeCode) -> str:
        return code.state


@admin.register(MailToken)
class MailTokenAdmin(ReadOnlyAdmin):
    """Links that were sent, without the links."""

    list_display = ("created_at", "user", "kind", "product", "expires_at", "used_at", "voided_at")
    list_filter = ("kind", "product")
    list_select_related = ("user",)
    search_fields = ("email",)
    exclude = ("token_hash",)


@admin.register(Session)
class SessionAdmin(ReadOnlyAdmin):
    """Who is signed in where."""

    list_display = ("created_at", "user", "audience", "rotated_at", "expires_at", "ended_at", "end_reason", "address")
    list_filter = ("audience", ("ended_at", admin.EmptyFieldListFilter), "end_reason")
    list_select_related = ("user",)
    search_fields = ("user__phone", "user__email", "subject", "address")
    exclude = ("refresh_id",)


@admin.register(SmsSpend)
class SmsSpendAdmin(ReadOnlyAdmin):
    """What texted codes cost, and whether they are typed in; `*` is the whole house."""

    list_display = ("day", "prefix", "sent_count", "proved_count", "success", "cost", "alarm")
    list_filter = ("prefix", "day")
    list_select_related = False
    ordering = ("-day", "prefix")

    @admin.display(description=_("success"))
    def success(self, row: SmsSpend) -> str:
        return "–" if row.success_percent is None else f"{row.success_percent} %"

    @display(description=_("alarm"), label={"alarm": "danger", "quiet": "success"})
    def alarm(self, row: SmsSpend) -> tuple[str, Any]:
        return ("alarm", _("alarm")) if row.alarmed_at else ("quiet", _("quiet"))


# Their pages would show the secrets of second factors to every superuser; ours are the buttons above.
admin.site.unregister([Group, TOTPDevice, StaticDevice, AccessAttempt, AccessFailureLog, AccessLog])


@admin.register(AccessAttempt)
class LockOutAdmin(ReadOnlyAdmin):
    """Wrong passwords at the back office's door; deleting a row opens the door again."""

    list_display = ("attempt_time", "username", "ip_address", "failures_since_start", "user_agent")
    list_filter = ("attempt_time",)
    search_fields = ("username", "ip_address")
    list_select_related = False
    exclude = ("get_data", "post_data", "http_accept")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("axes.delete_accessattempt")


@admin.register(Group)
class RoleAdmin(HouseAdmin):
    """Roles: which rights a group of staff has."""

    list_display = ("name",)
    search_fields = ("name",)
    filter_horizontal = ("permissions",)
    list_select_related = False
