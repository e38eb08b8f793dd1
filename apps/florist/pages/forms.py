"""Shapes of the pages' forms; rules live in the actions."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils.translation import gettext_lazy as _

from apps.core import phones
from apps.core.errors import Invalid
from apps.florist.actions.windows import YEARS
from apps.florist.models import DeliveryAttempt, Movement, Order, OrderPhoto, Product

TEL = {"type": "tel", "inputmode": "tel", "autocomplete": "tel", "placeholder": "+7 701 123 45 67"}
NUMBER = {"inputmode": "decimal"}
LARGEST_ID = 2**63 - 1


class PhoneField(forms.CharField):
    """A phone as people type it; E.164 in the end (contract 3.4)."""

    def __init__(self, **more: Any) -> None:
        super().__init__(max_length=32, widget=forms.TextInput(attrs=TEL), **more)

    def clean(self, value: Any) -> str:
        """Raises `ValidationError`."""
        text = super().clean(value)
        try:
            return phones.normalise(text, "KZ") if text else ""
        except Invalid as problem:
            raise forms.ValidationError(problem.words) from problem


class Day(forms.DateField):
    """A day of this century, like those of the API."""

    def __init__(self, **more: Any) -> None:
        bounds = [MinValueValidator(date(YEARS[0], 1, 1)), MaxValueValidator(date(YEARS[-1], 12, 31))]
        super().__init__(widget=forms.DateInput(attrs={"type": "date"}), validators=bounds, **more)


class Photo(forms.FileField):
    """A picture, from the camera where there is one; what is in it the action proves."""

    def __init__(self, **more: Any) -> None:
        more.setdefault("label", _("Photo"))
        super().__init__(
            widget=forms.FileInput(attrs={"accept": "image/*", "capture": "environment"}), max_length=300, **more
        )


class Id(forms.IntegerField):
    """A row's number, as large as databases keep them."""

    def __init__(self, **more: Any) -> None:
        super().__init__(min_value=1, max_value=LARGEST_ID, **more)


class Text(forms.CharField):
    """Several lines of words."""

    def __init__(self, *, max_length: int, rows: int = 2, **more: Any) -> None:
        super().__init__(max_length=max_length, widget=forms.Textarea(attrs={"rows": rows}), **more)


# ── In and out ──────────────────────────────────────────────────────────────────────────────────────────────────────
class SignIn(forms.Form):
    """Phone with a code or a password; which of them, the button says."""

    phone = PhoneField(label=_("Phone"))
    code = forms.CharField(
        label=_("Code from the message"),
        max_length=6,
        min_length=6,
        required=False,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "one-time-code", "pattern": "[0-9]{6}"}),
    )
    password = forms.CharField(
        label=_("Password"),
        max_length=128,
        strip=False,
        required=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )

    def is_for(self, way: str) -> bool:
        """Whether what this button needs is there."""
        if not self.is_valid():
            return False
        if way in ("code", "password") and not self.cleaned_data[way]:
            self.add_error(way, _("Please fill this in"))
        return not self.errors and way in ("ask", "code", "password")


# ── Orders ──────────────────────────────────────────────────────────────────────────────────────────────────────────
class Search(forms.Form):
    """What a list of orders shows."""

    search = forms.CharField(label=_("Phone, name or number"), max_length=100, required=False)
    status = forms.ChoiceField(label=_("Status"), required=False, choices=[("", _("All")), *Order.Status.choices])
    day = Day(label=_("Day"), required=False)
    page = forms.IntegerField(min_value=1, max_value=1000, required=False, widget=forms.HiddenInput)


class Move(forms.Form):
    """Which status next."""

    to = forms.ChoiceField(label=_("Status"), choices=Order.Status.choices)
    comment = forms.CharField(label=_("Comment"), max_length=1000, required=False)
    version = forms.IntegerField(required=False)
    allow_short = forms.BooleanField(required=False)


