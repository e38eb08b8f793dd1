"""The peer of the list: the same orders through nested ModelSerializers and a counting paginator. For the bench only.

`granian bench.nested:application` serves it with the settings and middleware of the house.
"""

from __future__ import annotations

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from django.conf import settings  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.urls import path  # noqa: E402
from rest_framework import serializers  # noqa: E402
from rest_framework.generics import ListAPIView  # noqa: E402
from rest_framework.pagination import LimitOffsetPagination  # noqa: E402

from apps.accounts.models import User  # noqa: E402
from apps.urgent.models import Member, Order, Take  # noqa: E402


class PersonSerializer(serializers.ModelSerializer[User]):
    class Meta:
        model = User
        fields = ["first_name", "last_name", "photo_url"]


class MemberSerializer(serializers.ModelSerializer[Member]):
    user = PersonSerializer()

    class Meta:
        model = Member
        fields = ["id", "average_rating", "user"]


class TakeSerializer(serializers.ModelSerializer[Take]):
    executor = MemberSerializer()

    class Meta:
        model = Take
        fields = ["executor", "taken_at"]


class OrderSerializer(serializers.ModelSerializer[Order]):
    taken_by = TakeSerializer(many=True, source="takes")
    client = MemberSerializer()

    class Meta:
        model = Order
        fields = [
            *("id", "category", "description", "city", "created_at", "expires_in_minutes", "status", "city_locked"),
            *("customer_responded_at", "rating", "review_comment", "client", "taken_by"),
        ]


class Orders(ListAPIView[Order]):
    serializer_class = OrderSerializer
    pagination_class = LimitOffsetPagination
    queryset = (
        Order.objects.filter(status=Order.Status.ACTIVE)
        .select_related("client__user")
        .prefetch_related("takes__executor__user")
    )


urlpatterns = [path("api/orders", Orders.as_view())]
settings.ROOT_URLCONF = __name__
application = get_wsgi_application()
