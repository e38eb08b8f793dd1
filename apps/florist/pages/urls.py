"""Addresses of the pages; the API's stand in `apps/florist/api/urls.py`."""

from __future__ import annotations

from django.urls import register_converter
from django.urls.converters import IntConverter

from apps.core.routing import path
from apps.florist.pages import (
    app,
    buyers,
    calculator,
    courier,
    entrance,
    florist,
    orders,
    overview,
    papers,
    runs,
    stock,
    taking,
    track,
)


class RowNumber(IntConverter):
    """A row's id: no more digits than a column holds."""

    regex = "[0-9]{1,18}"


register_converter(RowNumber, "row")

app_name = "florist-pages"
urlpatterns = [
    path("desk/florist/sign-in", entrance.sign_in, name="sign-in"),
    path("desk/florist/sign-out", entrance.sign_out, name="sign-out"),
    path("desk/florist/language", entrance.language, name="language"),
    path("desk/florist/home", entrance.home, name="home"),
    path("desk/florist/shop", entrance.shop, name="shop"),
    path("desk/florist/more", entrance.more, name="more"),
    path("desk/florist/manifest.webmanifest", app.manifest, name="manifest"),
    path("desk/florist/worker.js", app.worker, name="worker"),
    path("desk/florist/offline", app.offline, name="offline"),
    path("desk/florist/live-token", app.token, name="live-token"),
    path("desk/florist/", florist.today, name="today"),
    path("desk/florist/take", florist.take, name="take"),
    path("desk/florist/tasks/<row:task_id>/", florist.task, name="task"),
    path("desk/florist/tasks/<row:task_id>/<str:name>", florist.deed, name="task-deed"),
    path("desk/florist/check/", florist.check, name="check"),
    path("desk/florist/stock/", stock.stock, name="stock"),
    path("desk/florist/stock/receive", stock.receive, name="receive"),
    path("desk/florist/stock/<row:batch_id>/label", stock.label, name="price-label"),
    path("desk/florist/stock/<row:batch_id>/<str:name>", stock.deed, name="stock-deed"),
    path("desk/florist/showcase/<str:name>", stock.bouquet, name="bouquet"),
    path("desk/florist/calculator/", calculator.calculate, name="calculator"),
    path("desk/courier/", courier.run, name="run"),
    path("desk/courier/day/", courier.day, name="day"),
    path("desk/courier/day/close", courier.close_day, name="close-day"),
    path("desk/courier/runs/<row:run_id>/<str:name>", courier.run_deed, name="run-deed"),
    path("desk/courier/stops/<row:stop_id>/", courier.stop, name="stop"),
    path("desk/courier/stops/<row:stop_id>/<str:name>", courier.stop_deed, name="stop-deed"),
    path("desk/manager/", overview.desk, name="desk"),
    path("desk/manager/runs/", runs.board, name="runs"),
    path("desk/manager/runs/plan", runs.plan, name="plan-run"),
    path("desk/manager/runs/<row:run_id>/<str:name>", runs.deed, name="runs-deed"),
    path("desk/manager/cash/", runs.cash, name="cash"),
    path("desk/manager/cash/<row:day_id>/<str:name>", runs.day_deed, name="day-deed"),
    path("desk/manager/orders/", orders.listed, name="orders"),
    path("desk/manager/orders/new", taking.new, name="new-order"),
    path("desk/manager/orders/<row:order_id>/", orders.one, name="order"),
    path("desk/manager/orders/<row:order_id>/print/<str:name>", papers.paper, name="paper"),
    path("desk/manager/orders/<row:order_id>/<str:name>", orders.deed, name="order-deed"),
    path("desk/manager/buyers/", buyers.listed, name="buyers"),
    path("desk/manager/buyers/new", buyers.new, name="new-buyer"),
    path("desk/manager/buyers/<row:customer_id>/", buyers.one, name="buyer"),
    path("desk/manager/buyers/<row:customer_id>/<str:name>", buyers.deed, name="buyer-deed"),
    path("track/", track.find, name="track-find"),
    path("track/language", track.language, name="track-language"),
    path("track/repeat/<str:signed>", track.repeat, name="track-repeat"),
    path("track/<str:token>", track.track, name="track"),
    path("track/<str:token>/address", track.address, name="track-address"),
    path("track/<str:token>/comment", track.comment, name="track-comment"),
    path("track/<str:token>/feedback", track.feedback, name="track-feedback"),
    path("track/<str:token>/pay", track.pay, name="track-pay"),
]
