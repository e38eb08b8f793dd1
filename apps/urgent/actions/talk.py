"""What members are told about their orders, takes, money and reviews (contract urgent 4.3, roadmap).

One row per message in `notifications`, which chooses channels, retries and honours Telegram's pauses. The words of the
order and the contact are never in a message.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.accounts import actions as accounts
from apps.accounts.models import User
from apps.notifications import actions as notifications
from apps.notifications.channels import BOT, INBOX, MAIL, PUSH, SOCKET, register_kind, register_segment
from apps.notifications.models import Notification
from apps.urgent.actions import announcements
from apps.urgent.actions.bot import app_link
from apps.urgent.models import Complaint, Invoice, Member, Order, Review, Take

PRODUCT = "urgent"
NEW_ORDER = "new_order"
NEW_ORDER_KEY = "new-order:"

KINDS: dict[str, str | Promise] = {
    NEW_ORDER: _("New orders"),
    "order_taken": _("Somebody took my order"),
    "order_over": _("My order ended by itself"),
    "order_completed": _("An order that I took is completed"),
    "take_refunded": _("Money for a contact came back"),
    "review_left": _("Somebody rated me"),
    "balance_credited": _("My balance was topped up"),
    "balance_debited": _("A top-up was paid back"),
    "complaint_decided": _("My complaint was decided"),
}


def register_kinds() -> None:
    """Everything goes to the inbox, open sockets, the bot, browsers and a proved e-mail address."""
    for kind, label in KINDS.items():
        register_kind(kind, (INBOX, SOCKET, BOT, PUSH, MAIL), label, product=PRODUCT)


def register_groups() -> None:
    """Whom staff may write to in a broadcast."""
    register_segment("everyone", _("All members"), _everyone, product=PRODUCT)


def _everyone(facts: Mapping[str, Any]) -> QuerySet[User]:
    return User.objects.filter(urgent_member__isnull=False, urgent_member__blocked_at=None)


def tell(
    member: Member, kind: str, title: Any, body: Any = "", *, key: str, order_id: str = "", **facts: Any
) -> Notification:
    """One message in the member's language, at most once per key, with a button that opens the order."""
    _let_the_bot_try(member)
    link = app_link(f"order_{order_id}") if order_id else app_link()
    return notifications.tell(
        user=member.user,
        product=PRODUCT,
        kind=kind,
        title=title,
        body=body,
        facts=facts,
        payload={"order_id": order_id} if order_id else {},
        key=key,
        link=(_("Open"), link) if link else ("", ""),  # type: ignore[arg-type]
    )


def _let_the_bot_try(member: Member) -> None:
    """Telegram tells us only by a refusal whether we may write: try once, the refusal takes it back."""
    if member.user.can_message_bot or member.bot_tried_at:
        return
    if Member.objects.filter(pk=member.pk, bot_tried_at=None).update(bot_tried_at=timezone.now()):
        accounts.can_be_messaged(telegram_id=member.pk, can=True)
        member.user.can_message_bot = True


def tell_of_new_order(*, announcement_id: int) -> None:
    """The message of contract urgent 4.3 to one member, unless it makes no sense any more."""
    claim = announcements.still_wanted(announcement_id=announcement_id)
    if claim is None:
        return
    order, member = claim.order, claim.member
    link = app_link(f"order_{order.pk}")
    told = tell(
        member,
        NEW_ORDER,
        _("🔔 New order: «{category}», {city}"),
        link or _("Open the app to see it"),
        key=f"{NEW_ORDER_KEY}{order.pk}",
        order_id=order.pk,
        category=order.category,
        city=order.city,
    )
    if not told.deliveries.exists():
        announcements.not_told(order_id=order.pk, user_id=member.user_id)


def order_of(key: str) -> str:
    """The order that a new-order message was about."""
    return key.removeprefix(NEW_ORDER_KEY)


def tell_of_take(*, order_id: str, executor_id: int) -> None:
    """The client hears that somebody bought the contact."""
    order = Order.objects.select_related("client__user").get(pk=order_id)
    place = order.takes.get(executor_id=executor_id).slot
    tell(
        order.client,
        "order_taken",
        _("Your order «{category}» was taken: {place} of {places}"),
        _("Press “I have answered” once you have talked, otherwise the order closes by itself."),
        key=f"taken:{order_id}:{executor_id}",
        order_id=order_id,
        category=order.category,
        place=place,
        places=order.max_executors,
    )


def tell_of_end(*, order_id: str, by_timer: bool) -> None:
    """Whoever waits for an order hears how it ended, unless he ended it himself."""
    order = Order.objects.select_related("client__user").get(pk=order_id)
    if order.status == Order.Status.COMPLETED:
        _tell_takers_of_completion(order)
    elif by_timer:
        title, body = _words_for_the_end(order)
        tell(
            order.client, "order_over", title, body, key=f"over:{order_id}", order_id=order_id, category=order.category
        )


def _tell_takers_of_completion(order: Order) -> None:
    for take in order.takes.select_related("executor__user"):
        tell(
            take.executor,
            "order_completed",
            _("The order «{category}» is completed"),
            key=f"completed:{order.pk}",
            order_id=order.pk,
            category=order.category,
        )


def _words_for_the_end(order: Order) -> tuple[Any, Any]:
    if order.status == Order.Status.CLOSED_NO_RESPONSE:
        return _("Your order «{category}» was closed: you did not answer"), _("The executors have their money back.")
    if order.takes_count == 0:
        return _("Nobody took your order «{category}» in time"), _("You can post it again.")
    return _("The time of your order «{category}» is over"), _("Please rate the executor.")


def tell_of_refund(*, order_id: str, executor_id: int) -> None:
    """The executor hears that the price of the contact is back."""
    take = Take.objects.select_related("executor__user", "order").get(order_id=order_id, executor_id=executor_id)
    tell(
        take.executor,
        "take_refunded",
        _("{amount} ₽ are back on your balance"),
        _("Order «{category}»: the price of the contact was given back."),
        key=f"refunded:{order_id}:{executor_id}",
        order_id=order_id,
        amount=take.price,
        category=take.order.category,
    )


def tell_of_review(*, review_id: int) -> None:
    """The executor hears of new stars."""
    review = Review.objects.select_related("executor__user", "order").get(pk=review_id)
    tell(
        review.executor,
        "review_left",
        _("You have a new review: {rating} of 5"),
        key=f"review:{review_id}",
        order_id=review.order_id,
        rating=review.rating,
    )


def tell_of_payment(*, invoice_id: int) -> None:
    """The payer hears that the money has arrived."""
    invoice = Invoice.objects.select_related("member__user").get(pk=invoice_id)
    title = _("Your balance was topped up by {amount} ₽")
    tell(invoice.member, "balance_credited", title, key=f"paid:{invoice_id}", amount=invoice.amount)


def tell_of_payback(*, invoice_id: int) -> None:
    """The payer hears that a top-up was taken back."""
    invoice = Invoice.objects.select_related("member__user").get(pk=invoice_id)
    title = _("A top-up of {amount} ₽ was paid back")
    tell(invoice.member, "balance_debited", title, key=f"payback:{invoice_id}", amount=invoice.amount)


def tell_of_decision(*, complaint_id: int) -> None:
    """The executor hears what became of the complaint."""
    complaint = Complaint.objects.select_related("executor__user").get(pk=complaint_id)
    is_resolved = complaint.status == Complaint.Status.RESOLVED
    title = _("Your complaint was accepted") if is_resolved else _("Your complaint was looked at and dismissed")
    tell(complaint.executor, "complaint_decided", title, key=f"complaint:{complaint_id}", order_id=complaint.order_id)
