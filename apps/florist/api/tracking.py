"""An order behind its link: masked, with times, words and pictures (contract florist 1.3, 3.8). No token, throttled."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import AliasChoices, Field, StringConstraints

from apps.core.errors import TooMany
from apps.core.routing import path
from apps.core.wire import Shape, endpoint
from apps.florist import errors
from apps.florist.actions import payments, tracking
from apps.florist.actions.tracking import NewAddress
from apps.florist.api.base import Id, Phone
from apps.florist.api.public import ROOTS, PublicView
from apps.florist.models import Order, OrderPhoto
from apps.florist.queries import tracking as questions
from apps.payments import actions as gateway

NUMBER = re.compile(r"[0-9]{9}")
Token = Annotated[str, Field(min_length=1, max_length=100)]
Digits = Annotated[str, Field(max_length=4)]
Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]


class TokenPath(Shape):
    """The link's own part."""

    token: Token


class NumberQuery(Shape):
    """Beside a number of nine digits: the last four of the buyer's phone, and the shop when two share the number."""

    last4: Digits = ""
    shop_id: Id | None = None


class TrackedAddressIn(Shape):
    """Where to instead, and the last four digits of the buyer's phone."""

    address: Annotated[str, StringConstraints(strip_whitespace=True, min_length=5, max_length=500)]
    recipient_name: Annotated[str | None, Field(max_length=100)] = None
    recipient_phone: Phone | None = None
    last4: Annotated[str, Field(max_length=4, validation_alias=AliasChoices("last4", "phone_last4", "code"))] = ""

    def wish(self) -> NewAddress:
        """For the action."""
        return NewAddress(self.address, (self.recipient_name or "").strip(), self.recipient_phone or "")


class BuyerCommentIn(Shape):
    """What the buyer says."""

    text: Words
    customer_name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]


class FeedbackIn(Shape):
    """Whether he likes a picture."""

    photo_id: Id
    feedback: OrderPhoto.Feedback
    comment: Annotated[str | None, Field(max_length=1000)] = None


class TrackedWindow(Shape):
    """From when until when."""

    from_: Annotated[datetime, Field(serialization_alias="from", validation_alias="from")]
    to: datetime | None


class TrackedItem(Shape):
    """A line."""

    product_name: str
    quantity: int
    price: float


class TrackedStep(Shape):
    """A step of the way; `at` is empty for what is still to come."""

    status: str
    at: datetime | None


class TrackingOut(Shape):
    """Tracking (contract 1.0), masked, with the steps."""

    order_number: str
    status: str
    created_at: datetime
    updated_at: datetime
    delivery_method: str
    delivery_window: TrackedWindow | None
    delivery_fee: float
    total: float
    recipient_name: str | None
    recipient_phone: str | None
    address: str | None
    items: list[TrackedItem]
    tracking_token: str
    steps: list[TrackedStep]


class StorefrontItem(Shape):
    """A line in the storefront's words."""

    id: int
    title: str
    image: str | None
    price: float
    quantity: int


class TrackedPeople(Shape):
    """Masked."""

    name: str | None
    phone: str | None
    address: str | None
    recipientName: str | None  # noqa: N815 - the storefront reads it
    recipientPhone: str | None  # noqa: N815


class StorefrontOrder(Shape):
    """An order in the storefront's words."""

    id: int
    orderNumber: str  # noqa: N815
    status: Literal["preparing", "ready", "in_transit", "delivered", "cancelled"]
    orderDate: datetime  # noqa: N815
    deliveryDate: date | None  # noqa: N815
    deliveryTime: str | None  # noqa: N815
    estimatedTime: str | None  # noqa: N815
    total: float
    deliveryFee: float  # noqa: N815
    deliveryMethod: str  # noqa: N815
    items: list[StorefrontItem]
    customerData: TrackedPeople  # noqa: N815
    bouquetPhoto: str | None  # noqa: N815
    photoRating: str | None  # noqa: N815


class TrackedDone(Shape):
    """It worked."""

    success: bool
    message: str


class AddressDone(TrackedDone):
    """With what was written down."""

    updated_address: str


class CommentDone(TrackedDone):
    """With its id."""

    comment_id: int


class TrackedComment(Shape):
    """A word about the order."""

    id: int
    text: str
    author_type: str
    author_name: str | None
    created_at: datetime


class TrackedCommentList(Shape):
    """What was said."""

    items: list[TrackedComment]
    total: int


class TrackedPhoto(Shape):
    """A picture behind a signed link."""

    id: int
    photo_url: str
    photo_type: str
    description: str | None
    customer_feedback: str | None
    feedback_comment: str | None
    created_at: datetime


class TrackedPhotoList(Shape):
    """Pictures of the bouquet."""

    items: list[TrackedPhoto]
    total: int


class TrackedPayIn(Shape):
    """By which gateway."""

    method: Annotated[str, Field(max_length=20)]


class TrackedPayOut(Shape):
    """Send the buyer to `pay_url`."""

    payment_id: int
    method: str
    amount: float
    pay_url: str


GATEWAY = (
    *(gateway.MethodNotOffered, gateway.AlreadyPaid, gateway.GatewayRefused),
    *(gateway.GatewayDown, gateway.GatewaySilent),
)


def found(token: str, query: NumberQuery) -> Order:
    """By the link's token, or by a number of nine digits with four of the phone. Raises `LinkDead`."""
    if NUMBER.fullmatch(token):
        return tracking.by_number(token, query.last4, shop_id=query.shop_id)
    return questions.by_token(token)


