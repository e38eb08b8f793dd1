import pytest

LISTED = "http://localhost:10002"


def preflight(client, origin):
    asked = {"HTTP_ORIGIN": origin, "HTTP_ACCESS_CONTROL_REQUEST_METHOD": "PUT"}
    return client.options("/health", **asked, HTTP_ACCESS_CONTROL_REQUEST_HEADERS="x-anything, authorization")


def test_a_listed_origin_may_send_any_header(client):
    answer = preflight(client, LISTED)
    assert answer["access-control-allow-origin"] == LISTED
    assert answer["access-control-allow-headers"] == "x-anything, authorization"
    assert answer["access-control-allow-credentials"] == "true"
    assert answer["access-control-max-age"] == "600"
    assert answer["access-control-allow-methods"] == "GET, POST, PUT, PATCH, DELETE, OPTIONS"


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://localhost:10002.evil.example"])
def test_a_stranger_gets_no_leave(client, origin):
    assert "access-control-allow-origin" not in preflight(client, origin)
