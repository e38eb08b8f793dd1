"""Tokens and refresh families: issue, read, rotate, reuse, revoke, bare tokens, cookies (design 3.23)."""

import time
from datetime import timedelta

import jwt
import pytest
import time_machine
from django.conf import settings as django_settings
from django.db import transaction
from django.http import HttpResponse
from django.utils import timezone
from rest_framework.test import APIRequestFactory

from apps.accounts import actions, errors, tokens
from apps.accounts.authentication import BearerAuthentication, CookieAuthentication
from apps.accounts.models import AuthLog, Session, User
from apps.accounts.tests import cast
from apps.accounts.tokens import CookieFigures, TokenFigures
from apps.core.testing import assert_refused, outcomes, query_budget, race

pytestmark = pytest.mark.django_db
KEY = "k" * 40


class Demo(BearerAuthentication):
    audience = "demo"


class Bare(BearerAuthentication):
    audience = "bare"

    def person_behind(self, proof):
        return User.objects.filter(phone=f"+{proof.subject}").first()


class DemoCookie(CookieAuthentication):
    audience = "demo"


@pytest.fixture(autouse=True)
def _products(monkeypatch):
    monkeypatch.setattr(tokens, "_figures", {})
    tokens.register("demo", lambda: TokenFigures(900, 86_400, signing_key=KEY))
    tokens.register("split", lambda: TokenFigures(900, 86_400, signing_key=KEY, refresh_key="r" * 40))
    tokens.register("capped", lambda: TokenFigures(900, 86_400, signing_key=KEY, session_seconds=3600))
    tokens.register("bare", lambda: TokenFigures(900, 86_400, signing_key=KEY, accepts_bare=True))


def issue(user, audience="demo", subject="m-1", **more):
    return tokens.issue(user, audience, subject, {"role": "WAITER"}, caller=cast.HOME, **more)


def call(raw, kind=Demo, **more):
    return kind().authenticate(APIRequestFactory().get("/", HTTP_AUTHORIZATION=f"bearer {raw}", **more))


def test_a_token_names_the_membership_and_hides_the_person_in_a_private_claim():
    user = cast.aziza()
    pair = issue(user)
    claims = jwt.decode(pair.access, KEY, algorithms=["HS256"], audience="demo")
    assert (claims["sub"], claims["aud"], claims["type"], claims["role"]) == ("m-1", "demo", "access", "WAITER")
    assert (claims["person"], claims["exp"] - claims["iat"]) == (user.pk, 900)
    refresh = jwt.decode(pair.refresh, KEY, algorithms=["HS256"], audience="demo")
    assert (refresh["type"], refresh["scope"], refresh["exp"] - refresh["iat"]) == ("refresh", "refresh", 86_400)
    assert pair.access not in repr(pair)


def test_the_caller_is_found_with_one_query():
    user = cast.aziza()
    pair = issue(user)
    with query_budget(1):
        found, proof = call(pair.access)
    assert (found, proof.subject, proof.claims) == (user, "m-1", {"role": "WAITER"})


def test_no_header_is_nobody():
    assert Demo().authenticate(APIRequestFactory().get("/")) is None


def test_claims_of_a_product_cannot_replace_ours():
    user = cast.aziza()
    pair = tokens.issue(user, "demo", "m-1", {"sub": "m-2", "person": 0, "type": "refresh"})
    assert tokens.read(pair.access, "demo").subject == "m-1"
    assert call(pair.access)[0] == user


def forged(**more):
    now = int(time.time())
    claims = {"sub": "m-1", "aud": "demo", "type": "access", "exp": now + 86_400, "sid": "x", "person": 1} | more
    return jwt.encode(claims, KEY, algorithm="HS256")


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "nonsense",
        "a.b.c",
        "ü" * 50,
        "x" * 5000,
        forged(),
        forged(sid=None),
        forged(sid="11111111-1111-1111-1111-111111111111"),
        forged(sid="11111111-1111-1111-1111-111111111111", jti="y"),
        forged(sub=None),
        forged(sub={"a": 1}),
        forged(person="many"),
        jwt.encode({"sub": "1", "type": "access", "exp": 9_999_999_999}, KEY, algorithm="HS256"),
        jwt.encode({"sub": "1", "aud": "demo", "type": "access", "exp": 10**20, "sid": "1"}, KEY, algorithm="HS256"),
        jwt.encode({"sub": "1", "aud": "demo", "type": "access", "exp": 9_999_999_999}, "other" * 9, algorithm="HS256"),
        jwt.encode({"sub": "1", "aud": "demo", "type": "access", "exp": 9_999_999_999}, None, algorithm="none"),
    ],
)
def test_what_is_not_ours_is_refused(raw):
    refusal = assert_refused(errors.TokenInvalid, lambda: tokens.read(raw, "demo"))
    assert refusal.status == 401