class Rollback(forms.Form):
    """Which status again, and why."""

    to = forms.ChoiceField(label=_("Back to"), choices=Order.Status.choices)
    reason = forms.CharField(label=_("Reason"), max_length=500)


class Reason(forms.Form):
    """Why."""

    reason = forms.CharField(label=_("Reason"), max_length=500)


class Issue(forms.Form):
    """What went wrong."""

    issue_type = forms.ChoiceField(label=_("What went wrong"), choices=Order.Issue.choices)
    comment = Text(label=_("In words"), max_length=2000)


class Person(forms.Form):
    """Somebody of the shop."""

    person = Id(label=_("Who"))


class Courier(forms.Form):
    """A courier of the shop, or somebody else by phone and name."""

    courier_id = Id(label=_("Courier"), required=False)
    phone = PhoneField(label=_("Other courier's phone"), required=False)
    name = forms.CharField(label=_("Other courier's name"), max_length=100, required=False)


class Word(forms.Form):
    """A comment; the buyer sees it only when it says so."""

    text = Text(label=_("Comment"), max_length=2000)
    is_public = forms.BooleanField(label=_("The buyer sees it"), required=False)


class OrderPicture(forms.Form):
    """A picture of an order."""

    file = Photo()
    photo_type = forms.ChoiceField(
        label=_("Kind of picture"), choices=OrderPhoto.Type.choices, initial=OrderPhoto.Type.PRE_DELIVERY
    )
    description = forms.CharField(label=_("Words"), max_length=500, required=False)


class Cash(forms.Form):
    """Money taken at the desk."""

    amount = forms.DecimalField(label=_("Amount"), min_value=0, max_digits=12, decimal_places=2)
    key = forms.CharField(max_length=64, required=False)


class NewLine(forms.Form):
    """One more product."""

    product_id = Id(label=_("Product"))
    quantity = forms.IntegerField(label=_("Pieces"), min_value=1, max_value=1000)
    allow_short = forms.BooleanField(required=False)


class Line(forms.Form):
    """Another number of pieces; nought takes the line out."""

    item_id = Id()
    quantity = forms.IntegerField(label=_("Pieces"), min_value=0, max_value=1000)


class Where(forms.Form):
    """Address, recipient and time of an order, as it was when the form was shown."""

    version = forms.IntegerField(required=False, widget=forms.HiddenInput)
    address = forms.CharField(label=_("Address"), max_length=500, required=False)
    address_needs_clarification = forms.BooleanField(label=_("The address is to be clarified"), required=False)
    recipient_name = forms.CharField(label=_("Recipient"), max_length=100, required=False)
    recipient_phone = PhoneField(label=_("Recipient's phone"), required=False)
    day = Day(label=_("Day"), required=False)
    begins = forms.TimeField(label=_("From"), required=False, widget=forms.TimeInput(attrs={"type": "time"}))
    ends = forms.TimeField(label=_("To"), required=False, widget=forms.TimeInput(attrs={"type": "time"}))


LINES = 5
"""Rows of goods on the form of a new order; further ones are added on the order's page."""


class NewOrder(forms.Form):
    """A whole order on one page: client, goods, delivery, payment."""

    customer_phone = PhoneField(label=_("Client's phone"))
    customer_name = forms.CharField(label=_("Client's name"), max_length=100, required=False)
    delivery_method = forms.ChoiceField(
        label=_("How"), choices=Order.Method.choices, initial=Order.Method.DELIVERY, widget=forms.RadioSelect
    )
    day = Day(label=_("Day"), required=False)
    slot = forms.CharField(label=_("Time"), max_length=11, required=False)
    delivery_time_text = forms.CharField(label=_("Time in words"), max_length=100, required=False)
    zone_id = Id(label=_("Zone"), required=False)
    address = forms.CharField(label=_("Address"), max_length=500, required=False)
    recipient_name = forms.CharField(label=_("Recipient"), max_length=100, required=False)
    recipient_phone = PhoneField(label=_("Recipient's phone"), required=False)
    is_anonymous = forms.BooleanField(label=_("The sender stays hidden"), required=False)
    payment_method = forms.ChoiceField(
        label=_("Payment"), choices=Order.PaymentMethod.choices, initial=Order.PaymentMethod.CASH
    )
    card_text = Text(label=_("Text of the card"), max_length=500, required=False)
    comment = Text(label=_("Comment for the florist"), max_length=2000, required=False)
    allow_short = forms.BooleanField(label=_("Take it although flowers are missing"), required=False)
    key = forms.CharField(max_length=64, widget=forms.HiddenInput)

    def goods(self) -> list[tuple[int, int]]:
        """Product and pieces of each filled row."""
        rows = []
        for number in range(LINES * 4):
            product, pieces = self.data.get(f"product-{number}", ""), self.data.get(f"pieces-{number}", "") or "1"
            if product.isascii() and product.isdigit() and pieces.isascii() and pieces.isdigit():
                rows.append((int(product[:18]), int(pieces[:6])))
        return rows


