"""In and out of the pages: by a code or a password, one shop of several, the language."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.accounts.kit import caller_of
from apps.core.errors import Refused
from apps.florist import errors
from apps.florist.actions import sessions
from apps.florist.conf import PRODUCT
from apps.florist.models import Employee
from apps.florist.pages import desk, menu
from apps.florist.pages.deeds import next_of
from apps.florist.pages.desk import for_anybody, for_staff, show
from apps.florist.pages.forms import SignIn
from apps.florist.queries import seats


@require_http_methods(["GET", "HEAD", "POST"])
@for_anybody
def sign_in(request: HttpRequest) -> HttpResponse:
    """GET, POST /desk/florist/sign-in: first the phone, then a code; or a password beside the phone."""
    form = SignIn(request.POST if request.method == "POST" else None)
    way = request.POST.get("way", "")
    is_code_sent = way == "code"
    if request.method == "POST" and form.is_for(way):
        try:
            if way == "ask":
                sessions.request_code(phone=form.cleaned_data["phone"], caller=caller_of(request, PRODUCT))
                is_code_sent = True
            else:
                return _entered(request, form.cleaned_data, way)
        except Refused as refused:
            form.add_error(None, desk.words_of(refused))
    context = {"form": form, "is_code_sent": is_code_sent, **languages(request)}
    return render(request, "florist/sign_in.html", context, status=422 if form.errors else 200)


def _entered(request: HttpRequest, fields: dict[str, Any], way: str) -> HttpResponse:
    """Raises what the sign-in raises, and `EmployeeNotFound` for a phone that works nowhere."""
    caller = caller_of(request, PRODUCT)
    if way == "code":
        entrance = sessions.prove_phone(phone=fields["phone"], code=fields["code"], caller=caller)
    else:
        entrance = sessions.log_in(identifier=fields["phone"], password=fields["password"], caller=caller)
    if entrance.employee is None:
        raise errors.EmployeeNotFound()
    desk.enter(request, entrance.employee, entrance.pair)
    return redirect("florist-pages:shop" if len(seats.of_person(entrance.employee.user)) > 1 else "florist-pages:home")


def languages(request: HttpRequest, by: Employee | None = None) -> dict[str, Any]:
    """What the choice of languages shows."""
    return {"languages": desk.LANGUAGES, "language": desk.language_of(request, by)}


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """POST /desk/florist/sign-out."""
    desk.leave(request)
    return redirect("florist-pages:sign-in")


@require_POST
def language(request: HttpRequest) -> HttpResponse:
    """POST /desk/florist/language: kept as long as the session."""
    wanted = request.POST.get("language", "")
    if wanted in desk.LANGUAGES:
        request.session[desk.LANGUAGE] = wanted
    return HttpResponseRedirect(next_of(request, "/desk/florist/sign-in"))


@require_safe
@for_staff()
def home(request: HttpRequest, *, by: Employee) -> HttpResponse:
    """GET /desk/florist/home: the first page of this role."""
    return HttpResponseRedirect(menu.home(by))


@require_http_methods(["GET", "HEAD", "POST"])
@for_staff()
def shop(request: HttpRequest, *, by: Employee) -> HttpResponse:
    """GET, POST /desk/florist/shop: which of one's shops to sit in. Another person's place is no place."""
    places = seats.of_person(by.user)
    if request.method != "POST":
        return show(request, "florist/shops.html", by=by, here="more", places=places)
    chosen = next((place for place in places if str(place.pk) == request.POST.get("employee")), None)
    if chosen is None:
        raise errors.ShopNotFound()
    desk.enter(request, chosen)
    messages.success(request, _("You are in “%(shop)s”") % {"shop": chosen.shop.name})
    return HttpResponseRedirect(menu.home(chosen))


@require_safe
@for_staff()
def more(request: HttpRequest, *, by: Employee) -> HttpResponse:
    """GET /desk/florist/more: all pages, languages, the way out."""
    context = {"items": menu.everything(by), "places": seats.of_person(by.user), **languages(request, by)}
    return show(request, "florist/more.html", by=by, here="more", **context)
