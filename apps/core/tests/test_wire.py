import json
from datetime import UTC, datetime
from decimal import Decimal
from types import SimpleNamespace
from typing import Annotated
from urllib.parse import quote

import pytest
from django.test import RequestFactory, override_settings
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import Field
from rest_framework.authentication import BaseAuthentication

from apps.core import errors
from apps.core.throttle import Limit
from apps.core.wire import Shape, View, endpoint


class Tea(Shape):
    cups: Annotated[int, Field(ge=1, le=10)]
    name: str = "green"


class TeaQuery(Shape):
    kinds: list[str] = []
    limit: Annotated[int, Field(ge=1)] = 5


class Empty(errors.Conflict):
    code = "empty"
    detail = "Only {cups} cups left"


class ByHeader(BaseAuthentication):
    def authenticate(self, request):
        token = request.META.get("HTTP_AUTHORIZATION", "")
        if not token:
            return None
        if token != "Bearer good":
            raise errors.Unauthenticated()
        return SimpleNamespace(pk=1, language="ru"), token


class TeaView(View):
    authentication_classes = [ByHeader]

    @endpoint(answers={201: Tea}, body=Tea, login="required", refusals=[Empty])
    def post(self, request, *, body):
        if body.cups > 5:
            raise Empty(cups=5)
        return {
            "cups": body.cups,
            "price": Decimal("1.50"),
            "whole": Decimal("2.00"),
            "at": datetime(2026, 1, 2, tzinfo=UTC),
        }

    @endpoint(answers={200: Tea}, query=TeaQuery, login="optional")
    def get(self, request, *, query):
        return {"kinds": query.kinds, "limit": query.limit, "who": getattr(request.member, "pk", None)}

    @endpoint(answers={204: None}, login="none", limit=None)
    def delete(self, request):
        return None

    @endpoint(answers={200: dict}, login="optional", limit=Limit(2, 3600))
    def put(self, request):
        return {}


def call(method, body=None, query="", token=None, content_type="application/json"):
    headers = {"HTTP_AUTHORIZATION": token} if token else {}
    raw = body if isinstance(body, bytes) else json.dumps(body).encode() if body is not None else b""
    request = RequestFactory().generic(method, f"/tea{query}", raw, content_type=content_type, **headers)
    answer = TeaView.as_view()(request)
    return answer, json.loads(answer.content) if answer.content else None


def test_unparsable_json_comes_before_the_login():
    answer, body = call("POST", b"{nonsense")
    assert answer.status_code == 422
    assert body["detail"][0]["type"] == "json_invalid"
    assert body["detail"][0]["loc"][0] == "body"


def test_the_login_comes_before_the_shape():
    answer, body = call("POST", {"cups": "many"})
    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Bearer")
    assert body["detail"] == "Not authenticated"


def test_a_bad_shape_is_a_list_in_the_originals_form():
    answer, body = call("POST", {"cups": 11}, token="Bearer good")
    assert answer.status_code == 422
    assert body == {
        "detail": [
            {
                "type": "less_than_equal",
                "loc": ["body", "cups"],
                "msg": "Input should be less than or equal to 10",
                "input": 11,
                "ctx": {"le": 10},
            }
        ]
    }


@pytest.mark.parametrize(("given", "status"), [("3", 201), (3.0, 201), (2.5, 422), (None, 422), (True, 201), ([], 422)])
def test_numbers_are_read_as_laxly_as_before(given, status):
    assert call("POST", {"cups": given}, token="Bearer good")[0].status_code == status


@pytest.mark.parametrize("raw", [b"[]", b"1", b'"x"', b"null"])
def test_a_body_that_is_no_object_is_malformed(raw):
    answer, body = call("POST", raw, token="Bearer good")
    assert answer.status_code == 422
    assert body["detail"][0]["loc"] == ["body"]


def test_an_absent_body_is_a_missing_field():
    answer, body = call("POST", b"", token="Bearer good")
    assert (answer.status_code, body["detail"][0]["type"]) == (422, "missing")


@pytest.mark.parametrize("raw", [b'{"cups": 1, "name": "a\\u0000b"}', b'{"cups": 1, "x": [{"y": "\\u0000"}]}'])
def test_the_nul_character_is_malformed_wherever_it_hides(raw):
    answer, body = call("POST", raw, token="Bearer good")
    assert answer.status_code == 422
    assert "NUL" in body["detail"][0]["msg"]


def test_a_lone_surrogate_and_deep_nesting_are_malformed():
    assert call("POST", b'{"cups": 1, "name": "\\ud800"}', token="Bearer good")[0].status_code == 422
    assert call("POST", b'{"a":' * 3000 + b"1" + b"}" * 3000, token="Bearer good")[0].status_code == 422


