"""A membership follows its person: merges, their undoing, being forgotten (design 3.8)."""

from __future__ import annotations

from apps.accounts import actions as accounts
from apps.accounts.models import User
from apps.core.models import StepLog
from apps.integrations.sandbox import vendors
from apps.ledger import queries as ledger
from apps.payments import actions as payments
from apps.urgent.actions import invoices, members, orders
from apps.urgent.models import Member, Order, Take
from apps.urgent.queries import members as questions
from apps.urgent.tests import cast
from apps.urgent.tests.cast import Caller


def merged(keep: User, gone: User) -> accounts.Merge:
    return accounts.merge(by=cast.staff(), keep=keep, gone=gone, reason="one human")


def test_the_membership_and_its_money_follow_a_merge_and_come_back(bek: Member, aziz: Member) -> None:
    by_phone = User.objects.create_user(phone="+998901234567", first_name="Бек")
    order = cast.place(aziz)
    cast.take(bek, order)
    merge = merged(by_phone, bek.user)
    profile = Caller(bek).get("users/me").json()
    assert (profile["id"], profile["balance"], profile["active_orders"]) == (bek.pk, 98, 1)
    assert Member.objects.get(pk=bek.pk).user_id == by_phone.pk
    orders.close(by=aziz, order_id=order.pk)
    assert Caller(bek).get("users/me").json()["balance"] == 100

    accounts.undo_merge(by=cast.staff(), merge=merge, reason="two humans")
    assert Member.objects.get(pk=bek.pk).user_id == bek.user_id
    assert Caller(bek).get("users/me").json()["balance"] == 98
    assert ledger.balance(by_phone, "urgent", "RUB") == 2


def test_with_two_memberships_the_money_comes_together(bek: Member, dina: Member) -> None:
    merged(bek.user, dina.user)
    assert Caller(dina).get("users/me").json() == Caller(bek).get("users/me").json()
    assert Caller(bek).get("users/me").json()["balance"] == 200


def test_money_that_comes_after_two_merges_reaches_whoever_is_left(
    aziz: Member, bek: Member, dina: Member, emil: Member
) -> None:
    """A bill of the first membership is paid, and a take of it is refunded, when its person was merged twice."""
    order = cast.place(aziz)
    cast.take(dina, order)
    bill = invoices.create(by=dina, amount=50, provider="crypto_bot")
    merged(bek.user, dina.user)
    merged(emil.user, User.objects.get(pk=bek.user_id))
    assert cast.balance(emil) == 298
    orders.close(by=aziz, order_id=order.pk)
    assert cast.balance(emil) == 300
    vendors.cryptobot.pay(int(cast.payment(bill).vendor_id or 0))
    payments.ask_gateway(cast.payment(bill))
    assert [cast.balance(who) for who in (dina, bek, emil)] == [0, 0, 350]


def test_spent_money_does_not_come_back(aziz: Member, bek: Member, dina: Member) -> None:
    merge = merged(bek.user, dina.user)
    keeper = members.join(user=User.objects.get(pk=bek.user_id))
    for _ in range(3):
        cast.take(keeper, cast.place(aziz))
    accounts.undo_merge(by=cast.staff(), merge=merge, reason="two humans")
    assert (cast.balance(dina), cast.balance(bek)) == (100, 94)


def test_a_forgotten_client_leaves_no_contact_and_owes_nobody(aziz: Member, bek: Member) -> None:
    taken, free = cast.place(aziz, contact="@secret-one"), cast.place(aziz, contact="@secret-two")
    cast.take(bek, taken)
    accounts.erase(by=cast.staff(), user=aziz.user, reason="asked")
    statuses = {
        order.pk: (order.status, order.contact, order.description, order.client_id) for order in Order.objects.all()
    }
    nobody = -aziz.user_id
    assert statuses == {
        taken.pk: ("closed_no_response", "—", "—", nobody),
        free.pk: ("deleted", "—", "—", nobody),
    }
    assert cast.balance(bek) == 100
    assert not Member.objects.filter(pk=aziz.pk).exists()
    assert questions.mismatches() == []
    assert StepLog.objects.filter(object_id=free.pk, to_status="deleted").count() == 1


def test_whoever_comes_back_begins_anew(aziz: Member, bek: Member) -> None:
    order = cast.place(aziz)
    cast.take(bek, order)
    orders.complete(by=aziz, order_id=order.pk)
    accounts.erase(by=cast.staff(), user=bek.user, reason="asked")
    profile = Caller(token=cast.init_data(bek.pk, "Бек")).get("users/me").json()
    assert (profile["balance"], profile["completed_orders"], profile["active_orders"]) == (0, 0, 0)
    assert Take.objects.get().executor_id == -bek.user_id
    assert Caller(token=cast.init_data(bek.pk, "Бек")).get(f"orders/{order.pk}").json()["contact"] is None
