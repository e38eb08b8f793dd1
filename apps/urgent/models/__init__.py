"""Tables of the urgent-services market, one module per noun."""

from apps.urgent.models.cities import City
from apps.urgent.models.invoices import Invoice
from apps.urgent.models.members import Member
from apps.urgent.models.orders import Order, Take
from apps.urgent.models.reviews import Complaint, Review
from apps.urgent.models.subscriptions import Announcement, MailBox, WantedCategory, WantedCity

__all__ = [
    "Announcement",
    "City",
    "Complaint",
    "Invoice",
    "MailBox",
    "Member",
    "Order",
    "Review",
    "Take",
    "WantedCategory",
    "WantedCity",
]
