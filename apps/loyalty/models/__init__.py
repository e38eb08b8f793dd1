"""Tables of the restaurant's cashback, one module per noun."""

from apps.loyalty.models.branches import Branch
from apps.loyalty.models.cashback import CashbackTransaction
from apps.loyalty.models.clients import Card, Client, DeletedPhone
from apps.loyalty.models.files import StoredFile
from apps.loyalty.models.iiko import IikoJob, IikoNotice, IikoReconciliation
from apps.loyalty.models.menu import Category, Product
from apps.loyalty.models.news import Announcement, News
from apps.loyalty.models.staff import Staff

__all__ = [
    "Announcement",
    "Branch",
    "Card",
    "CashbackTransaction",
    "Category",
    "Client",
    "DeletedPhone",
    "IikoJob",
    "IikoNotice",
    "IikoReconciliation",
    "News",
    "Product",
    "Staff",
    "StoredFile",
]
