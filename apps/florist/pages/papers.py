"""What is printed for an order: the card, the work order, the label on the wrapping."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from apps.florist.models import Employee
from apps.florist.pages.desk import for_staff, show
from apps.florist.queries import boards, stock

PAPERS = {
    "card": "florist/paper_card.html",
    "work-order": "florist/paper_work.html",
    "label": "florist/paper_label.html",
}


@require_safe
@for_staff(("orders", "own"))
def paper(request: HttpRequest, order_id: int, name: str, *, by: Employee) -> HttpResponse:
    """GET /desk/manager/orders/<id>/print/<card|work-order|label>. No costs on any of them."""
    if name not in PAPERS:
        raise Http404
    order = boards.order(by, order_id)
    lists = stock.stem_list([item.pk for item in order.items.all()]) if name == "work-order" else {}
    lines = [(item, lists.get(item.pk, [])) for item in order.items.all()]
    return show(request, PAPERS[name], by=by, here="orders", order=order, lines=lines)
