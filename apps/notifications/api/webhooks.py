"""What became of our texts, as their vendor tells it (contract integrations 5 and 6)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from apps.accounts import actions as accounts
from apps.integrations import eskiz as eskiz_vendor
from apps.integrations import twilio as twilio_vendor
from apps.integrations.ports import SmsReport
from apps.notifications import actions

LONGEST_BODY = 10_000
OK = {"status": "ok"}
NOT_FOUND = {"detail": "Not Found"}
NO_REPORT = {"detail": "Not a report"}


@csrf_exempt
@require_POST
def eskiz(request: HttpRequest, secret: str) -> HttpResponse:
    """Eskiz signs nothing: whoever knows the address is Eskiz. Codes and messages are looked through for the text.

    200 also for late words and repeats; 404 without the secret and for texts that are not ours; 400 for anything else.
    """
    if not eskiz_vendor.is_genuine_callback(secret):
        return JsonResponse(NOT_FOUND, status=404)
    report = eskiz_vendor.read_callback(_fields(request))
    if report is None:
        return JsonResponse(NO_REPORT, status=400)
    return JsonResponse(OK) if _note(report) else JsonResponse(NOT_FOUND, status=404)


@csrf_exempt
@require_POST
def twilio(request: HttpRequest) -> HttpResponse:
    """Twilio signs the public address and the form. It reports once, in any order, whatever we answer.

    200 also for late words, repeats and texts that are not ours (a code whose row is gone, another installation of the
    account); 403 for a wrong signature; 400 for what is no report.
    """
    address = settings.INTEGRATIONS.twilio_status_callback_url
    signature = request.headers.get("X-Twilio-Signature", "")
    if not twilio_vendor.is_genuine_callback(address, request.POST, signature):
        return JsonResponse({"detail": "Wrong signature"}, status=403)
    report = twilio_vendor.read_callback(request.POST)
    if report is None:
        return JsonResponse(NO_REPORT, status=400)
    return JsonResponse(OK if _note(report) else {"status": "ignored"})


def _note(report: SmsReport) -> bool:
    """Codes and messages are looked through for the text."""
    return accounts.note_report(report=report) or actions.note_report(report=report)


def _fields(request: HttpRequest) -> Mapping[str, Any]:
    """JSON or a form, as the vendor likes; nothing for anything else."""
    if request.content_type != "application/json":
        return {name: str(value) for name, value in request.POST.items()}
    try:
        told = orjson.loads(request.body[:LONGEST_BODY])
    except (ValueError, RequestDataTooBig):
        return {}
    return told if isinstance(told, dict) else {}
