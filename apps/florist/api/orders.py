"""Orders (contract florist 1.2)."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from drf_spectacular.utils import OpenApiParameter, extend_schema

from apps.core.errors import Invalid
from apps.core.idempotency import KeyReused
from apps.core.routing import path
from apps.core.wire import endpoint
from apps.florist import access, errors
from apps.florist.actions import items, lifecycle, orders
from apps.florist.api import order_shapes as shapes
from apps.florist.api.base import FloristView
from apps.florist.models import Order
from apps.florist.queries import orders as questions

KEY_HEADER = "Idempotency-Key"
KEY_DOCUMENT = OpenApiParameter(
    KEY_HEADER,
    {"type": "string", "maxLength": orders.LONGEST_KEY},
    OpenApiParameter.HEADER,
    description="The same key and body give the same order",
)
CREATE_REFUSALS = (
    errors.ProductNotFound,
    errors.VariantNotFound,
    errors.ZoneNotFound,
    errors.EmployeeNotFound,
    errors.NotAFlorist,
    errors.NotACourier,
    errors.ProductNotForSale,
    errors.WindowNotOffered,
    errors.StockShort,
    KeyReused,
)
LINE_REFUSALS = (errors.OrderNotFound, errors.NotEditable, errors.StockShort)


def key_of(request: Any) -> str:
    """The caller's `Idempotency-Key`, empty without one. Raises `Invalid` for a long or unprintable one."""
    key = str(request.headers.get(KEY_HEADER, "") or request.headers.get(f"X-{KEY_HEADER}", "")).strip()
    if len(key) > orders.LONGEST_KEY or not key.isprintable():
        msg = f"Value error, at most {orders.LONGEST_KEY} printable characters"
        raise Invalid.field(KEY_HEADER, msg, where="header", given=key[: orders.LONGEST_KEY])
    return key


class OrderView(FloristView):
    """For whoever has orders at all; methods in `managed` are for the desk."""

    tag = "orders"
    needs = ("orders", "own")
    managed: ClassVar[frozenset[str]] = frozenset()
    refusals = (errors.NotEnoughPermissions,)

    def sign_in(self, request: Any, login: Literal["required", "optional", "none"]) -> None:
        """Raises `NotEnoughPermissions` before the shape of the request is looked at."""
        super().sign_in(request, login)
        if login == "required" and request.method in self.managed:
            access.ensure_may(request.member, "orders")

    def whole(self, request: Any, order: Order) -> dict[str, Any]:
        """OrderFull of an order that has just been changed."""
        return questions.full(questions.one(by=request.member, order_id=order.pk), by=request.member)


class Orders(OrderView):
    """The list, and orders without lines."""

    managed = frozenset({"POST"})

    @endpoint(query=shapes.OrdersQuery, login="required", answers={200: shapes.OrderList}, summary="Orders")
    def get(self, request: Any, *, query: shapes.OrdersQuery) -> dict[str, Any]:
        """Newest first; florists see their own and free ones, couriers their own."""
        found, total = questions.listed(
            by=request.member,
            shop=request.member.shop,
            filters=query.filters(),
            skip=query.first,
            limit=query.limit,
        )
        return self.wire.paged([questions.full(order, by=request.member) for order in found], total)

    @extend_schema(parameters=[KEY_DOCUMENT])
    @endpoint(
        body=shapes.BareOrderIn,
        login="required",
        answers={201: shapes.OrderOut},
        refusals=CREATE_REFUSALS,
        summary="Take an order without lines",
    )
    def post(self, request: Any, *, body: shapes.BareOrderIn) -> dict[str, Any]:
        """The desk names the sums."""
        shop = request.member.shop
        order = orders.create(
            by=request.member, shop=shop, draft=body.draft(shop), source=body.source, key=key_of(request)
        )
        return questions.row(order)


class OrdersWithItems(OrderView):
    """Orders with lines."""

    managed = frozenset({"POST"})

    @extend_schema(parameters=[KEY_DOCUMENT])
    @endpoint(
        body=shapes.OrderIn,
        login="required",
        answers={201: shapes.OrderFull},
        refusals=CREATE_REFUSALS,
        summary="Take an order",
    )
    def post(self, request: Any, *, body: shapes.OrderIn) -> dict[str, Any]:
        """At the shop's prices; missing stems are refused with a list unless it is taken as a backorder."""
        shop = request.member.shop
        lines = tuple(line.wish() for line in body.items)
        order = orders.create(
            by=request.member,
            shop=shop,
            draft=body.draft(shop, items=lines),
            source=body.source,
            key=key_of(request),
            allow_short=body.allow_backorder,
        )
        return self.whole(request, order)


