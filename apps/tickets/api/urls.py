"""Every path of the tickets as its clients call them (contract tickets 1); the slash at the end is free.

Words such as `tickets/my` and `tickets/nearby` stand before `tickets/<id>`.
"""

from __future__ import annotations

from django.urls import URLPattern

from apps.tickets.api import (
    analytics,
    auth,
    heat,
    notifications,
    open311,
    outcomes,
    people,
    photos,
    places,
    sla,
    teams,
    tickets,
)

app_name = "tickets"
urlpatterns: list[URLPattern] = [
    *places.urlpatterns,
    *photos.urlpatterns,
    *analytics.urlpatterns,
    *heat.urlpatterns,
    *sla.urlpatterns,
    *open311.urlpatterns,
    *auth.urlpatterns,
    *people.urlpatterns,
    *teams.urlpatterns,
    *tickets.urlpatterns,
    *outcomes.urlpatterns,
    *notifications.urlpatterns,
]
