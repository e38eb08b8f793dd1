"""Buttons of the pages: a form, one action, its words; then back to where the person was."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponseRedirect, JsonResponse
from django.utils.functional import Promise
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _

from apps.core.errors import Refused
from apps.florist.models import Employee
from apps.florist.pages.desk import words_of


@dataclass(frozen=True)
class Deed:
    """What a button does: `do(by, subject, fields)` calls one action with the fields of a valid form."""

    do: Callable[[Employee, Any, dict[str, Any]], Any]
    form: type[forms.Form] = forms.Form
    said: str | Promise = ""


def perform(
    request: HttpRequest, deeds: Mapping[str, Deed], name: str, *, by: Employee, subject: Any, back: str
) -> Any:
    """Do what the button says and lead back; a queued one (sent after a break of the network) gets JSON."""
    deed = deeds.get(name)
    if deed is None:
        raise Http404
    problem, status = _done(request, deed, by, subject)
    if not problem and deed.said:
        messages.success(request, str(deed.said))
    if request.headers.get("X-Queued"):
        return JsonResponse({"words": problem}, status=status)
    if problem:
        messages.error(request, problem)
    return HttpResponseRedirect(next_of(request, back))


def _done(request: HttpRequest, deed: Deed, by: Employee, subject: Any) -> tuple[str, int]:
    """The words of what went wrong with their status, or nothing and 200."""
    form = deed.form(request.POST, request.FILES)
    if not form.is_valid():
        return problems_of(form), 422
    try:
        deed.do(by, subject, form.cleaned_data)
    except Refused as refused:
        return words_of(refused), refused.status
    return "", 200


def problems_of(form: forms.Form) -> str:
    """What is wrong with a form, in one line."""
    found = [f"{form.fields[name].label or name}: {' '.join(map(str, faults))}" for name, faults in form.errors.items()]
    return "; ".join(found) or _("Please check the form")


def next_of(request: HttpRequest, back: str) -> str:
    """Where the form wants to go, if that is a page of ours."""
    wanted = request.POST.get("next", "")
    is_ours = wanted.startswith("/desk/") and url_has_allowed_host_and_scheme(wanted, allowed_hosts=None)
    return wanted if is_ours else back