def test_kind_audience_and_key_must_fit():
    user = cast.aziza()
    demo, split = issue(user), issue(user, "split")
    assert_refused(errors.TokenInvalid, lambda: tokens.read(demo.refresh, "demo"))
    assert_refused(errors.TokenInvalid, lambda: tokens.read(demo.access, "demo", "refresh"))
    assert_refused(errors.TokenInvalid, lambda: tokens.read(demo.access, "split"))
    assert_refused(errors.TokenInvalid, lambda: tokens.read(split.refresh, "demo", "refresh"))
    assert tokens.read(split.refresh, "split", "refresh").subject == "m-1"
    assert_refused(errors.TokenInvalid, lambda: jwt_with_access_key(split))


def jwt_with_access_key(pair):
    claims = jwt.decode(pair.refresh, options={"verify_signature": False})
    return tokens.read(jwt.encode(claims, KEY, algorithm="HS256"), "split", "refresh")


def test_an_expired_token_says_so():
    pair = issue(cast.aziza(), now=timezone.now() - timedelta(seconds=901))
    assert_refused(errors.TokenExpired, lambda: tokens.read(pair.access, "demo"))


def test_a_token_that_was_proved_before_expires_all_the_same():
    with time_machine.travel(timezone.now(), tick=False) as clock:
        pair = issue(cast.aziza())
        assert tokens.read(pair.access, "demo") == tokens.read(pair.access, "demo")
        clock.shift(899)
        assert tokens.read(pair.access, "demo").subject == "m-1"
        clock.shift(1)
        assert_refused(errors.TokenExpired, lambda: tokens.read(pair.access, "demo"))


def test_a_token_that_was_proved_before_dies_with_its_key():
    pair = issue(cast.aziza())
    assert tokens.read(pair.access, "demo").subject == "m-1"
    tokens.register("demo", lambda: TokenFigures(900, 86_400, signing_key="n" * 40))
    assert_refused(errors.TokenInvalid, lambda: tokens.read(pair.access, "demo"))


def test_what_was_refused_is_asked_again():
    bare = jwt.encode({"sub": "1", "type": "access", "exp": int(time.time()) + 60}, KEY, algorithm="HS256")
    assert_refused(errors.TokenInvalid, lambda: tokens.read(bare, "demo"))
    tokens.register("demo", lambda: TokenFigures(900, 86_400, signing_key=KEY, accepts_bare=True))
    assert tokens.read(bare, "demo").link is None
    tokens.register("demo", lambda: TokenFigures(900, 86_400, signing_key=KEY))
    assert_refused(errors.TokenInvalid, lambda: tokens.read(bare, "demo"))


def test_rotation_gives_a_new_pair_and_keeps_the_claims():
    user = cast.aziza()
    first = issue(user)
    second = actions.rotate(first.refresh, caller=cast.HOME)
    assert tokens.read(second.access, "demo").claims == {"role": "WAITER"}
    third = actions.rotate(second.refresh, audience="demo", claims=lambda proof: {"role": f"NEW {proof.subject}"})
    assert tokens.read(third.access, "demo").claims == {"role": "NEW m-1"}
    assert Session.objects.count() == 1
    assert call(first.access)[0] == user


def test_an_old_refresh_token_kills_the_family():
    user = cast.aziza()
    first = issue(user)
    other = issue(user)
    second = actions.rotate(first.refresh)
    refusal = assert_refused(errors.SessionEnded, lambda: actions.rotate(first.refresh))
    assert refusal.status == 401
    assert_refused(errors.SessionEnded, lambda: actions.rotate(second.refresh))
    assert_refused(errors.SessionEnded, lambda: call(second.access))
    entry = AuthLog.objects.get(event="token_reused")
    assert (entry.user, entry.is_success) == (user, False)
    assert Session.objects.filter(end_reason="reuse").count() == 1
    actions.rotate(other.refresh)


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_of_two_rotations_at_once_one_wins_and_the_family_dies():
    pair = issue(cast.aziza())
    results = race(8, lambda _: actions.rotate(pair.refresh))
    assert outcomes(results) == {"ok": 1, "SessionEnded": 7}
    [winner] = [found for found in results if isinstance(found, tokens.Pair)]
    assert_refused(errors.SessionEnded, lambda: actions.rotate(winner.refresh))
    assert AuthLog.objects.filter(event="token_reused").count() == 1


