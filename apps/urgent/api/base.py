"""Base of the market's views: Telegram initData signs people in, `request.member` is the membership."""

from __future__ import annotations

from typing import Any, ClassVar

from apps.accounts.authentication import InitDataAuthentication
from apps.core.wire import View, Wire
from apps.urgent.actions import members
from apps.urgent.api.wire import WIRE
from apps.urgent.models import Member


class MemberByInitData(InitDataAuthentication):
    """Person and membership in one query: every signed-in request starts here."""

    along = ("urgent_member",)


class UrgentView(View):
    """One wire and one sign-in for the whole product (contract urgent 1.0)."""

    wire: ClassVar[Wire] = WIRE
    tag = "urgent"
    authentication_classes = (MemberByInitData,)

    def membership(self, user: Any) -> Member:
        """The member row; a person who comes for the first time joins (contract urgent 1.1, row 10)."""
        return members.join(user=user)
