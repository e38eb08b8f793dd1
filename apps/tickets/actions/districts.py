"""The outline of a district."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import orjson
import shapely
from django.db import transaction
from django.utils import timezone
from shapely.errors import ShapelyError
from shapely.geometry import Point

from apps.core import geo
from apps.core.access import ensure
from apps.tickets import access, errors
from apps.tickets.models import District, Ticket
from apps.tickets.queries import districts, kept, maps

KINDS = frozenset({"Polygon", "MultiPolygon"})


def set_area(*, by: Any, district_id: UUID, area: Mapping[str, Any] | None) -> District:
    """Give a district its outline as GeoJSON, or take it away with `None`.

    Tickets keep the district that they have; those inside the outline that have none get this one.
    Raises `ManagersOnly`, `DistrictNotFound`, `NotAnOutline`.
    """
    access.ensure_can("manage", by)
    with transaction.atomic():
        district = District.objects.select_for_update(of=("self",)).filter(pk=district_id).first()
        if district is None:
            raise errors.DistrictNotFound()
        district.area = None if area is None else _outline(area, district)
        district.updated_at = timezone.now()
        district.save(update_fields=["area", "updated_at"])
        _adopt(district)
        districts.forget()
        kept.forget()
    return district


def _adopt(district: District) -> None:
    if district.area is None:
        return
    area = districts.outline(orjson.dumps(district.area).decode())
    homeless = maps.without_district(geo.cover(area, geo.RESOLUTION))
    inside = [ticket_id for ticket_id, latitude, longitude in homeless if area.covers(Point(longitude, latitude))]
    Ticket.objects.filter(pk__in=inside, district=None).update(district=district)


def _outline(area: Mapping[str, Any], district: District) -> dict[str, Any]:
    """A valid polygon that holds the district's centre, in six decimals."""
    try:
        found = geo.polygon(dict(area))
    except (ShapelyError, ValueError, TypeError, KeyError, AttributeError, IndexError) as problem:
        raise errors.NotAnOutline() from problem
    ensure(found.geom_type in KINDS and found.is_valid and not found.is_empty, errors.NotAnOutline)
    ensure(found.covers(Point(district.longitude, district.latitude)), errors.NotAnOutline)
    return dict(shapely.geometry.mapping(shapely.set_precision(found, 1e-6)))
