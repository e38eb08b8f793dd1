"""The restaurant's back office, one module per noun."""

from apps.loyalty.admin import cashback, catalogue, files, guests, iiko, news, staff

__all__ = ["cashback", "catalogue", "files", "guests", "iiko", "news", "staff"]
