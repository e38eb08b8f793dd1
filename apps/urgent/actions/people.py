"""A membership follows its person: two rows become one human, come apart again, or are forgotten (design 3.8)."""

from __future__ import annotations

from django.db import transaction
from django.db.models import F, Value
from django.db.models.functions import Concat

from apps.accounts.models import User
from apps.core import states
from apps.urgent.actions import finish, members
from apps.urgent.models import Member, Order
from apps.urgent.queries import orders as lists

FORGOTTEN = "—"


def follow(*, keep_id: int, gone_id: int) -> None:
    """`gone` is `keep` from now on: the membership goes where its Telegram id went; the ledger moves the money.

    When both had a membership, `keep` goes on with his own; the other one's orders run out by themselves.
    """
    Member.objects.filter(user_id=gone_id, pk=_telegram_id(keep_id)).update(user_id=keep_id)


def part(*, keep_id: int, gone_id: int) -> None:
    """They were two people after all: the membership goes back with its Telegram id."""
    Member.objects.filter(user_id=keep_id, pk=_telegram_id(gone_id)).update(user_id=gone_id)


def _telegram_id(user_id: int) -> int:
    """0, which is nobody's, for a person without one."""
    return User.objects.values_list("telegram_id", flat=True).get(pk=user_id) or 0


def forget(*, user_id: int) -> None:
    """End a forgotten person's orders, blank what names him, and give his rows an id that is nobody's Telegram id.

    Executors who wait for an answer are paid back. Money and history stay; whoever comes back begins anew.
    """
    with transaction.atomic():
        member = Member.objects.filter(user_id=user_id).first()
        if member is None:
            return
        _end_orders(member)
        Order.objects.filter(client=member).update(
            contact=FORGOTTEN, contact_normalized=Concat(Value("forgotten:"), F("id")), description=FORGOTTEN
        )
        _renumber(member, -user_id)
        transaction.on_commit(lists.forget)


def _end_orders(member: Member) -> None:
    """Takers are paid back; an untaken order is deleted."""
    active = Order.objects.filter(client=member, status=Order.Status.ACTIVE).order_by("pk")
    for order in active.select_for_update(of=("self",)):
        if order.takes_count:
            finish.close(order, member)
        else:
            states.step(order, Order.Status.DELETED, by=member)
            members.shift(ids=[member.pk], active=-1)


def _renumber(member: Member, to: int) -> None:
    """The row first, then everything that points to it: foreign keys are checked when the transaction commits."""
    Member.objects.filter(pk=member.pk).update(id=to)
    for relation in Member._meta.related_objects:
        pointing = relation.related_model._base_manager.filter(**{relation.field.name: member.pk})
        pointing.update(**{relation.field.attname: to})
