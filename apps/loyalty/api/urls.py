"""Every path of the product as its clients call them (contract loyalty 1); the slash at the end is free."""

from __future__ import annotations

from apps.loyalty.api import (
    auth,
    cashback,
    catalogue,
    files,
    iiko,
    logs,
    news,
    notifications,
    reports,
    stats,
    users,
    waiters,
)

app_name = "loyalty"
urlpatterns = [
    # What every opened app asks for stands first: routes are tried one after the other.
    *catalogue.urlpatterns,
    *news.urlpatterns,
    *auth.urlpatterns,
    *users.urlpatterns,
    *stats.urlpatterns,
    *cashback.urlpatterns,
    *waiters.urlpatterns,
    *logs.urlpatterns,
    *reports.urlpatterns,
    *files.urlpatterns,
    *notifications.urlpatterns,
    *iiko.urlpatterns,
]
