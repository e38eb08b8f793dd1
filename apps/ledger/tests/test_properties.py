"""Whatever people do in whatever order, no money appears, disappears or goes below the floor."""

from __future__ import annotations

from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.accounts.models import User
from apps.core.errors import Refused
from apps.ledger import actions as ledger
from apps.ledger import queries
from apps.ledger.models import Account, Entry, Hold
from apps.ledger.tests import cast

pytestmark = pytest.mark.django_db

people = st.sampled_from(["aida", "bek", "carl"])
amounts = st.decimals("0.01", "200", places=2)
keys = st.sampled_from([f"key:{number}" for number in range(6)])
deeds = st.lists(
    st.one_of(
        st.tuples(st.just("post"), people, amounts, keys),
        st.tuples(st.just("debit"), people, amounts, keys),
        st.tuples(st.just("transfer"), people, people, amounts, keys),
        st.tuples(st.just("hold"), people, amounts, keys),
        st.tuples(st.just("capture"), st.integers(0, 5), amounts),
        st.tuples(st.just("void"), st.integers(0, 5)),
        st.tuples(st.just("reverse"), st.integers(0, 9), keys),
        st.tuples(st.just("expire")),
    ),
    min_size=1,
    max_size=25,
)


class Town:
    """Three people and their deeds."""

    def __init__(self) -> None:
        self.people = {name: cast.person(name) for name in ("aida", "bek", "carl")}

    def post(self, who: str, amount: Decimal, key: str) -> None:
        cast.post(self.people[who], str(amount), key)

    def debit(self, who: str, amount: Decimal, key: str) -> None:
        cast.post(self.people[who], str(-amount), key)

    def transfer(self, giver: str, taker: str, amount: Decimal, key: str) -> None:
        pair: dict[str, User] = {"giver": self.people[giver], "taker": self.people[taker]}
        ledger.transfer(by=None, **pair, book="urgent", amount=cast.rub(str(amount)), key=key, reason="a gift")

    def hold(self, who: str, amount: Decimal, key: str) -> None:
        cast.set_aside(self.people[who], str(amount), key)

    def capture(self, number: int, amount: Decimal) -> None:
        if hold := self._pick(Hold, number):
            ledger.capture(by=None, hold=hold, amount=cast.rub(str(amount)), now=cast.NOON)

    def void(self, number: int) -> None:
        if hold := self._pick(Hold, number):
            ledger.void(by=None, hold=hold)

    def reverse(self, number: int, key: str) -> None:
        if entry := self._pick(Entry, number):
            ledger.reverse(by=None, entry=entry, key=key, reason="a mistake")

    def expire(self) -> None:
        ledger.expire_holds(now=cast.ONE_PM)

    @staticmethod
    def _pick(model: Any, number: int) -> Any:
        return model.objects.order_by("pk")[number : number + 1].first()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(deeds=deeds)
def test_any_sequence_keeps_the_books_true(deeds: list[tuple[Any, ...]]) -> None:
    with suppress(ZeroDivisionError), transaction.atomic():
        town = Town()
        for name, *words in deeds:
            with suppress(Refused):
                getattr(town, name)(*words)
        report = queries.audit()
        assert report.faults == []
        assert set(report.sums.values()) <= {Decimal("0.00")}
        assert not [account for account in Account.objects.of_persons() if account.available < 0]
        raise ZeroDivisionError  # each example starts from empty books
