"""What staff does at the desk beside moving a ticket: claim it, hand it over, ask the managers to decide."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from apps.core.errors import Refused
from apps.tickets.actions import escalations, tickets
from apps.tickets.models import Member
from apps.tickets.pages.desk import for_staff
from apps.tickets.pages.forms import Ask, HandOver
from apps.tickets.queries import queue


@require_POST
@for_staff
def claim(request: HttpRequest, ticket_id: UUID, *, by: Member) -> HttpResponse:
    """POST /desk/tickets/<id>/claim: a free ticket for one's own team."""
    if by.team_id is None:
        raise PermissionDenied
    try:
        tickets.assign(by=by, ticket_id=ticket_id, team_id=by.team_id)
    except Refused as refused:
        messages.error(request, refused.words)
        return redirect("tickets-pages:free")
    messages.success(request, _("Done"))
    return redirect("tickets-pages:queue")


@require_http_methods(["GET", "HEAD", "POST"])
@for_staff
def hand_over(request: HttpRequest, ticket_id: UUID, *, by: Member) -> HttpResponse:
    """GET, POST /desk/tickets/<id>/hand-over: to another team, by a manager or by the team that has it."""

    def deed(team: UUID) -> None:
        tickets.assign(by=by, ticket_id=ticket_id, team_id=team)

    words = {"title": _("Hand over"), "note": _("The other team is told; it has the ticket from now on.")}
    return _asked(request, ticket_id, by, HandOver(request.POST or None), deed, words)


@require_http_methods(["GET", "HEAD", "POST"])
@for_staff
def ask(request: HttpRequest, ticket_id: UUID, *, by: Member) -> HttpResponse:
    """GET, POST /desk/tickets/<id>/ask: the team that has it wants the managers to decide."""

    def deed(reason: str) -> None:
        escalations.request(by=by, ticket_id=ticket_id, reason=reason)

    words = {"title": _("Ask for a decision"), "note": _("The managers are told; the ticket waits until they decide.")}
    return _asked(request, ticket_id, by, Ask(request.POST or None), deed, words)


def _asked(
    request: HttpRequest,
    ticket_id: UUID,
    by: Member,
    form: forms.Form,
    deed: Callable[..., None],
    words: dict[str, Any],
) -> HttpResponse:
    """The form on a page of its own, and back to the queue when the deed is done."""
    row = queue.row(by=by, ticket_id=ticket_id)
    if row is None:
        raise Http404
    if request.method == "POST" and form.is_valid() and _done(form, deed):
        messages.success(request, _("Done"))
        return redirect("tickets-pages:queue")
    status = 200 if request.method != "POST" else 422
    return render(request, "tickets/deed.html", {"form": form, "row": row, **words}, status=status)


def _done(form: forms.Form, deed: Callable[..., None]) -> bool:
    try:
        deed(**form.cleaned_data)
    except Refused as refused:
        form.add_error(None, refused.words)
        return False
    return True
