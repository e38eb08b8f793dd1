"""Who sits at the desk: a session of its own, so that signing in here opens nothing of the back office."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from apps.tickets.models import Member
from apps.tickets.queries import members

MEMBER, PROOF, SINCE = "tickets_member", "tickets_proof", "tickets_since"
View = Callable[..., HttpResponse]


def enter(request: HttpRequest, member: Member) -> None:
    """Remember the member under a fresh session key; it dies with the password and with a sign-out everywhere."""
    request.session.cycle_key()
    request.session[SINCE] = timezone.now().timestamp()
    request.session[MEMBER] = str(member.pk)
    request.session[PROOF] = member.user.get_session_auth_hash()


def leave(request: HttpRequest) -> None:
    """Forget whoever sat here."""
    for name in (MEMBER, PROOF, SINCE):
        request.session.pop(name, None)


def member_of(request: HttpRequest) -> Member | None:
    """The living staff member of this session; rights are read anew each time."""
    member = members.living(request.session.get(MEMBER, ""))
    if member is None or not (member.is_active and member.user.is_active and member.is_staff_member):
        return None
    revoked = member.user.tokens_valid_from
    if revoked is not None and request.session.get(SINCE, 0) < revoked.timestamp():
        return None
    known = str(request.session.get(PROOF, ""))
    return member if constant_time_compare(known, member.user.get_session_auth_hash()) else None


def for_staff(view: View) -> View:
    """Lead strangers to the sign-in; the view gets the member as `by`."""

    @functools.wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        member = member_of(request)
        if member is None:
            return redirect("tickets-pages:sign-in")
        return view(request, *args, by=member, **kwargs)

    return guarded