class OneOrder(OrderView):
    """One order."""

    managed = frozenset({"PATCH"})

    @endpoint(
        path=shapes.OrderPath,
        login="required",
        answers={200: shapes.OrderDetail},
        refusals=[errors.OrderNotFound],
        summary="An order with all that happened",
    )
    def get(self, request: Any, *, order_id: int) -> dict[str, Any]:
        """With lines, people, history, comments and pictures."""
        return questions.detail(questions.one(by=request.member, order_id=order_id), by=request.member)

    @endpoint(
        path=shapes.OrderPath,
        body=shapes.OrderPatch,
        login="required",
        answers={200: shapes.OrderOut},
        refusals=[
            errors.OrderNotFound,
            errors.NotEditable,
            errors.WindowNotOffered,
            errors.ZoneNotFound,
            errors.IllegalStopStep,
            errors.ChangedMeanwhile,
        ],
        summary="Change an order",
    )
    def patch(self, request: Any, *, order_id: int, body: shapes.OrderPatch) -> dict[str, Any]:
        """What is named; another window, zone or method is checked and priced as for a new order."""
        order = orders.edit(
            by=request.member,
            order_id=order_id,
            changes=body.changes(request.member.shop),
            ignores_limits=body.ignore_limits,
            version=body.version,
        )
        return questions.row(order)


class OrderStatus(OrderView):
    """Forward."""

    @endpoint(
        path=shapes.OrderPath,
        body=shapes.StatusIn,
        login="required",
        answers={200: shapes.OrderOut},
        refusals=[
            errors.OrderNotFound,
            errors.IllegalTransition,
            errors.CannotCancel,
            errors.StockShort,
            errors.ChangedMeanwhile,
        ],
        summary="Move an order on",
    )
    def patch(self, request: Any, *, order_id: int, body: shapes.StatusIn) -> dict[str, Any]:
        """By the table; florists assemble and couriers bring what is theirs. `cancelled` is for the desk."""
        order = lifecycle.move(
            by=request.member, order_id=order_id, to=body.status, comment=body.comment, version=body.version
        )
        return questions.shown_to(order, by=request.member)


class OrderIssue(OrderView):
    """Aside."""

    @endpoint(
        path=shapes.OrderPath,
        body=shapes.IssueIn,
        login="required",
        answers={200: shapes.OrderOut},
        refusals=[errors.OrderNotFound, errors.IllegalTransition],
        summary="Report a problem",
    )
    def patch(self, request: Any, *, order_id: int, body: shapes.IssueIn) -> dict[str, Any]:
        """`issueType` is known too; the status before is kept for the way back."""
        order = lifecycle.report_issue(
            by=request.member, order_id=order_id, issue_type=body.issue_type, comment=body.comment
        )
        return questions.shown_to(order, by=request.member)


class OrderRollback(OrderView):
    """Back."""

    managed = frozenset({"POST"})

    @endpoint(
        path=shapes.OrderPath,
        body=shapes.RollbackIn,
        login="required",
        answers={200: shapes.OrderOut},
        refusals=[errors.OrderNotFound, errors.CannotRollBack, errors.StockShort, errors.ChangedMeanwhile],
        summary="Take a step back",
    )
    def post(self, request: Any, *, order_id: int, body: shapes.RollbackIn) -> dict[str, Any]:
        """By the rollback map, with a reason."""
        order = lifecycle.rollback(
            by=request.member, order_id=order_id, to=body.target_status, reason=body.reason, version=body.version
        )
        return questions.row(order)


class OrderCancel(OrderView):
    """Out."""

    managed = frozenset({"POST"})

    @endpoint(
        path=shapes.OrderPath,
        body=shapes.CancelIn,
        login="required",
        answers={200: shapes.OrderOut},
        refusals=[errors.OrderNotFound, errors.CannotCancel, errors.ChangedMeanwhile],
        summary="Cancel an order",
    )
    def post(self, request: Any, *, order_id: int, body: shapes.CancelIn) -> dict[str, Any]:
        """Stems and tasks are freed, what was paid is due back."""
        order = lifecycle.cancel(
            by=request.member, order_id=order_id, reason=body.cancellation_reason, version=body.version
        )
        return questions.row(order)


class AssignFlorist(OrderView):
    """Who makes it."""

    managed = frozenset({"POST"})

    @endpoint(
        path=shapes.OrderPath,
        query=shapes.FloristIn,
        body=shapes.FloristIn,
        body_optional=True,
        login="required",
        answers={200: shapes.Message},
        refusals=[errors.OrderNotFound, errors.EmployeeNotFound, errors.NotAFlorist],
        summary="Name the florist",
    )
    def post(self, request: Any, *, order_id: int, query: shapes.FloristIn, body: shapes.FloristIn) -> dict[str, str]:
        """`florist_id` in the query or in the body."""
        florist_id = query.florist_id or body.florist_id
        if florist_id is None:
            raise Invalid.field("florist_id", "Field required", kind="missing", where="query")
        lifecycle.assign_florist(by=request.member, order_id=order_id, florist_id=florist_id)
        return {"detail": "Florist assigned successfully"}


