"""The members' socket: the inbox, as it fills; clients that only poll miss nothing (contract tickets 9).

`/ws/tickets/`, also under the product base. The access token comes as a header, a subprotocol, or in the first frame:
`{"type": "auth", "token": "…"}`. Frames out are notifications in the shape of the inbox.
"""

from __future__ import annotations

from typing import Any

from django.urls import re_path

from apps.notifications.consumers import HouseConsumer, Proof, Visitor
from apps.tickets import errors
from apps.tickets.api.base import TicketsBearer
from apps.tickets.conf import PRODUCT
from apps.tickets.queries import members


class InboxConsumer(HouseConsumer):
    """One's own notifications."""

    product = PRODUCT

    def authenticate(self, proof: Proof) -> Visitor:
        """The member of this token, by the same rules as over HTTP; the socket ends with it."""
        user, found = TicketsBearer().prove(proof.token)
        member = members.of_person(user)
        if member is None or not member.is_active:
            raise errors.MemberGone()
        return Visitor(user_id=user.pk, member=member, expires_at=found.expires_at)

    def frame_of(self, row: dict[str, Any]) -> dict[str, Any]:
        """The words of the inbox."""
        return {
            "type": "notification",
            "id": row["public_id"],
            "ticket_id": row["payload"].get("ticket_id"),
            "notification_type": row["kind"],
            "title": row["title"],
            "message": row["body"],
            "created_at": row["created_at"],
        }


websocket_urlpatterns = [re_path(r"^(?:tickets/)?ws/tickets/?$", InboxConsumer.as_asgi())]