class Tracking(PublicView):
    """Where my flowers are."""

    @endpoint(
        summary="Track an order",
        path=TokenPath,
        query=NumberQuery,
        answers={200: TrackingOut},
        refusals=[errors.LinkDead, errors.DigitsTooOften, TooMany],
    )
    def get(self, request: Any, *, token: str, query: NumberQuery) -> Any:
        """Phones, flat and house stay hidden; the link dies thirty days after the end."""
        return questions.masked(found(token, query))


class StorefrontTracking(PublicView):
    """The same in the storefront's words."""

    @endpoint(
        summary="Track an order from the storefront",
        path=TokenPath,
        query=NumberQuery,
        answers={200: StorefrontOrder},
        refusals=[errors.LinkDead, errors.DigitsTooOften, TooMany],
    )
    def get(self, request: Any, *, token: str, query: NumberQuery) -> Any:
        """Four statuses and `cancelled`."""
        return questions.storefront(found(token, query))


class TrackedAddress(PublicView):
    """Where to."""

    @endpoint(
        summary="Change the address of an order",
        path=TokenPath,
        body=TrackedAddressIn,
        answers={200: AddressDone},
        refusals=[errors.LinkDead, errors.DigitsWrong, errors.DigitsTooOften, errors.AddressFixed, TooMany],
    )
    def patch(self, request: Any, *, token: str, body: TrackedAddressIn) -> Any:
        """While the order is new or paid, for whoever knows the last four digits of the buyer's phone."""
        tracking.change_address(token=token, digits=body.last4, to=body.wish())
        return {"success": True, "message": "Address updated successfully", "updated_address": body.address}


class TrackedComments(PublicView):
    """What was said."""

    @endpoint(
        summary="List comments of a tracked order",
        path=TokenPath,
        answers={200: TrackedCommentList},
        refusals=[errors.LinkDead, TooMany],
    )
    def get(self, request: Any, *, token: str) -> Any:
        """The buyer's and those that the shop made public."""
        rows = questions.comments(questions.by_token(token))
        return self.wire.paged([questions.comment_row(row) for row in rows[: questions.MOST_COMMENTS]], rows.count())

    @endpoint(
        summary="Comment on a tracked order",
        path=TokenPath,
        body=BuyerCommentIn,
        answers={200: CommentDone},
        refusals=[errors.LinkDead, errors.SaidEnough, TooMany],
    )
    def post(self, request: Any, *, token: str, body: BuyerCommentIn) -> Any:
        """The shop reads it at once."""
        said = tracking.say(token=token, text=body.text, name=body.customer_name)
        return {"success": True, "message": "Comment added successfully", "comment_id": said.pk}


class TrackedPhotos(PublicView):
    """Pictures."""

    @endpoint(
        summary="List photos of a tracked order",
        path=TokenPath,
        answers={200: TrackedPhotoList},
        refusals=[errors.LinkDead, TooMany],
    )
    def get(self, request: Any, *, token: str) -> Any:
        """The finished bouquet; the handing over for seven days."""
        rows = [
            questions.photo_row(row) for row in questions.photos(questions.by_token(token))[: questions.MOST_PHOTOS]
        ]
        return self.wire.paged(rows, len(rows))


class Feedback(PublicView):
    """Whether the buyer likes it."""

    @endpoint(
        summary="Judge a photo",
        path=TokenPath,
        body=FeedbackIn,
        answers={200: TrackedDone},
        refusals=[errors.LinkDead, errors.PhotoNotFound, errors.PhotoJudgedAlready, TooMany],
    )
    def post(self, request: Any, *, token: str, body: FeedbackIn) -> Any:
        """Once per photo."""
        tracking.judge(token=token, photo_id=body.photo_id, feedback=body.feedback, comment=body.comment or "")
        return {"success": True, "message": "Feedback saved successfully"}


class TrackedPay(PublicView):
    """Paying what is still open."""

    @endpoint(
        summary="Pay a tracked order",
        path=TokenPath,
        body=TrackedPayIn,
        answers={200: TrackedPayOut},
        refusals=[errors.LinkDead, errors.NothingToPay, errors.CurrencyNotTaken, TooMany, *GATEWAY],
    )
    def post(self, request: Any, *, token: str, body: TrackedPayIn) -> Any:
        """Where to send the buyer; a payment that is open already is used again."""
        order = questions.by_token(token)
        begun = payments.begin(by=None, order_id=order.pk, method=body.method)
        return {"payment_id": begun.pk, "method": begun.method, "amount": begun.amount, "pay_url": begun.pay_url}


urlpatterns = [
    path("api/tracking/<str:token>", Tracking, name="tracking"),
    *(
        path(f"{root}/{route}", view, name=f"{'' if root == 'public' else 'api-'}{name}")
        for root in ROOTS
        for route, view, name in (
            ("status/<str:token>", Tracking, "public-status"),
            ("orders/<str:token>", StorefrontTracking, "public-order"),
            ("orders/<str:token>/address", TrackedAddress, "public-order-address"),
            ("orders/<str:token>/comments", TrackedComments, "public-order-comments"),
            ("orders/<str:token>/photos", TrackedPhotos, "public-order-photos"),
            ("orders/<str:token>/feedback", Feedback, "public-order-feedback"),
            ("orders/<str:token>/pay", TrackedPay, "public-order-pay"),
        )
    ),
]
