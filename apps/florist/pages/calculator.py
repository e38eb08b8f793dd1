"""What a bouquet costs: stems and decor in, the server's sums out; kept as a product, then put into an order."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as say
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from apps.core.errors import Refused
from apps.florist.access import may
from apps.florist.actions import calculator
from apps.florist.actions.calculator import Bouquet, FlowerWish, MaterialWish, Quote
from apps.florist.models import Employee, Product
from apps.florist.pages.desk import for_staff, show, words_of
from apps.florist.pages.forms import Mix
from apps.florist.queries import boards
from apps.florist.queries import stock as shelves

LEVELS = {
    "below_minimum": (_("below the minimum"), "bad"),
    "minimum": (_("low"), "warm"),
    "recommended": (_("recommended"), "good"),
    "premium": (_("premium"), "good"),
}
SHOWN = 200
LARGEST = 100_000


@require_http_methods(["GET", "HEAD", "POST"])
@for_staff(("warehouse", "read"))
def calculate(request: HttpRequest, *, by: Employee) -> HttpResponse:
    """GET, POST /desk/florist/calculator/: `way` is count, save (a product) or order (a product, then its order)."""
    form = Mix(request.POST or None)
    quote: Quote | None = None
    if request.method == "POST" and form.is_valid():
        try:
            bouquet = _bouquet(form)
            if request.POST.get("way") in ("save", "order"):
                return _saved(request, form, bouquet, by)
            quote = calculator.quote(by=by, shop=by.shop, bouquet=bouquet)
        except Refused as refused:
            form.add_error(None, words_of(refused))
    context: dict[str, Any] = {
        "form": form,
        "batches": [(batch, request.POST.get(f"batch-{batch.pk}", "")) for batch in shelves.in_stock(by.shop)[:SHOWN]],
        "materials": [(row, request.POST.get(f"material-{row.pk}", "")) for row in boards.materials(by)],
        "quote": quote,
        "level": LEVELS[quote.level] if quote else ("", ""),
        "may_sell": may(by, "orders"),
        "sees_cost": by.is_manager,
    }
    status = 422 if form.errors else 200
    return show(request, "florist/calculator.html", by=by, here="calculator", status=status, **context)


def _bouquet(form: Mix) -> Bouquet:
    """What was typed; a box with nonsense counts as empty."""
    flowers = [(pk, _number(text)) for pk, text in form.counted("batch")]
    materials = [(pk, _number(text)) for pk, text in form.counted("material")]
    return Bouquet(
        flowers=[FlowerWish(qty=int(qty), warehouse_item_id=pk) for pk, qty in flowers if qty >= 1],
        materials=[MaterialWish(qty=qty, material_id=pk) for pk, qty in materials if qty > 0],
        labor_cost=form.cleaned_data["labor_cost"],
        target_margin=form.cleaned_data["target_margin"],
    )


def _number(text: str) -> Decimal:
    try:
        found = Decimal(text[:12])
    except InvalidOperation:
        return Decimal(0)
    return found.quantize(Decimal("0.001")) if found.is_finite() and 0 <= found <= LARGEST else Decimal(0)


def _saved(request: HttpRequest, form: Mix, bouquet: Bouquet, by: Employee) -> HttpResponse:
    fields: dict[str, Any] = form.cleaned_data
    product = calculator.create_product(
        by=by,
        shop=by.shop,
        bouquet=bouquet,
        name=fields["product_name"],
        category=fields["category"] or Product.Category.BOUQUET,
    )
    messages.success(request, say("“%(name)s” is in the catalogue") % {"name": product.name})
    if request.POST["way"] == "order" and may(by, "orders"):
        return HttpResponseRedirect(f"{reverse('florist-pages:new-order')}?product={product.pk}")
    return HttpResponseRedirect(reverse("florist-pages:calculator"))
