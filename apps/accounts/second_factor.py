"""The back office's door: between the password and the first page stands the authenticator app.

The site is Django's admin with Unfold's look; `settings.ACCOUNTS.staff_second_factor_required` makes enrolment a duty,
and whoever has enrolled is always asked.
"""

from __future__ import annotations

from base64 import b32encode
from typing import Any, cast

import segno
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django_otp import login as pass_second_factor
from unfold.sites import UnfoldAdminSite

from apps.accounts.actions import log_out_everywhere, second_factor
from apps.accounts.kit import caller_of
from apps.accounts.models import User
from apps.core.errors import Refused


def needs_second_factor(user: Any) -> bool:
    """Whether this signed-in staff member still owes the second factor in this session."""
    if getattr(user, "is_verified", lambda: False)():
        return False
    return settings.ACCOUNTS.staff_second_factor_required or second_factor.has_second_factor(user)


class HouseAdminSite(UnfoldAdminSite):
    """Nothing of the back office is shown before both proofs were given."""

    def has_permission(self, request: HttpRequest) -> bool:
        return super().has_permission(request) and not needs_second_factor(request.user)

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The password page; whoever gave the password but not the digits is led on."""
        if super().has_permission(request) and needs_second_factor(request.user):
            there = f"{reverse('admin:second_factor')}?{request.GET.urlencode()}"
            return HttpResponseRedirect(there)
        return super().login(request, extra_context)

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Django's own page; a changed password kills the person's tokens here as everywhere."""
        answer = super().password_change(request, extra_context)
        if request.method == "POST" and answer.status_code == 302:
            log_out_everywhere(user=cast(User, request.user))
        return answer

    def extra_urls(self) -> list[URLPattern]:
        """Unfold asks for these."""
        return [
            path("second-factor/", never_cache(self.second_factor), name="second_factor"),
            path("second-factor/recovery/", self.admin_view(never_cache(self.recovery)), name="recovery_codes"),
        ]

    def second_factor(self, request: HttpRequest) -> HttpResponse:
        """Enrol, or type in the digits."""
        if not super().has_permission(request):
            return HttpResponseRedirect(reverse("admin:login"))
        if not needs_second_factor(request.user):
            return HttpResponseRedirect(_next(request))
        user = cast(User, request.user)
        return self._ask(request, user) if second_factor.has_second_factor(user) else self._enrol(request, user)

    def _ask(self, request: HttpRequest, user: User) -> HttpResponse:
        if request.method != "POST":
            return self._page(request)
        try:
            device = second_factor.prove(by=user, token=_token(request), caller=caller_of(request, "admin"))
        except Refused as refused:
            return self._page(request, error=refused.words, status=400)
        pass_second_factor(request, device)
        return HttpResponseRedirect(_next(request))

    def _enrol(self, request: HttpRequest, user: User) -> HttpResponse:
        if request.method != "POST":
            return self._page(request, **_picture(user))
        try:
            device, codes = second_factor.confirm(by=user, token=_token(request), caller=caller_of(request, "admin"))
        except Refused as refused:
            return self._page(request, error=refused.words, status=400, **_picture(user))
        pass_second_factor(request, device)
        return self._page(request, recovery_codes=codes)

    def recovery(self, request: HttpRequest) -> HttpResponse:
        """New recovery codes; only for those who have an app, and only by POST, since the old ones die."""
        if request.method != "POST":
            return self._page(request, asks_for_recovery=True)
        try:
            codes = second_factor.new_recovery_codes(by=cast(User, request.user), caller=caller_of(request, "admin"))
        except Refused as refused:
            return self._page(request, asks_for_recovery=True, error=refused.words, status=refused.status)
        return self._page(request, recovery_codes=codes)

    def _page(self, request: HttpRequest, status: int = 200, **context: Any) -> HttpResponse:
        context = {**self.each_context(request), "title": _("Second factor"), "next": _next(request), **context}
        return render(request, "accounts/second_factor.html", context, status=status)


def _token(request: HttpRequest) -> str:
    return request.POST.get("token", "")[:64]


def _picture(user: User) -> dict[str, Any]:
    """The app's secret as QR and as text; black on white, for cameras do not read the dark theme."""
    device = second_factor.enrolment(by=user)
    picture = segno.make(device.config_url, error="m").svg_inline(scale=5, border=3, dark="#000", light="#fff")
    return {"qr": picture, "secret": _readable(device.key)}


def _readable(key: str) -> str:
    """The secret in base32, in groups of four, for those who type it in."""
    text = b32encode(bytes.fromhex(key)).decode().rstrip("=")
    return " ".join(text[place : place + 4] for place in range(0, len(text), 4))


def _next(request: HttpRequest) -> str:
    """Where the person wanted to go; never off our host."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    is_ours = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    return wanted if is_ours else reverse("admin:index")
