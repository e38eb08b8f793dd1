"""Consumers of the tests, also served by real processes in test_processes."""

from __future__ import annotations

from typing import Any

from apps.core.errors import NotAllowed, Unauthenticated
from apps.notifications.consumers import HouseConsumer, Proof, Visitor
from apps.notifications.tests.cast import PRODUCT


class Bazaar(HouseConsumer):
    """The token is the person's number; "bad" is nobody, "barred" is somebody who may not."""

    product = PRODUCT
    proofs = ("header", "subprotocol", "query", "frame")

    def authenticate(self, proof: Proof) -> Visitor:
        if proof.token == "barred":
            raise NotAllowed()
        if not proof.token.isdigit():
            raise Unauthenticated()
        return Visitor(user_id=int(proof.token))

    def groups(self, visitor: Visitor) -> list[str]:
        return ["bazaar.everyone"]

    def frame_of(self, row: dict[str, Any]) -> dict[str, Any]:
        return {"notification_id": row["id"], "title": row["title"], "payload": row["payload"]}

    async def received(self, frame: dict[str, Any]) -> None:
        if "say" in frame:
            self.send_json({"heard": frame["say"]})


class Doorman(Bazaar):
    """Refuses before the upgrade, as loyalty's contract wants."""

    proofs = ("header",)
    refuses_handshake = True


class Tracker(Bazaar):
    """Public: no proof, no person."""

    proofs = ("open",)

    def authenticate(self, proof: Proof) -> Visitor:
        return Visitor(user_id=0)