@pytest.mark.django_db(transaction=True)
def test_rotation_refuses_a_transaction_that_may_roll_back():
    pair = issue(cast.aziza())
    with pytest.raises(RuntimeError), transaction.atomic():
        actions.rotate(pair.refresh)


def test_access_tokens_and_strangers_do_not_rotate():
    user = cast.aziza()
    pair = issue(user)
    for raw in (pair.access, "", "nonsense", tokens.bare("demo", "0").refresh):
        assert_refused(errors.TokenInvalid, lambda r=raw: actions.rotate(r), unchanged=[Session.objects.all()])
    assert_refused(errors.TokenInvalid, lambda: actions.rotate(pair.refresh, audience="split"))
    stale = issue(user, now=timezone.now() - timedelta(days=2))
    assert_refused(errors.TokenExpired, lambda: actions.rotate(stale.refresh))


def test_a_session_cap_is_not_extended_by_rotation():
    user, start = cast.aziza(), timezone.now() - timedelta(minutes=50)
    pair = issue(user, "capped", now=start)
    end = Session.objects.get().expires_at
    later = actions.rotate(pair.refresh, now=start + timedelta(minutes=50))
    claims = jwt.decode(later.refresh, KEY, algorithms=["HS256"], audience="capped")
    assert Session.objects.get().expires_at == end
    assert claims["exp"] == claims["sess_exp"] == int(end.timestamp())
    access = jwt.decode(later.access, KEY, algorithms=["HS256"], audience="capped")
    assert access["exp"] == int(end.timestamp())
    assert_refused(errors.SessionEnded, lambda: actions.rotate(later.refresh, now=end))


def test_logout_ends_the_session_and_never_fails():
    pair = issue(cast.aziza())
    assert actions.log_out(pair.refresh) is True
    assert actions.log_out(pair.refresh) is False
    assert actions.log_out("nonsense") is False
    assert_refused(errors.SessionEnded, lambda: call(pair.access))
    assert_refused(errors.SessionEnded, lambda: actions.rotate(pair.refresh))
    assert AuthLog.objects.filter(event="logged_out").count() == 1
    assert not AuthLog.objects.filter(event="token_reused").exists()


def test_logout_by_access_token():
    pair = issue(cast.aziza())
    assert actions.log_out(pair.access, audience="demo") is True


def test_logout_everywhere():
    user = cast.aziza()
    pairs = [issue(user), issue(user, "split")]
    actions.log_out_everywhere(user=user)
    for pair in pairs:
        assert_refused(errors.SessionEnded, lambda p=pair: actions.rotate(p.refresh))


def test_a_blocked_person_with_a_good_token_stays_outside():
    user = cast.aziza()
    pair = issue(user)
    User.objects.filter(pk=user.pk).update(is_active=False)
    assert_refused(errors.PersonBlocked, lambda: call(pair.access))
    assert_refused(errors.PersonBlocked, lambda: actions.rotate(pair.refresh), unchanged=[Session.objects.all()])


def bare(subject="998901234567", **more):
    return jwt.encode({"sub": subject, "type": "access", "exp": int(time.time()) + 600} | more, KEY, algorithm="HS256")


def test_bare_tokens_work_where_the_contract_says_so():
    user = cast.aziza()
    found, proof = call(bare(), Bare)
    assert (found, proof.link, proof.subject) == (user, None, "998901234567")
    assert_refused(errors.TokenInvalid, lambda: call(bare()))
    assert_refused(errors.TokenInvalid, lambda: call(bare("1"), Bare))
    assert_refused(errors.TokenInvalid, lambda: call(bare(type="refresh"), Bare))


def test_bare_tokens_die_with_the_password():
    user = cast.aziza()
    old = bare(iat=int(time.time()) - 100)
    assert call(old, Bare)[0] == user
    actions.change_password(by=user, old=cast.PASSWORD, new="another-garden-43")
    assert_refused(errors.SessionEnded, lambda: call(old, Bare))
    assert_refused(errors.SessionEnded, lambda: call(bare(), Bare))
    assert call(bare(iat=int(time.time())), Bare)[0] == user


def test_a_bare_token_that_does_not_say_when_it_was_issued_is_older_than_every_revocation():
    """Its end proves nothing: whoever minted it for a year would outlive the sign-out."""
    user, undated = cast.aziza(), bare(exp=int(time.time()) + 365 * 86_400)
    assert call(undated, Bare)[0] == user
    actions.log_out_everywhere(user=user)
    assert_refused(errors.SessionEnded, lambda: call(undated, Bare))
    assert call(bare(iat=int(time.time())), Bare)[0] == user


