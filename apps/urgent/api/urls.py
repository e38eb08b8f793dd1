"""Every path of the market as its clients call them; without a slash is the canonical form (contract urgent 1.0)."""

from __future__ import annotations

from apps.core.routing import path
from apps.urgent.api import balance, bot, cities, orders, reviews, subscriptions, users

app_name = "urgent"
urlpatterns = [
    path("api/orders", orders.Orders, name="order-list"),
    path("api/orders/<str:order_id>", orders.OneOrder, name="order"),
    path("api/orders/<str:order_id>/take", orders.Take, name="order-take"),
    path("api/orders/<str:order_id>/respond", orders.Respond, name="order-respond"),
    path("api/orders/<str:order_id>/close", orders.Close, name="order-close"),
    path("api/orders/<str:order_id>/complete", orders.Complete, name="order-complete"),
    path("api/users/me", users.Me, name="me"),
    path("api/users/me/preferences", users.MyPreferences, name="preferences"),
    path("api/users/me/notification-settings", users.MyNotificationSettings, name="notification-settings"),
    *balance.urlpatterns,
    *reviews.urlpatterns,
    *cities.urlpatterns,
    *subscriptions.urlpatterns,
    *bot.urlpatterns,
]
