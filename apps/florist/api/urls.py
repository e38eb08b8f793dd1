"""Every path of the flower shops as their clients call them (contract florist 1); the slash at the end is free."""

from __future__ import annotations

from django.urls import URLPattern

from apps.florist.api import (
    auth,
    calculator,
    comments,
    courier,
    customers,
    notifications,
    order_money,
    orders,
    photos,
    production,
    products,
    public,
    queue,
    runs,
    settings,
    showcase,
    standing,
    statistics,
    supplies,
    system,
    telegram,
    tracking,
    uploads,
    users,
    warehouse,
    windows,
)

app_name = "florist"
urlpatterns: list[URLPattern] = [
    *auth.urlpatterns,
    *calculator.urlpatterns,
    *comments.urlpatterns,
    *courier.urlpatterns,
    *customers.urlpatterns,
    *notifications.urlpatterns,
    *order_money.urlpatterns,
    *orders.urlpatterns,
    *photos.urlpatterns,
    *production.urlpatterns,
    *products.urlpatterns,
    *public.urlpatterns,
    *queue.urlpatterns,
    *runs.urlpatterns,
    *settings.urlpatterns,
    *showcase.urlpatterns,
    *standing.urlpatterns,
    *statistics.urlpatterns,
    *supplies.urlpatterns,
    *system.urlpatterns,
    *telegram.urlpatterns,
    *tracking.urlpatterns,
    *uploads.urlpatterns,
    *users.urlpatterns,
    *warehouse.urlpatterns,
    *windows.urlpatterns,
]
