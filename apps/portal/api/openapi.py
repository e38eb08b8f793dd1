"""The OpenAPI documents as files."""

from __future__ import annotations

import hashlib

from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.views.decorators.http import require_safe

from apps.portal import schemas


@require_safe
def openapi(request: HttpRequest, product: str = "") -> HttpResponse:
    """GET openapi.json of one product, or of the whole house."""
    raw = schemas.document(product)
    tag = f'"{hashlib.sha256(raw).hexdigest()[:20]}"'
    headers = {"ETag": tag, "Cache-Control": "no-cache", "Access-Control-Allow-Origin": "*"}
    if request.headers.get("If-None-Match") == tag:
        return HttpResponseNotModified(headers=headers)
    return HttpResponse(raw, content_type="application/json", headers=headers)
