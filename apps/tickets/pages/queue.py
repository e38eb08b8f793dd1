"""The desk of support and managers: sign-in, the queue with its map, merging, the heat map."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.accounts.kit import caller_of
from apps.core.errors import Refused
from apps.tickets import access
from apps.tickets.actions import duplicates, sessions, tickets
from apps.tickets.conf import PRODUCT
from apps.tickets.models import Member
from apps.tickets.pages import desk
from apps.tickets.pages.city import filter_of
from apps.tickets.pages.desk import for_staff
from apps.tickets.pages.forms import Filter, Merge, Move, Period, Sides, SignIn, wanted
from apps.tickets.queries import maps, queue


@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """GET, POST /desk/tickets/sign-in: by e-mail and password, for support and managers."""
    form = SignIn(request.POST or None)
    if request.method == "POST" and form.is_valid() and _entered(request, form):
        return redirect("tickets-pages:queue")
    status = 200 if request.method != "POST" else 422
    return render(request, "tickets/sign_in.html", {"form": form}, status=status)


def _entered(request: HttpRequest, form: SignIn) -> bool:
    try:
        entrance = sessions.log_in(**form.cleaned_data, caller=caller_of(request, PRODUCT), staff_only=True)
    except Refused as refused:
        form.add_error(None, refused.words)
        return False
    if entrance.member is not None:
        desk.enter(request, entrance.member)
    return entrance.member is not None


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """POST /desk/tickets/sign-out."""
    desk.leave(request)
    return redirect("tickets-pages:sign-in")


@require_safe
@for_staff
def work(request: HttpRequest, *, by: Member) -> HttpResponse:
    """GET /desk/tickets/: what the team (a manager: everybody) has to do, oldest promise first."""
    return _listed(request, by)


@require_safe
@for_staff
def free(request: HttpRequest, *, by: Member) -> HttpResponse:
    """GET /desk/tickets/free: what no team has, for support to claim and for managers to give away."""
    return _listed(request, by, is_free=True)


def _listed(request: HttpRequest, by: Member, *, is_free: bool = False) -> HttpResponse:
    form = Filter(request.GET)
    page = queue.page(by=by, **form.chosen(), is_free=is_free)
    template = "tickets/_queue.html" if request.htmx else "tickets/queue.html"  # type: ignore[attr-defined]
    shown = {"form": form, "page": page, "query": filter_of(request), "member": by, "is_free": is_free}
    return render(request, template, shown)


@require_POST
@for_staff
def move(request: HttpRequest, ticket_id: UUID, *, by: Member) -> HttpResponse:
    """POST /desk/tickets/<id>/status: one step; htmx gets the row anew, other browsers the queue."""
    form = Move(request.POST)
    problem = _moved(form, ticket_id, by) if form.is_valid() else _("Please check the form")
    if request.htmx:  # type: ignore[attr-defined]
        row = queue.row(by=by, ticket_id=ticket_id)
        return render(request, "tickets/_queue_row.html", {"row": row, "problem": problem})
    if problem:
        messages.error(request, problem)
    else:
        messages.success(request, _("Done"))
    return redirect("tickets-pages:queue")


def _moved(form: Move, ticket_id: UUID, by: Member) -> str:
    """The words of the refusal, or nothing."""
    status, comment = form.cleaned_data["status"], form.cleaned_data["comment"] or None
    try:
        tickets.change_status(by=by, ticket_id=ticket_id, status=status, comment=comment)
    except Refused as refused:
        return refused.words
    return ""


@require_http_methods(["GET", "HEAD", "POST"])
@for_staff
def merge(request: HttpRequest, ticket_id: UUID, *, by: Member) -> HttpResponse:
    """GET, POST /desk/tickets/<id>/merge: a manager says which ticket it is a duplicate of, and why."""
    if not access.can("merge", by):
        raise PermissionDenied
    row = queue.row(by=by, ticket_id=ticket_id)
    if row is None:
        raise Http404
    form = Merge(request.POST or None, nearby=maps.duplicates(ticket_id=ticket_id, limit=maps.NEAREST))
    if request.method == "POST" and form.is_valid() and _merged(form, ticket_id, by):
        messages.success(request, _("Done"))
        return redirect("tickets-pages:queue")
    status = 200 if request.method != "POST" else 422
    return render(request, "tickets/merge.html", {"form": form, "row": row, "member": by}, status=status)


def _merged(form: Merge, ticket_id: UUID, by: Member) -> bool:
    given = form.cleaned_data
    try:
        duplicates.merge(by=by, duplicate_id=ticket_id, original_id=given["original"], reason=given["reason"])
    except Refused as refused:
        form.add_error(None, refused.words)
        return False
    return True


@require_safe
@for_staff
def heat(request: HttpRequest, *, by: Member) -> HttpResponse:
    """GET /desk/tickets/heat: hexagons of the city, and the hottest districts in words."""
    form = Period(request.GET or {"days": 30})
    rows = maps.hottest_districts(wanted(form))
    template = "tickets/_hottest.html" if request.htmx else "tickets/heat.html"  # type: ignore[attr-defined]
    return render(request, template, {"form": form, "rows": rows, "member": by})


@require_safe
@for_staff
def hexagons(request: HttpRequest, *, by: Member) -> HttpResponse:
    """GET /desk/tickets/heat.json: GeoJSON for a window and a zoom."""
    sides = Sides(request.GET)
    window = sides.window()
    if window is None:
        return JsonResponse({"detail": "south, west, north and east are required"}, status=422)
    body = maps.heat_hexagons(wanted(Period(request.GET), window), zoom=sides.cleaned_data["zoom"] or 11)
    return HttpResponse(body, content_type="application/json")
