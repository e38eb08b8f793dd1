import pytest
from django.urls import Resolver404, URLResolver
from django.urls.resolvers import RegexPattern

from apps.core.routing import path


def view(request):
    return None


resolver = URLResolver(
    RegexPattern(r"^/"),
    [path("api/orders", view, name="a"), path("api/orders/<str:order_id>", view), path("old/", view)],
)


@pytest.mark.parametrize("address", ["/api/orders", "/api/orders/", "/old", "/old/"])
def test_both_forms_answer(address):
    assert resolver.resolve(address).func is view


def test_a_value_never_swallows_the_slash():
    assert resolver.resolve("/api/orders/abc/").kwargs == {"order_id": "abc"}
    assert resolver.resolve("/api/orders/abc").kwargs == {"order_id": "abc"}


@pytest.mark.parametrize("address", ["/api/orders//", "/api", "/api/orders/a/b", "/old//"])
def test_other_addresses_do_not(address):
    with pytest.raises(Resolver404):
        resolver.resolve(address)