class AssignCourier(OrderView):
    """Who brings it."""

    managed = frozenset({"POST"})

    @endpoint(
        path=shapes.OrderPath,
        body=shapes.CourierIn,
        login="required",
        answers={200: shapes.OrderFull},
        refusals=[errors.OrderNotFound, errors.EmployeeNotFound, errors.NotACourier, errors.IllegalStopStep],
        summary="Name the courier",
    )
    def post(self, request: Any, *, order_id: int, body: shapes.CourierIn) -> dict[str, Any]:
        """One of the shop's by id, or somebody from outside by phone and name. A courier who has picked it up hands

        his run over instead.
        """
        order = lifecycle.assign_courier(
            by=request.member,
            order_id=order_id,
            courier_id=body.courier_id,
            phone=body.courier_phone or "",
            name=body.courier_name or "",
        )
        return self.whole(request, order)


class OrderItems(OrderView):
    """The lines."""

    managed = frozenset({"POST"})

    @endpoint(
        path=shapes.OrderPath,
        login="required",
        answers={200: list[shapes.OrderItemOut]},
        refusals=[errors.OrderNotFound],
        summary="Lines of an order",
    )
    def get(self, request: Any, *, order_id: int) -> list[dict[str, Any]]:
        """As they were sold."""
        return [questions.item_out(item) for item in questions.items_of(by=request.member, order_id=order_id)]

    @endpoint(
        path=shapes.OrderPath,
        body=shapes.NewItem,
        login="required",
        answers={201: shapes.OrderItemOut},
        refusals=[*LINE_REFUSALS, errors.ProductNotFound, errors.VariantNotFound, errors.ProductNotForSale],
        summary="Add a line",
    )
    def post(self, request: Any, *, order_id: int, body: shapes.NewItem) -> dict[str, Any]:
        """While nobody has made it; at the price of today."""
        item = items.add(by=request.member, order_id=order_id, wish=body.wish(), allow_short=body.allow_backorder)
        return questions.item_out(item)


class OneItem(OrderView):
    """One line."""

    managed = frozenset({"PATCH", "DELETE"})

    @endpoint(
        path=shapes.ItemPath,
        body=shapes.ItemPatch,
        login="required",
        answers={200: shapes.OrderItemOut},
        refusals=[*LINE_REFUSALS, errors.OrderItemNotFound],
        summary="Change a line",
    )
    def patch(self, request: Any, *, order_id: int, item_id: int, body: shapes.ItemPatch) -> dict[str, Any]:
        """Stems and sums follow."""
        item = items.change(
            by=request.member,
            order_id=order_id,
            item_id=item_id,
            quantity=body.quantity,
            allow_short=body.allow_backorder,
        )
        return questions.item_out(item)

    @endpoint(
        path=shapes.ItemPath,
        login="required",
        answers={200: shapes.Message},
        refusals=[errors.OrderNotFound, errors.NotEditable, errors.OrderItemNotFound, errors.LastLine],
        summary="Take a line out",
    )
    def delete(self, request: Any, *, order_id: int, item_id: int) -> dict[str, str]:
        """Its stems are free again; the last line stays."""
        items.remove(by=request.member, order_id=order_id, item_id=item_id)
        return {"detail": "Item deleted successfully"}


urlpatterns = [
    path("api/orders/", Orders, name="orders"),
    path("api/orders/with-items", OrdersWithItems, name="orders-with-items"),
    path("api/orders/<str:order_id>", OneOrder, name="order"),
    path("api/orders/<str:order_id>/status", OrderStatus, name="order-status"),
    path("api/orders/<str:order_id>/issue", OrderIssue, name="order-issue"),
    path("api/orders/<str:order_id>/rollback-status", OrderRollback, name="order-rollback"),
    path("api/orders/<str:order_id>/cancel", OrderCancel, name="order-cancel"),
    path("api/orders/<str:order_id>/assign-florist", AssignFlorist, name="order-assign-florist"),
    path("api/orders/<str:order_id>/assign-courier", AssignCourier, name="order-assign-courier"),
    path("api/orders/<str:order_id>/items", OrderItems, name="order-items"),
    path("api/orders/<str:order_id>/items/<str:item_id>", OneItem, name="order-item"),
]
