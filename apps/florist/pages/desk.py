"""Who sits at the desk: a session of its own, the language and the time zone of his shop, and refusals as pages."""

from __future__ import annotations

import functools
import zoneinfo
from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.crypto import constant_time_compare

from apps.accounts import tokens
from apps.accounts.models import Session
from apps.core.errors import Refused
from apps.florist import access
from apps.florist.access import Area, Level
from apps.florist.conf import PRODUCT
from apps.florist.models import Employee
from apps.florist.pages import menu
from apps.florist.queries import seats

EMPLOYEE, PROOF, SINCE, SESSION = "florist_employee", "florist_proof", "florist_since", "florist_session"
LANGUAGE = "florist_language"
LANGUAGES = {"ru": "Русский", "kk": "Қазақша", "uz": "O‘zbekcha", "en": "English"}
"""What these pages speak, by the codes that `lang` attributes want."""
NOBODY = UUID(int=0)
OF_SHOP = {"kz": "kk"}
"""The word a shop's language has on the wire → its code."""
SIGNS = {"KZT": "₸", "USD": "$", "EUR": "€"}
"""How money is written after its amount."""

Need = tuple[Area, Level]
View = Callable[..., HttpResponse]


def enter(request: HttpRequest, employee: Employee, pair: tokens.Pair | None = None) -> None:
    """Remember who signed in under a fresh session key; it dies with his password and with his job.

    `pair` is what his proof opened; without one the page's socket opens a session of tokens when it asks.
    """
    leave(request)
    request.session.cycle_key()
    request.session[EMPLOYEE] = employee.pk
    request.session[PROOF] = employee.user.get_session_auth_hash()
    request.session[SINCE] = timezone.now().timestamp()
    if pair is not None:
        request.session[SESSION] = _family(pair)


def _family(pair: tokens.Pair) -> str:
    link = tokens.read(pair.access, PRODUCT).link
    return str(link.session_id) if link else ""


def leave(request: HttpRequest) -> None:
    """Forget whoever sat here, and end his session of tokens."""
    known = request.session.get(SESSION)
    if known:
        living = Session.objects.filter(pk=known, audience=PRODUCT, ended_at=None)
        living.update(ended_at=timezone.now(), end_reason="logout")
    for name in (EMPLOYEE, PROOF, SINCE, SESSION):
        request.session.pop(name, None)


def member_of(request: HttpRequest) -> Employee | None:
    """The employee of this session; role, switches and shop are read anew each time."""
    member = seats.at_work(request.session.get(EMPLOYEE))
    if member is None or not _is_still_good(request, member):
        return None
    return member


def _is_still_good(request: HttpRequest, member: Employee) -> bool:
    """Neither blocked, nor with a new password, nor signed out everywhere since."""
    known, since = str(request.session.get(PROOF, "")), float(request.session.get(SINCE, 0))
    mark = member.user.tokens_valid_from
    is_same = constant_time_compare(known, member.user.get_session_auth_hash())
    return is_same and member.user.is_active and (mark is None or since >= mark.timestamp())


def language_of(request: HttpRequest, member: Employee | None = None) -> str:
    """What he chose here, else his shop's, else his browser's."""
    chosen = request.session.get(LANGUAGE, "")
    if chosen in LANGUAGES:
        return str(chosen)
    if member is not None:
        return OF_SHOP.get(member.shop.language, member.shop.language)
    wanted = [part.split(";")[0].strip()[:2].lower() for part in request.headers.get("Accept-Language", "").split(",")]
    return next((code for code in wanted if code in LANGUAGES), "ru")


def for_anybody(view: View) -> View:
    """A page before the sign-in: its language, and refusals in words."""

    @functools.wraps(view)
    def spoken(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        with translation.override(language_of(request)):
            return _answered(request, functools.partial(view, request, *args, **kwargs))

    return spoken


def for_staff(*needs: Need) -> Callable[[View], View]:
    """Lead strangers to the sign-in and the wrong role to a plain no; the view gets the employee as `by`.

    One of the needs is enough; without any, everybody who works in a shop may come in.
    """

    def dress(view: View) -> View:
        @functools.wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            member = member_of(request)
            if member is None:
                return _to_the_door(request)
            zone = zoneinfo.ZoneInfo(member.shop.timezone)
            with translation.override(language_of(request, member)), timezone.override(zone):
                request.member = member  # type: ignore[attr-defined]
                return _answered(request, lambda: _checked(view, request, needs, member, args, kwargs))

        return guarded

    return dress


def _checked(view: View, request: HttpRequest, needs: tuple[Need, ...], by: Employee, args: Any, kwargs: Any) -> Any:
    if needs and not any(access.may(by, *need) for need in needs):
        access.ensure_may(by, *needs[0])
    return view(request, *args, by=by, **kwargs)


def _answered(request: HttpRequest, work: Callable[[], HttpResponse]) -> HttpResponse:
    """The view's answer or its refusal, in a page that names its language."""
    try:
        response = work()
    except Refused as refused:
        response = _refusal(request, refused)
    response.headers["Content-Language"] = translation.get_language()
    response.headers.setdefault("Cache-Control", "no-store, private")
    return response


def _refusal(request: HttpRequest, refused: Refused) -> HttpResponse:
    by = getattr(request, "member", None)
    context = {"words": words_of(refused), "by": by, "menu": menu.bar(by) if by else []}
    return render(request, "florist/refused.html", context, status=refused.status)


def _to_the_door(request: HttpRequest) -> HttpResponse:
    door = reverse("florist-pages:sign-in")
    if request.headers.get("HX-Request"):
        return HttpResponse(status=204, headers={"HX-Redirect": door})
    return HttpResponseRedirect(door)


def show(request: HttpRequest, template: str, *, by: Employee, here: str = "", status: int = 200, **more: Any) -> Any:
    """A page with its menu; `here` is the menu's word that is lit."""
    bar = menu.bar(by)
    lit = here if here in {item.name for item in bar} else menu.MORE.name
    sign = SIGNS.get(by.shop.currency, by.shop.currency)
    context = {"by": by, "shop": by.shop, "menu": bar, "here": lit, "sign": sign, **more}
    return render(request, template, context, status=status)


def did(request: HttpRequest, deed: Callable[[], Any], said: str) -> bool:
    """Run one action; its success or its refusal becomes a message of the next page."""
    try:
        deed()
    except Refused as refused:
        messages.error(request, words_of(refused))
        return False
    if said:
        messages.success(request, said)
    return True


def words_of(refused: Refused) -> str:
    """The refusal's message for people, with the flowers that are missing and the fields that are wrong."""
    parts = [refused.words]
    for short in getattr(refused, "shortages", ()):
        height = f" {short.height_cm}" if short.height_cm else ""
        parts.append(f"{short.variety}{height}: {short.available} / {short.needed}")
    parts += [str(error.get("msg", "")) for error in getattr(refused, "errors", [])]
    return ". ".join(filter(None, parts))


def live_token(request: HttpRequest, by: Employee) -> str:
    """A short access token for the page's socket; one session of tokens per sign-in at the desk."""
    now = timezone.now()
    known = Session.objects.select_related("user").filter(pk=request.session.get(SESSION) or NOBODY).first()
    if known is not None and known.is_alive(now):
        return tokens.pair_of(known, {}, now).access
    pair = tokens.issue(by.user, PRODUCT, by.pk, now=now)
    request.session[SESSION] = _family(pair)
    return pair.access
