"""What gateways call: proof, receipt, action, and the answer in the gateway's own form.

OCTO's notice is mounted by products at the paths of their clients (`actions.receive_notice` is the one call).
"""

from __future__ import annotations

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from apps.payments import actions

LONGEST_BODY = 200_000


@csrf_exempt
def payme(request: HttpRequest) -> HttpResponse:
    """Payme's JSON-RPC; always 200, whatever Content-Type says (contract integrations 2)."""
    answer = actions.answer_payme(
        raw=_body(request),
        authorization=request.headers.get("Authorization", ""),
        is_post=request.method == "POST",
    )
    return JsonResponse(answer)


@csrf_exempt
@require_POST
def click_prepare(request: HttpRequest) -> HttpResponse:
    """Click's Prepare; always 200 (contract integrations 3)."""
    return JsonResponse(actions.answer_click(fields=_form(request), action=0))


@csrf_exempt
@require_POST
def click_complete(request: HttpRequest) -> HttpResponse:
    """Click's Complete; always 200."""
    return JsonResponse(actions.answer_click(fields=_form(request), action=1))


def _body(request: HttpRequest) -> bytes:
    """The raw bytes; nothing past a size that no gateway needs."""
    try:
        return request.body if len(request.body) <= LONGEST_BODY else b""
    except RequestDataTooBig:
        return b""


def _form(request: HttpRequest) -> dict[str, str]:
    return {name: str(value) for name, value in request.POST.items()}