# ── Production ──────────────────────────────────────────────────────────────────────────────────────────────────────
class Tick(forms.Form):
    """A flower of the list is in the bouquet, or is not after all."""

    key = forms.CharField(max_length=140)
    is_ticked = forms.BooleanField(required=False)


class Substitute(forms.Form):
    """One flower for another: instead of a batch, or of a missing flower by the key of its stem."""

    order_item_id = Id()
    instead_of = forms.CharField(label=_("Instead of"), max_length=140)
    to_batch_id = Id(label=_("Take"))
    qty = forms.IntegerField(label=_("Stems"), min_value=1, max_value=10_000)
    reason = forms.CharField(label=_("Reason"), max_length=500)

    def clean_instead_of(self) -> int | str:
        """A number is a batch."""
        text: str = self.cleaned_data["instead_of"]
        return Id().clean(text) if text.isascii() and text.isdigit() else text


class Note(forms.Form):
    """What the florist says about the work."""

    note = Text(label=_("Note"), max_length=2000, required=False)


class Picture(forms.Form):
    """One picture."""

    file = Photo()


class Finish(forms.Form):
    """Handing in: a picture of the result, unless one is there already."""

    file = Photo(label=_("Photo of the result"), required=False)
    florist_notes = Text(label=_("Note for the check"), max_length=2000, required=False)


class Judge(forms.Form):
    """The check of somebody else's work."""

    quality_score = forms.TypedChoiceField(
        label=_("Mark"), coerce=int, choices=[(n, str(n)) for n in (5, 4, 3, 2, 1)], widget=forms.RadioSelect, initial=5
    )
    verdict = forms.ChoiceField(choices=[("approve", _("Approve")), ("return", _("Return"))])
    quality_notes = forms.CharField(label=_("Reason or remark"), max_length=2000, required=False)


# ── Stock ───────────────────────────────────────────────────────────────────────────────────────────────────────────
WASTE = [(reason.value, reason.label) for reason in Movement.WASTE]


class Waste(forms.Form):
    """Stems thrown away: how many, why, and a picture if there is one."""

    qty = forms.IntegerField(label=_("Stems"), min_value=1, max_value=100_000)
    reason = forms.ChoiceField(label=_("Why"), choices=WASTE)
    file = Photo(required=False)
    key = forms.CharField(max_length=64, required=False)


class Counted(forms.Form):
    """How many stems there really are."""

    qty = forms.IntegerField(label=_("Counted"), min_value=0, max_value=100_000)
    key = forms.CharField(max_length=64, required=False)


class Switch(forms.Form):
    """On or off."""

    is_on = forms.BooleanField(required=False)


class Subject(forms.Form):
    """Which row."""

    subject = Id()


class Once(forms.Form):
    """A button that two quick taps press once."""

    key = forms.CharField(max_length=64, required=False)


class Receive(forms.Form):
    """A supply as text: one flower a line."""

    supplier = forms.CharField(label=_("Supplier"), max_length=100)
    text = Text(label=_("Flowers"), max_length=20_000, rows=6, help_text=_("A line each: name, height, price, stems"))
    key = forms.CharField(max_length=64, required=False, widget=forms.HiddenInput)


