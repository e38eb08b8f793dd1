"""What iiko has to be told or asked when something happened. Rows of the queue, in the same transaction."""

from __future__ import annotations

from django.utils import timezone

from apps.core import events
from apps.loyalty.actions import iiko_jobs
from apps.loyalty.events import BalanceDoubted, ClientDeleted, ClientRegistered, ClientSeen, ProfileChanged
from apps.loyalty.models import DeletedPhone, IikoJob

Operation = IikoJob.Operation


@events.on(ClientRegistered)
def introduce_the_guest(event: ClientRegistered) -> None:
    iiko_jobs.ask(by=None, client_id=event.client_id, operation=Operation.SYNC_USER, payload={"create": True})


@events.on(ClientSeen)
def look_again(event: ClientSeen) -> None:
    iiko_jobs.ask(by=None, client_id=event.client_id, operation=Operation.SYNC_USER)


@events.on(BalanceDoubted)
def ask_for_the_balance(event: BalanceDoubted) -> None:
    iiko_jobs.ask(by=None, client_id=event.client_id, operation=Operation.SYNC_USER)


@events.on(ProfileChanged)
def pass_the_profile_on(event: ProfileChanged) -> None:
    """The moment stands beside each field: a field that changes again during a push is pushed again."""
    fields = dict.fromkeys(event.fields, timezone.now().isoformat())
    iiko_jobs.ask(by=None, client_id=event.client_id, operation=Operation.FLUSH_PROFILE, payload=fields)


@events.on(ClientDeleted)
def strike_the_guest_off(event: ClientDeleted) -> None:
    gone = DeletedPhone.objects.get(pk=event.deleted_phone_id)
    iiko_jobs.ask(
        by=None,
        client_id=event.client_id,
        operation=Operation.MARK_DELETED,
        payload={"guest_id": gone.iiko_customer_id or ""},
        phone=gone.real_phone,
    )
