"""Cashback: giving, asking whether it can be spent, histories (contract loyalty 1.3, rows 16 to 19)."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any

from django.utils.translation import gettext_lazy as _
from pydantic import BeforeValidator, Field

from apps.core import idempotency, texts
from apps.core.routing import path
from apps.core.wire import Shape, endpoint
from apps.loyalty import access, errors
from apps.loyalty.actions import cashback
from apps.loyalty.api import people
from apps.loyalty.api.base import LoyaltyView, ManagerView
from apps.loyalty.api.people import CashbackRead, LoyaltyRead
from apps.loyalty.api.wire import LANGUAGES, BranchId, Id, Paged, Pagination, Words
from apps.loyalty.models import CashbackTransaction, Client
from apps.loyalty.queries import cashback as histories
from apps.loyalty.queries import clients
from apps.loyalty.queries.counting import page_of

MAY_SPEND = _("This cashback can be spent")
LONGEST_KEY = 200

Amount = Annotated[Decimal, Field(gt=0, max_digits=12, decimal_places=2)]
"""UZS; more than nothing."""


def _source(given: Any) -> Any:
    return CashbackTransaction.Source.MANUAL if given in (None, "") else given


class Add(Shape):
    """Cashback to give. The web client sends no `source` and a `description` that nobody keeps."""

    user_id: Id
    amount: Amount
    branch_id: BranchId = None
    source: Annotated[CashbackTransaction.Source, BeforeValidator(_source)] = CashbackTransaction.Source.MANUAL


class Use(Shape):
    """Cashback that somebody would like to spend."""

    user_id: Id
    amount: Amount


class CashbackList(Paged):
    """Which movements."""

    page_size: int = Field(10, ge=1, le=100)
    search: Annotated[str, Field(max_length=100)] = ""
    branch: BranchId = None


class HistoryPage(Shape):
    """Which part of a history; without a word the newest hundred."""

    page: int = Field(1, ge=1, le=2**31)
    page_size: int = Field(histories.MOST_TRANSACTIONS, ge=1, le=histories.MOST_TRANSACTIONS)


class HistoryPath(Shape):
    """Whose history."""

    user_id: int


class Usable(Shape):
    """Yes, and how much there is."""

    can_use_cashback: bool
    balance: float
    message: Words


class History(Shape):
    """The level and the movements, newest first."""

    loyalty: LoyaltyRead
    transactions: list[CashbackRead]


class CashbackPage(Shape):
    """A page of movements."""

    pagination: Pagination
    items: list[CashbackRead]


class AddView(ManagerView):
    """`POST cashback/add`."""

    @endpoint(body=Add, login="required", answers={200: CashbackRead}, refusals=[errors.ClientNotFound], summary="Give")
    def post(self, request: Any, *, body: Add) -> dict[str, Any]:
        """An `Idempotency-Key` makes a repeat harmless (contract loyalty 1.3, row 16).

        iiko is not told. For a guest whom iiko knows the sum lasts until iiko tells the balance next time: then it is
        taken off again (4.4). To give it for good, give it in iiko.
        """
        key = request.headers.get("Idempotency-Key", "").strip()
        row = cashback.add(
            by=request.member,
            client_id=body.user_id,
            amount=body.amount,
            source=body.source,
            branch_id=body.branch_id,
            key=key if len(key) <= LONGEST_KEY else idempotency.fingerprint(key),
        )
        return people.cashback_read(vars(row))


class UseView(ManagerView):
    """`POST cashback/use`."""

    @endpoint(
        body=Use,
        login="required",
        answers={200: Usable},
        refusals=[
            errors.ClientNotFound,
            errors.AmountBelowMinimum,
            errors.BalanceBelowMinimum,
            errors.NotEnoughCashback,
        ],
        summary="May it be spent?",
    )
    def post(self, request: Any, *, body: Use) -> dict[str, Any]:
        """Only a question: nothing is deducted (contract loyalty 1.3, row 17)."""
        balance = cashback.ensure_can_spend(by=request.member, client_id=body.user_id, amount=body.amount)
        return {"can_use_cashback": True, "balance": balance, "message": texts.in_languages(MAY_SPEND, LANGUAGES)}


class HistoryView(LoyaltyView):
    """`GET cashback/user/{id}`."""

    @endpoint(
        path=HistoryPath,
        query=HistoryPage,
        login="required",
        answers={200: History},
        refusals=[errors.Forbidden, errors.ClientNotFound],
        summary="A guest's history",
    )
    def get(self, request: Any, *, user_id: int, query: HistoryPage) -> dict[str, Any]:
        """A guest's own, or for staff (contract loyalty 1.3, row 18)."""
        by = request.member
        client = by if isinstance(by, Client) and by.pk == user_id else clients.brief(user_id)
        if client is None:
            raise errors.ClientNotFound()
        access.ensure_can_see_history(by, client)
        offset = (query.page - 1) * query.page_size
        rows = histories.history(client.pk, limit=query.page_size, offset=offset)
        return {"loyalty": people.loyalty_read(client, by), "transactions": people.transactions_read(rows, by)}


class Movements(ManagerView):
    """`GET cashback`."""

    @endpoint(query=CashbackList, login="required", answers={200: CashbackPage}, summary="All movements")
    def get(self, request: Any, *, query: CashbackList) -> dict[str, Any]:
        """Newest first (contract loyalty 1.3, row 19)."""
        found = histories.matching(search=query.search.strip(), branch_id=query.branch)
        rows, total = page_of(found, page=query.page, size=query.size)
        return self.wire.paged(people.transactions_read(rows), total, page=query.page, size=query.size)


urlpatterns = [
    path("api/v1/cashback/add", AddView, name="cashback-add"),
    path("api/v1/cashback/use", UseView, name="cashback-use"),
    path("api/v1/cashback/user/<str:user_id>", HistoryView, name="cashback-history"),
    path("api/v1/cashback", Movements, name="cashback"),
]
