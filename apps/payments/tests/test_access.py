"""Right × deed, every pair: what staff may do with the rights they have."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from apps.core.testing import assert_refused
from apps.payments import access, actions
from apps.payments.models import Payment, PaymentEvent
from apps.payments.tests import cast


def refund(by: Any, payment: Payment) -> Any:
    return actions.refund_by_staff(by=by, payment=payment, amount=Decimal(5), key="k", reason="returned")


def look(by: Any, payment: Payment) -> Any:
    return actions.looked_at(by=by, payment=payment)


def ask(by: Any, payment: Payment) -> Any:
    return actions.ask_about_event(by=by, event=PaymentEvent.objects.get())


DEEDS: dict[Callable[..., Any], str] = {refund: "refund_payment", look: "handle_payment", ask: "handle_payment"}
RIGHTS = ("view_payment", "refund_payment", "handle_payment")


@pytest.mark.parametrize("right", RIGHTS)
@pytest.mark.parametrize("deed", DEEDS, ids=lambda deed: deed.__name__)
def test_the_matrix(paid: Payment, deed: Callable[..., Any], right: str) -> None:
    worker = cast.staff("worker", right)
    if DEEDS[deed] == right:
        deed(worker, paid)
    else:
        assert_refused(actions.NotPermitted, lambda: deed(worker, paid), unchanged=cast.books())


@pytest.mark.parametrize("field", ["is_active", "is_staff"])
def test_who_left_may_nothing(paid: Payment, field: str) -> None:
    worker = cast.staff("worker", *RIGHTS)
    setattr(worker, field, False)
    assert not access.can(worker, access.REFUND)
    assert not access.can(None, access.HANDLE)


def test_a_notice_about_nobody_has_nothing_to_ask(db: None) -> None:
    event = PaymentEvent.objects.create(method="octo", external_id="x")
    with pytest.raises(actions.UnknownPayment):
        actions.ask_about_event(by=cast.staff("worker", "handle_payment"), event=event)
