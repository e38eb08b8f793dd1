"""The town picker (contract urgent 1.1 row 24)."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from apps.core.routing import path
from apps.core.wire import Shape, endpoint
from apps.urgent.api.base import UrgentView
from apps.urgent.queries import cities


class CitySearch(Shape):
    """`search`: a part of the name, any case."""

    search: Annotated[str, Field(min_length=1, max_length=100)] | None = None


class Cities(UrgentView):
    """Towns that people may post in."""

    tag = "cities"

    @endpoint(summary="List towns", query=CitySearch, login="none", answers={200: list[str]})
    def get(self, request: Any, *, query: CitySearch) -> list[str]:
        """Names in their order; all of them without `search`."""
        return cities.names(query.search or "")


urlpatterns = [
    path("api/cities", Cities, name="cities"),
]
