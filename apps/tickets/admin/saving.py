"""Forms and buttons for whoever manages the city; rows are written by actions alone."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from apps.core.admin import ActingAdmin
from apps.tickets import access


class CityAdmin(ActingAdmin):
    """What the actions would refuse is not offered either."""

    def has_manage_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return access.can("manage", request.user)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) and access.can("manage", request.user)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and access.can("manage", request.user)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and access.can("manage", request.user)