def test_bare_pair_for_a_demo_login():
    pair = tokens.bare("demo", "0", {"mock_user": True})
    proof = tokens.read(pair.access, "demo")
    assert (proof.subject, proof.claims, proof.link) == ("0", {"mock_user": True}, None)
    assert_refused(errors.TokenInvalid, lambda: call(pair.access))


def test_a_refresh_token_knows_its_product():
    assert tokens.audience_of(issue(cast.aziza(), "split").refresh) == "split"
    assert tokens.audience_of("nonsense") == ""
    assert tokens.audience_of("") == ""


def test_unregistered_products_get_the_houses_figures():
    pair = tokens.issue(cast.aziza(), "house", "1")
    assert (pair.access_seconds, pair.refresh_seconds) == (3600, 30 * 86_400)


def cookie_call(raw, method="get", **headers):
    request = getattr(APIRequestFactory(), method)("/", **headers)
    request.COOKIES["access_token"] = raw
    if "csrf" in headers:
        request.COOKIES[django_settings.CSRF_COOKIE_NAME] = headers["csrf"]
    return DemoCookie().authenticate(request)


def test_a_cookie_is_enough_to_read():
    user = cast.aziza()
    assert cookie_call(issue(user).access)[0] == user
    assert DemoCookie().authenticate(APIRequestFactory().get("/")) is None


@pytest.mark.parametrize(
    "headers",
    [
        {"HTTP_ORIGIN": "http://testserver"},
        {"HTTP_ORIGIN": "http://localhost:10002"},
        {"HTTP_REFERER": "http://testserver/cart?x=1"},
        {"csrf": "abc", "HTTP_X_CSRFTOKEN": "abc"},
    ],
)
def test_a_cookie_writes_from_our_pages(headers):
    user = cast.aziza()
    assert cookie_call(issue(user).access, "post", **headers)[0] == user


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"HTTP_ORIGIN": "null"},
        {"HTTP_ORIGIN": "https://evil.example"},
        {"HTTP_ORIGIN": "http://testserver.evil.example"},
        {"HTTP_REFERER": "https://evil.example/http://testserver/"},
        {"HTTP_X_CSRFTOKEN": "abc"},
        {"csrf": "abc", "HTTP_X_CSRFTOKEN": "abd"},
        {"csrf": "abc", "HTTP_X_CSRFTOKEN": "abc", "HTTP_ORIGIN": "https://evil.example"},
    ],
)
@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_a_cookie_does_not_write_for_other_sites(method, headers):
    raw = issue(cast.aziza()).access
    refusal = assert_refused(errors.OriginRefused, lambda: cookie_call(raw, method, **headers))
    assert refusal.status == 403


def test_cookies_are_set_and_dropped():
    response, figures = HttpResponse(), CookieFigures(refresh_path="/auth")
    pair = issue(cast.aziza())
    tokens.set_cookies(response, pair, figures)
    access, refresh = response.cookies["access_token"], response.cookies["refresh_token"]
    assert (access.value, access["max-age"], access["path"]) == (pair.access, 900, "/")
    assert (refresh["max-age"], refresh["path"]) == (86_400, "/auth")
    assert all(found["httponly"] and found["secure"] and found["samesite"] == "Lax" for found in (access, refresh))
    tokens.drop_cookies(response, figures)
    assert (response.cookies["refresh_token"].value, response.cookies["refresh_token"]["max-age"]) == ("", 0)
    assert response.cookies["refresh_token"]["path"] == "/auth"


def test_leaving_one_product_ends_its_sessions_alone(db: None) -> None:
    person = User.objects.create_user(username="leaver")
    here, there = tokens.issue(person, "loyalty", 1), tokens.issue(person, "shop", 1)
    other = tokens.issue(person, "loyalty", 2)
    assert actions.end_membership(user=person, audience="loyalty", subject=1) == 1
    assert actions.end_membership(user=person, audience="loyalty", subject=1) == 0
    ended = {session.pk: session.end_reason for session in Session.objects.exclude(ended_at=None)}
    gone = tokens.read(here.access, "loyalty").link
    assert gone is not None and ended == {gone.session_id: "left"}
    for pair, audience in ((there, "shop"), (other, "loyalty")):
        assert actions.rotate(pair.refresh, audience=audience).refresh
