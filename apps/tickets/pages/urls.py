"""Addresses of the pages; the API's stand in `apps/tickets/api/urls.py`."""

from __future__ import annotations

from apps.core.routing import path
from apps.tickets.pages import city, handing, queue

app_name = "tickets-pages"
urlpatterns = [
    path("city/", city.city_map, name="city"),
    path("city/markers", city.markers, name="markers"),
    path("city/tickets/<uuid:ticket_id>", city.ticket, name="ticket"),
    path("desk/tickets/sign-in", queue.sign_in, name="sign-in"),
    path("desk/tickets/sign-out", queue.sign_out, name="sign-out"),
    path("desk/tickets/", queue.work, name="queue"),
    path("desk/tickets/free", queue.free, name="free"),
    path("desk/tickets/heat", queue.heat, name="heat"),
    path("desk/tickets/heat.json", queue.hexagons, name="hexagons"),
    path("desk/tickets/<uuid:ticket_id>/status", queue.move, name="move"),
    path("desk/tickets/<uuid:ticket_id>/merge", queue.merge, name="merge"),
    path("desk/tickets/<uuid:ticket_id>/claim", handing.claim, name="claim"),
    path("desk/tickets/<uuid:ticket_id>/hand-over", handing.hand_over, name="hand-over"),
    path("desk/tickets/<uuid:ticket_id>/ask", handing.ask, name="ask"),
]
