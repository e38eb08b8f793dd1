"""What became of our texts, as their vendor tells it (contract integrations 5)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from apps.accounts import actions as accounts
from apps.integrations import eskiz as vendor
from apps.notifications import actions

LONGEST_BODY = 10_000
NOT_FOUND = {"detail": "Not Found"}


@csrf_exempt
@require_POST
def eskiz(request: HttpRequest, secret: str) -> HttpResponse:
    """Eskiz signs nothing: whoever knows the address is Eskiz. Codes and messages are looked through for the text.

    200 also for late words and repeats; 404 without the secret and for texts that are not ours; 400 for anything else.
    """
    if not vendor.is_genuine_callback(secret):
        return JsonResponse(NOT_FOUND, status=404)
    report = vendor.read_callback(_fields(request))
    if report is None:
        return JsonResponse({"detail": "Not a report"}, status=400)
    if accounts.note_report(report=report) or actions.note_report(report=report):
        return JsonResponse({"status": "ok"})
    return JsonResponse(NOT_FOUND, status=404)


def _fields(request: HttpRequest) -> Mapping[str, Any]:
    """JSON or a form, as the vendor likes; nothing for anything else."""
    if request.content_type != "application/json":
        return {name: str(value) for name, value in request.POST.items()}
    try:
        told = orjson.loads(request.body[:LONGEST_BODY])
    except (ValueError, RequestDataTooBig):
        return {}
    return told if isinstance(told, dict) else {}
