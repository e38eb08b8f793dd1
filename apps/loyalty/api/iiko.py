"""The restaurant's system calls us, and managers call it (contract loyalty 1.6, rows 65 and 66; 1.4, row 33)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Literal

from drf_spectacular.utils import extend_schema
from pydantic import BaseModel, BeforeValidator, Field

from apps.core import phones
from apps.core.errors import Invalid
from apps.core.routing import path
from apps.core.throttle import Limit
from apps.core.wire import Shape, endpoint, read_json, read_shape
from apps.integrations.ports import port
from apps.loyalty import errors
from apps.loyalty.actions import doors, iiko_notices, iiko_sync_now
from apps.loyalty.actions.iiko_notices import Answer, Heard
from apps.loyalty.api.base import LoyaltyView, ManagerView
from apps.loyalty.api.wire import IIKO_WIRE, Id, LoyaltyWire
from apps.loyalty.queries import iiko as questions

NOTICE_LIMIT = Limit(6000, 60)
CHECK_LIMIT = Limit(60, 60)
"""Per address. Notices come in bursts from few machines; questions about guests are no way to try numbers."""

SECRET_HEADER = "HTTP_X_IIKO_SECRET"  # noqa: S105 - the header's name
LARGEST_SUM = Decimal(10**10)
UNPRINTABLE = re.compile("[\x00-\x1f\x7f]")
"""What no id and no number of an order means to say, and the ledger does not take."""


def _text(given: Any) -> Any:
    """Ids come as texts or numbers; anything else is refused by the shape."""
    return str(given) if isinstance(given, int) and not isinstance(given, bool) else given


def _phone(given: Any) -> Any:
    """One spelling; a number of another country stays as it came and agrees with nobody's."""
    if not given:
        return ""
    try:
        return doors.guest_phone(str(_text(given)))
    except phones.InvalidPhone:
        return str(given)


def _moment(given: Any) -> datetime | None:
    return iiko_notices.moment(given) if isinstance(given, str) else None


def _or_empty(given: Any) -> Any:
    text = "" if given is None else _text(given)
    return UNPRINTABLE.sub("", text) if isinstance(text, str) else text


Text = Annotated[str, BeforeValidator(_or_empty), Field(max_length=128)]
ShortText = Annotated[str, BeforeValidator(_or_empty), Field(max_length=64)]
Number = Annotated[str, BeforeValidator(_phone), Field(max_length=20)]
Sum = Annotated[Decimal | None, Field(gt=-LARGEST_SUM, lt=LARGEST_SUM, allow_inf_nan=False)]


class Notice(Shape):
    """What iiko posts about a purse."""

    transactionType: Annotated[str, Field(min_length=1, max_length=40)]
    sum: Sum = None
    balance: Sum = None
    walletId: ShortText = ""
    customerId: ShortText = ""
    id: Text = ""
    uocId: Text = ""
    orderId: ShortText = ""
    orderNumber: ShortText = ""
    terminalGroupId: ShortText = ""
    changedOn: Annotated[datetime | None, BeforeValidator(_moment)] = None
    phone: Number = ""
    subscriptionPassword: Text = ""

    def heard(self) -> Heard:
        """In our words."""
        return Heard(
            kind=self.transactionType,
            amount=None if self.sum is None else round(self.sum, 2),
            balance=None if self.balance is None else round(self.balance, 2),
            event_id=self.id,
            uoc_id=self.uocId,
            customer_id=self.customerId,
            wallet_id=self.walletId,
            phone=self.phone,
            order_id=self.orderId,
            order_number=self.orderNumber,
            terminal_group_id=self.terminalGroupId,
            changed_on=self.changedOn,
        )


class NoticeRead(Shape):
    """What became of a notice."""

    status: Literal["processed", "ignored"]
    transactionType: str
    transaction_id: str | None = None
    amount: str | None = None
    reason: str | None = None


class Question(Shape):
    """Whom iiko asks about."""

    walletId: ShortText = ""
    customerId: ShortText = ""
    phone: Number = ""
    subscriptionPassword: Text = ""


