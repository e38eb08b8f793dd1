"""Every path answers with and without its trailing slash, without a redirect (a redirected POST loses its body)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.urls import URLPattern
from django.urls.resolvers import RoutePattern


class OptionalSlash(RoutePattern):
    """A route that also matches with one slash more or less at its end."""

    def __init__(self, route: str, name: str | None = None, is_endpoint: bool = False) -> None:
        super().__init__(route, name=name, is_endpoint=is_endpoint)
        self._lead = route.partition("<")[0].rstrip("/")

    def match(self, path: str) -> Any:
        if not path.startswith(self._lead):  # nearly always: routes are tried one after the other
            return None
        found = super().match(path)
        if found is not None or not path or path.endswith("//"):
            return found
        return super().match(path[:-1] if path.endswith("/") else path + "/")


def path(route: str, view: Any, name: str | None = None, **kwargs: Any) -> URLPattern:
    """Like Django's `path`, for the canonical form of the contract; the other form answers too."""
    callback: Callable[..., Any] = view.as_view() if hasattr(view, "as_view") else view
    return URLPattern(OptionalSlash(route, name=name, is_endpoint=True), callback, kwargs, name)