class Mix(forms.Form):
    """What the calculator adds up; flowers and materials come as `batch-<id>` and `material-<id>`."""

    labor_cost = forms.DecimalField(
        label=_("Labour"),
        min_value=0,
        max_digits=12,
        decimal_places=2,
        required=False,
        widget=forms.NumberInput(NUMBER),
    )
    target_margin = forms.DecimalField(label=_("Margin, %"), min_value=0, max_value=1000, required=False)
    product_name = forms.CharField(label=_("Name of the bouquet"), max_length=200, required=False)
    category = forms.ChoiceField(label=_("Category"), choices=Product.Category.choices, required=False)

    def counted(self, prefix: str) -> list[tuple[int, str]]:
        """Id and quantity of every filled box of that kind; at most a hundred."""
        found = []
        for name, value in self.data.items():
            kind, _dash, number = name.partition("-")
            if kind == prefix and number.isascii() and number.isdigit() and str(value).strip():
                found.append((int(number[:18]), str(value).strip().replace(",", ".")))
        return found[:100]


# ── Couriers ────────────────────────────────────────────────────────────────────────────────────────────────────────
class Moment(forms.CharField):
    """When a phone says that it happened, in ISO with its zone; nonsense is no word."""

    def clean(self, value: Any) -> datetime | None:
        """The moment, or nothing."""
        try:
            found = datetime.fromisoformat(str(value or "")[:40])
        except ValueError:
            return None
        return found if found.tzinfo else None


class Keyed(forms.Form):
    """A deed that a phone may send twice; `done_at` is when it was done, if it waited for the network."""

    key = forms.CharField(max_length=64, required=False)
    done_at = Moment(required=False)


class Delivered(Keyed):
    """Handed over: to whom, with a picture, where."""

    receiver_name = forms.CharField(label=_("Who took it"), max_length=100, required=False)
    left_with = forms.CharField(label=_("Left with a neighbour or guard"), max_length=100, required=False)
    file = Photo(required=False)
    latitude = forms.FloatField(required=False, min_value=-90, max_value=90)
    longitude = forms.FloatField(required=False, min_value=-180, max_value=180)


class Failed(Keyed):
    """A door that stayed shut."""

    reason = forms.ChoiceField(label=_("What happened"), choices=DeliveryAttempt.Reason.choices)
    next_step = forms.ChoiceField(label=_("Next"), choices=DeliveryAttempt.Next.choices)
    note = forms.CharField(label=_("Note"), max_length=500, required=False)
    file = Photo(required=False)


class Taken(Keyed):
    """Cash from a recipient."""

    amount = forms.DecimalField(label=_("Cash received"), min_value=0, max_digits=12, decimal_places=2)


class Close(Keyed):
    """The end of a courier's day, the one that the page has shown; without one today."""

    day = forms.DateField(required=False)
    cash_handed = forms.DecimalField(label=_("Cash handed over"), min_value=0, max_digits=12, decimal_places=2)
    note = forms.CharField(label=_("Note"), max_length=500, required=False)


class StopOfRun(forms.Form):
    """A stop, and which way it goes."""

    stop_id = Id()
    to = forms.ChoiceField(choices=[("up", "up"), ("down", "down")], required=False)


class Build(forms.Form):
    """A run: a courier and his orders."""

    courier_id = Id(label=_("Courier"))
    day = forms.DateField(label=_("Day"), widget=forms.DateInput(attrs={"type": "date"}))
    orders = forms.TypedMultipleChoiceField(label=_("Orders"), coerce=int, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        given = self.data.getlist("orders") if hasattr(self.data, "getlist") else []  # type: ignore[attr-defined]
        numbers = [text for text in given if text.isascii() and text.isdigit() and len(text) < 19][:200]
        self.fields["orders"].choices = [(text, text) for text in numbers]  # type: ignore[attr-defined]