class GuestRead(Shape):
    """A guest of ours, as iiko reads it."""

    id: str
    phone: str
    customerId: str | None


class Operation(Shape):
    """One step of a synchronisation."""

    operation: str
    status: str
    reason: str | None = None


class SyncRead(Shape):
    """What a synchronisation did; failures are told here, with status 200."""

    success: bool
    updated: bool
    changed_fields: list[str]
    warnings: list[str]
    error: str | None
    correlation_id: str
    operations: list[Operation]
    user_id: int
    phone: str | None
    iiko_customer_id: str | None
    iiko_wallet_id: str | None


class ClientPath(Shape):
    """Which guest."""

    client_id: Id


class IikoView(LoyaltyView):
    """Plain words in refusals; every malformed body is a 400."""

    wire: ClassVar[LoyaltyWire] = IIKO_WIRE
    tag = "loyalty: iiko"

    def read(self, request: Any, shape: type[BaseModel]) -> Any:
        """The body. Raises `NoticeUnreadable`, `NoticeForged`."""
        try:
            found = read_shape(shape, read_json(request), "body")
        except Invalid as problem:
            raise errors.NoticeUnreadable() from problem
        shown = request.META.get(SECRET_HEADER, "") or getattr(found, "subscriptionPassword", "")
        if not port("loyalty_system").is_genuine(shown):
            raise errors.NoticeForged()
        return found


class Webhook(IikoView):
    """`POST iiko/webhook`."""

    @extend_schema(request=Notice)
    @endpoint(
        limit=NOTICE_LIMIT,
        answers={200: NoticeRead},
        refusals=[
            *(errors.NoticeUnreadable, errors.NoticeForged, errors.NoticeWithoutGuest),
            *(errors.NoticeWithoutSum, errors.GuestUnknown),
        ],
        summary="A purse moved in iiko",
    )
    def post(self, request: Any) -> dict[str, Any]:
        """Posted once, in whatever order notices come; a guest whom we do not know is 404 until we do."""
        return notice_read(iiko_notices.receive(heard=self.read(request, Notice).heard()))


def notice_read(answer: Answer) -> dict[str, Any]:
    """What became of it; the number of the movement and its sum leave as texts."""
    told: dict[str, Any] = {"status": answer.status, "transactionType": answer.kind}
    if answer.reason:
        told["reason"] = answer.reason
    if answer.transaction_id is not None:
        told |= {"transaction_id": str(answer.transaction_id), "amount": f"{answer.amount:f}"}
    return told


class CheckUser(IikoView):
    """`POST iiko/check-user`."""

    @extend_schema(request=Question)
    @endpoint(
        limit=CHECK_LIMIT,
        answers={200: GuestRead},
        refusals=[errors.NoticeUnreadable, errors.NoticeForged, errors.GuestUnknown],
        summary="Is this a guest of ours?",
    )
    def post(self, request: Any) -> Mapping[str, Any]:
        """By guest id, purse or number; everything that is told must fit."""
        asked = self.read(request, Question)
        return questions.guest(customer_id=asked.customerId, wallet_id=asked.walletId, phone=asked.phone)


class SyncUser(ManagerView):
    """`POST admin/sync/users/{id}`."""

    @endpoint(
        path=ClientPath,
        login="required",
        answers={200: SyncRead},
        refusals=[errors.ManagersOnly, errors.ClientNotFound],
        summary="Read a guest from iiko now",
    )
    def post(self, request: Any, *, client_id: int) -> dict[str, Any]:
        """The manager waits for iiko, at most some seconds; what went wrong is in `error`."""
        return iiko_sync_now.sync(by=request.member, client_id=client_id)


urlpatterns = [
    path("api/v1/iiko/webhook", Webhook, name="iiko-webhook"),
    path("api/v1/iiko/check-user", CheckUser, name="iiko-check-user"),
    path("api/v1/admin/sync/users/<str:client_id>", SyncUser, name="sync-user"),
]
