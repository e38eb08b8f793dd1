"""Messages follow facts: each handler is one call; all of them bear being run twice."""

from __future__ import annotations

from apps.accounts import actions as accounts
from apps.accounts.events import PersonErased
from apps.core import events
from apps.integrations.ports import VendorRefused
from apps.notifications.events import AddressDied, MessageDelivered, MessageNotDelivered
from apps.urgent.actions import announcements, bot, subscriptions, talk
from apps.urgent.events import (
    BotOpened,
    ComplaintDecided,
    InvoicePaid,
    InvoiceRefunded,
    MailCodeWanted,
    MemberToTell,
    OrderCreated,
    OrderFinished,
    OrderTaken,
    ReviewLeft,
    TakeRefunded,
)

talk.register_kinds()
talk.register_groups()


@events.after(OrderCreated)
def announce_the_order(event: OrderCreated) -> None:
    """Everybody who wants such orders and has not just been told of another one."""
    announcements.announce(order_id=event.order_id)


@events.after(MemberToTell)
def tell_the_member(event: MemberToTell) -> None:
    """One new order to one member."""
    talk.tell_of_new_order(announcement_id=event.announcement_id)


@events.after(MessageDelivered)
def begin_the_pause(event: MessageDelivered) -> None:
    """Only a message that arrived begins the pause (contract urgent 3.6)."""
    if event.product == talk.PRODUCT and event.kind == talk.NEW_ORDER:
        announcements.told(order_id=talk.order_of(event.key), user_id=event.user_id)


@events.after(MessageNotDelivered)
def keep_the_pause_open(event: MessageNotDelivered) -> None:
    """A message that did not arrive leaves room for the next order."""
    if event.product == talk.PRODUCT and event.kind == talk.NEW_ORDER:
        announcements.not_told(order_id=talk.order_of(event.key), user_id=event.user_id)


@events.after(AddressDied)
def stop_telling(event: AddressDied) -> None:
    """The bot was blocked (403): no more announcements until the member asks again (contract urgent 4.3)."""
    if event.channel == "bot":
        subscriptions.switch_off(user_id=event.user_id)


@events.after(OrderTaken)
def tell_the_client_of_the_take(event: OrderTaken) -> None:
    talk.tell_of_take(order_id=event.order_id, executor_id=event.executor_id)


@events.after(OrderFinished)
def tell_of_the_end(event: OrderFinished) -> None:
    talk.tell_of_end(order_id=event.order_id, by_timer=event.by_timer)


@events.after(TakeRefunded)
def tell_the_executor_of_the_refund(event: TakeRefunded) -> None:
    talk.tell_of_refund(order_id=event.order_id, executor_id=event.executor_id)


@events.after(ReviewLeft)
def tell_the_executor_of_the_review(event: ReviewLeft) -> None:
    talk.tell_of_review(review_id=event.review_id)


@events.after(ComplaintDecided)
def tell_the_executor_of_the_decision(event: ComplaintDecided) -> None:
    talk.tell_of_decision(complaint_id=event.complaint_id)


@events.after(InvoicePaid)
def tell_the_payer(event: InvoicePaid) -> None:
    talk.tell_of_payment(invoice_id=event.invoice_id)


@events.after(InvoiceRefunded)
def tell_of_the_payback(event: InvoiceRefunded) -> None:
    talk.tell_of_payback(invoice_id=event.invoice_id)


@events.after(BotOpened)
def greet_the_newcomer(event: BotOpened) -> None:
    """Start: from now on we may write; the greeting carries the button."""
    accounts.can_be_messaged(telegram_id=event.telegram_id, can=True)
    try:
        bot.greet(telegram_id=event.telegram_id, language=event.language, start=event.start)
    except VendorRefused:  # blocked again at once: nobody is left to greet
        accounts.can_be_messaged(telegram_id=event.telegram_id, can=False)


@events.after(MailCodeWanted)
def send_the_mail_code(event: MailCodeWanted) -> None:
    subscriptions.send_mail_code(member_id=event.member_id)


@events.on(PersonErased)
def forget_the_wishes(event: PersonErased) -> None:
    """What a forgotten person wanted to hear, and where, goes with him."""
    subscriptions.forget_everything(user_id=event.person_id)
