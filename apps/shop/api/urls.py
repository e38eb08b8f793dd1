"""Every path of the shop as its clients call them (contract shop 1); the slash at the end is free."""

from __future__ import annotations

from apps.shop.api import auth, cart, catalogue, orders, payments, system, users

app_name = "shop"
urlpatterns = [
    *auth.urlpatterns,
    *users.urlpatterns,
    *catalogue.urlpatterns,
    *cart.urlpatterns,
    *orders.urlpatterns,
    *payments.urlpatterns,
    *system.urlpatterns,
]
