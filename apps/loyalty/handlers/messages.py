"""Who is told what when something happened."""

from __future__ import annotations

from apps.core import events
from apps.loyalty.actions import announcements, messages
from apps.loyalty.conf import PRODUCT
from apps.loyalty.events import CashbackChanged, ClientDeleted, ClientRegistered, ClientSwitchedOff
from apps.loyalty.models import Client
from apps.notifications import live


@events.after(CashbackChanged)
def tell_the_guest(event: CashbackChanged) -> None:
    messages.tell_of_cashback(transaction_id=event.transaction_id)


@events.after(ClientRegistered)
def show_earlier_announcements(event: ClientRegistered) -> None:
    announcements.welcome(client_id=event.client_id)


@events.on(ClientDeleted)
def empty_the_inbox(event: ClientDeleted) -> None:
    """Open sockets end with the account."""
    messages.forget(client_id=event.client_id)
    _hang_up(event.client_id)


@events.on(ClientSwitchedOff)
def end_open_sockets(event: ClientSwitchedOff) -> None:
    _hang_up(event.client_id)


def _hang_up(client_id: int) -> None:
    live.hang_up(Client.objects.values_list("user_id", flat=True).get(pk=client_id), PRODUCT)