@override_settings(DATA_UPLOAD_MAX_MEMORY_SIZE=2**20)
def test_a_body_past_the_limit_is_too_large():
    answer, body = call("POST", b'{"name": "' + b"x" * 2**20 + b'"}', token="Bearer good")
    assert (answer.status_code, body["detail"]) == (413, "File is larger than 1 MB")


def test_a_refusal_speaks_to_programs_and_to_people():
    answer, body = call("POST", {"cups": 6}, token="Bearer good")
    assert answer.status_code == 409
    assert (body["detail"], body["code"]) == ("Only 5 cups left", "empty")
    assert body["message"]


def test_decimals_are_numbers_and_times_end_in_z():
    answer, body = call("POST", {"cups": 1}, token="Bearer good")
    assert answer.status_code == 201
    assert body == {"cups": 1, "price": 1.5, "whole": 2, "at": "2026-01-02T00:00:00Z"}
    assert isinstance(body["whole"], int)


@pytest.mark.parametrize(("token", "who"), [(None, None), ("Bearer bad", None), ("Bearer good", 1)])
def test_an_optional_login_with_a_bad_proof_is_a_stranger(token, who):
    assert call("GET", token=token)[1]["who"] == who


def test_query_lists_collect_and_the_last_single_value_wins():
    assert call("GET", query="?kinds=a&kinds=b&limit=2&limit=3")[1] == {"kinds": ["a", "b"], "limit": 3, "who": None}


@pytest.mark.parametrize(
    ("query", "loc"),
    [("?limit=x", ["query", "limit"]), ("?limit=", ["query", "limit"]), ("?kinds=%00", ["query", "kinds", 0])],
)
def test_a_bad_query_names_its_field(query, loc):
    answer, body = call("GET", query=query)
    assert (answer.status_code, body["detail"][0]["loc"]) == (422, loc)


def test_nothing_to_say_is_204_without_a_body():
    answer, body = call("DELETE")
    assert (answer.status_code, body) == (204, None)


def test_a_method_that_is_not_there_is_405():
    answer, body = call("PATCH", {"cups": 1})
    assert (answer.status_code, body["detail"]) == (405, "Method Not Allowed")
    assert "POST" in answer["Allow"]


def test_past_the_limit_it_says_when_to_come_back():
    assert [call("PUT")[0].status_code for _ in range(3)] == [200, 200, 429]
    assert int(call("PUT")[0]["Retry-After"]) > 0


def test_content_type_and_accept_are_not_looked_at():
    assert call("POST", {"cups": 1}, token="Bearer good", content_type="text/plain")[0].status_code == 201
    assert call("GET", content_type="application/json")[0].status_code == 200


class DoorView(View):
    @endpoint(answers={200: dict}, login="none", limit=Limit(2, 3600))
    def get(self, request):
        return {}


def test_a_limit_counts_where_nobody_signs_in_too():
    def knock(address):
        return DoorView.as_view()(RequestFactory().get("/door", REMOTE_ADDR=address)).status_code

    assert [knock("203.0.113.77") for _ in range(3)] == [200, 200, 429]
    assert knock("203.0.113.78") == 200


@pytest.mark.parametrize("levels", [101, 255, 1000])
@pytest.mark.parametrize("core", [b"1", b'"\\u0000"'])
def test_a_body_nested_too_deeply_is_unparsable(levels, core):
    answer, body = call("POST", b'{"name":' + b"[" * levels + core + b"]" * levels + b"}", token="Bearer good")
    assert (answer.status_code, body["detail"][0]["type"]) == (422, "json_invalid")
    answer, body = call("POST", b'{"a":' * levels + core + b"}" * levels, token="Bearer good")
    assert (answer.status_code, body["detail"][0]["type"]) == (422, "json_invalid")


def test_many_brackets_side_by_side_are_not_deep():
    answer, _ = call("POST", b'{"cups":1,"more":[' + b"[]," * 500 + b"[]]}", token="Bearer good")
    assert answer.status_code == 201


def test_a_query_of_a_thousand_names_is_a_bad_request():
    answer, body = call("GET", query="?" + "&".join(f"n{number}=1" for number in range(1100)))
    assert (answer.status_code, body["code"]) == (400, "bad_request")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@settings(max_examples=150, deadline=None)
@given(value=json_values | st.fixed_dictionaries({"cups": json_values, "name": json_values}))
def test_no_json_is_a_server_error(value):
    answer, _ = call("POST", value, token="Bearer good")
    assert answer.status_code in (201, 409, 422)


@settings(max_examples=150, deadline=None)
@given(raw=st.binary(max_size=200))
def test_no_bytes_are_a_server_error(raw):
    assert call("POST", raw, token="Bearer good")[0].status_code in (201, 409, 422)
    assert call("GET", query="?limit=" + quote(raw) + "&" + quote(raw))[0].status_code in (200, 422)
