"""What nobody else answers: unknown paths and our own failures, as JSON for programs."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, JsonResponse


def not_found(request: HttpRequest, exception: Any = None) -> JsonResponse:
    """404 in the words that FastAPI clients know."""
    return JsonResponse({"detail": "Not Found"}, status=404)


def bad_request(request: HttpRequest, exception: Any = None) -> JsonResponse:
    """400 for requests that Django itself refuses."""
    return JsonResponse({"detail": "Bad Request"}, status=400)


def server_error(request: HttpRequest) -> JsonResponse:
    """500: our fault; the log has the request id."""
    return JsonResponse({"detail": "Internal Server Error"}, status=500)
