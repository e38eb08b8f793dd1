"""The guests' socket: missed messages oldest first, then live ones (contract loyalty 3.10).

The proof is an `Authorization: Bearer` header, or for browsers the subprotocols `bearer, <token>`; a browser that
can offer neither opens `?auth=frame` and sends `{"type": "auth", "token": "…"}` first. Without a proof the handshake
is refused with HTTP 403. What clients send is read and ignored.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django.urls import re_path

from apps.accounts.authentication import BearerAuthentication
from apps.loyalty import access
from apps.loyalty.actions import doors, messages
from apps.loyalty.conf import PRODUCT
from apps.notifications.consumers import HouseConsumer, Proof, Visitor


class GuestByToken(BearerAuthentication):
    """Tokens of this product; the demo's belong to nobody."""

    audience = PRODUCT


class InboxConsumer(HouseConsumer):
    """`/api/v1/notifications/ws`, also under the product base."""

    product = PRODUCT
    proofs: ClassVar[tuple[str, ...]] = ("header", "subprotocol")
    refuses_handshake = True
    ping_seconds = 0  # the mobile client reads every frame as a message

    def authenticate(self, proof: Proof) -> Visitor:
        """A living guest with an access token of this product; staff and the demo's guest have no inbox."""
        user, shown = GuestByToken().prove(proof.token)
        member = doors.member(user, shown)
        access.ensure_client(member)
        return Visitor(user_id=user.pk, member=member)

    def frame_of(self, row: dict[str, Any]) -> dict[str, Any]:
        """A message as the mobile client expects it."""
        return {
            "notification_id": row["id"],
            "title": row["title"],
            "description": row["body"],
            "payload": row["payload"] or {},
            "language": row["language"],
            "type": messages.shown_kind(row["kind"]),
        }


class AskingConsumer(InboxConsumer):
    """The same for browsers that prove themselves in the first frame."""

    proofs = ("header", "subprotocol", "frame")


_plain, _asking = InboxConsumer.as_asgi(), AskingConsumer.as_asgi()


async def inbox(scope: Any, receive: Any, send: Any) -> None:
    """Whoever says so in the address may prove themselves later; everybody else is refused at once."""
    will_prove_later = "auth=frame" in scope.get("query_string", b"").decode("latin-1").split("&")
    await (_asking if will_prove_later else _plain)(scope, receive, send)


websocket_urlpatterns = [re_path(r"^(?:loyalty/)?api/v1/notifications/ws/?$", inbox)]  # type: ignore[arg-type]  # an ASGI application
