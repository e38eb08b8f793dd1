"""Answers that are bytes already: with an ETag, and 304 for whoever has them (contract loyalty 3.12)."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse

from apps.core.kept import Kept


def kept_answer(request: Any, kept: Kept, *, seconds: int) -> HttpResponse:
    """The bytes; clients may use them for `seconds` without asking."""
    headers = {"ETag": kept.etag, "Cache-Control": f"public, max-age={seconds}"}
    given = request.META.get("HTTP_IF_NONE_MATCH", "")
    if kept.etag in (mark.strip().removeprefix("W/") for mark in given.split(",")):
        return HttpResponse(status=304, headers=headers)
    return HttpResponse(kept.body, content_type="application/json", headers=headers)
