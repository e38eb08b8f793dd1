"""What products build with: shapes that speak FastAPI's 422, the caller, pruning."""

import json
from datetime import timedelta

import pytest
from django.utils import timezone
from rest_framework.test import APIRequestFactory

from apps.accounts import actions, kit, tasks, tokens
from apps.accounts.authentication import BearerAuthentication
from apps.accounts.models import AuthLog, OneTimeCode, Session
from apps.accounts.tests import cast
from apps.core import wire


class DemoBearer(BearerAuthentication):
    audience = "demo"


class LogInView(kit.AuthView):
    product = "demo"

    @wire.endpoint(body=kit.LogIn, answers={200: kit.TokenPair})
    def post(self, request, *, body):
        """Sign in."""
        user = actions.log_in(
            identifier=body.username, password=body.password, figures=kit.LoginFigures(), caller=self.caller
        )
        pair = tokens.issue(user, "demo", "m-1", caller=self.caller)
        return {"access_token": pair.access, "refresh_token": pair.refresh, "token_type": "bearer"}


class MeView(wire.View):
    authentication_classes = (DemoBearer,)

    @wire.endpoint(login="required", answers={200: dict})
    def get(self, request):
        """Who am I."""
        return {"id": request.auth.subject, "name": request.member.first_name}


def call(view, method="post", body=None, **headers):
    sent = {"data": json.dumps(body), "content_type": "application/json"} if body else {}
    request = getattr(APIRequestFactory(), method)("/", **sent, **headers)
    answer = view.as_view()(request)
    return answer.status_code, json.loads(answer.content)


@pytest.mark.django_db
def test_a_product_builds_its_auth_in_a_few_lines():
    cast.aziza()
    body = {"username": "90 123 45 67", "password": cast.PASSWORD}
    status, pair = call(LogInView, body=body, HTTP_USER_AGENT="Phone", REMOTE_ADDR="203.0.113.7")
    assert status == 200
    session = Session.objects.get()
    assert (session.address, session.user_agent, AuthLog.objects.get().product) == ("203.0.113.7", "Phone", "demo")
    token = f"Bearer {pair['access_token']}"
    assert call(MeView, "get", HTTP_AUTHORIZATION=token) == (200, {"id": "m-1", "name": "Aziza"})
    assert call(MeView, "get", HTTP_AUTHORIZATION="Bearer x")[0] == 401
    assert call(MeView, "get")[0] == 401
    assert call(LogInView, body={**body, "password": "wrong"})[0] == 401
    assert call(LogInView, body={"username": "a"})[0] == 422


@pytest.mark.parametrize(
    ("shape", "given", "phone"),
    [
        (kit.PhoneUZ, "90 123-45-67", "+998901234567"),
        (kit.PhoneTR, "0 532 123 45 67", "+905321234567"),
        (kit.PhoneKZ, "701 123 45 67", "+77011234567"),
    ],
)
def test_phones_are_read_with_the_products_country(shape, given, phone):
    class Body(wire.Shape):
        phone: shape

    assert Body(phone=given).phone == phone


@pytest.mark.parametrize("given", ["", "123", "abcdefgh", "+" * 20, "9" * 40])
def test_a_bad_phone_is_one_field_error(given):
    with pytest.raises(wire.errors.Invalid) as caught:
        wire.read_shape(kit.RequestCode, {"phone": given}, "body")
    [found] = caught.value.errors
    assert found["loc"] == ["body", "phone"]


@pytest.mark.parametrize("code", ["123", "123456789", "12345a", "", "١٢٣٤٥٦"])
def test_a_code_is_four_to_eight_digits(code):
    with pytest.raises(wire.errors.Invalid):
        wire.read_shape(kit.ProveCode, {"phone": cast.PHONE, "code": code}, "body")


@pytest.mark.django_db
def test_old_rows_are_forgotten():
    now, user = timezone.now(), cast.aziza()
    for days in (1, 8):
        OneTimeCode.objects.create(
            phone=cast.PHONE, purpose=f"p{days}", created_at=now - timedelta(days=days), expires_at=now
        )
        Session.objects.create(user=user, audience="demo", subject="1", expires_at=now - timedelta(days=days * 5))
        AuthLog.objects.create(event="logged_in", at=now - timedelta(days=days * 50))
    assert tasks.prune() == {"codes": 1, "links": 0, "sessions": 1, "log": 1, "spending": 0}
    assert tasks.prune() == {"codes": 0, "links": 0, "sessions": 0, "log": 0, "spending": 0}
