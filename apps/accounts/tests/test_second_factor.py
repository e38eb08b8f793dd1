"""Between the password and the back office: TOTP, recovery codes, lock-out; through the test client."""

import re

import pytest
import time_machine
from django.urls import reverse
from django.utils import timezone
from django_otp.oath import TOTP
from django_otp.plugins.otp_static.models import StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from apps.accounts import actions, errors, tokens
from apps.accounts.actions import second_factor
from apps.accounts.checks import refuse_open_doors
from apps.accounts.models import AuthLog
from apps.accounts.tests import cast
from apps.core.testing import assert_refused, outcomes, race

pytestmark = pytest.mark.django_db
INDEX = "/admin/"
DOOR = "/admin/second-factor/"


@pytest.fixture
def _duty(settings):
    settings.ACCOUNTS = cast.figures(staff_second_factor_required=True)


def digits(user, *, step=0):
    """What the person's app shows now, or `step` half-minutes later."""
    device = TOTPDevice.objects.get(user=user)
    totp = TOTP(device.bin_key, device.step, device.t0, device.digits, device.drift)
    totp.time = timezone.now().timestamp() + step * 30
    return f"{totp.token():06}"


def password_given(client, name="root"):
    answer = client.post("/admin/login/?next=/admin/", {"username": name, "password": cast.PASSWORD})
    assert answer.status_code == 302
    return client


def enrolled(user):
    second_factor.enrolment(by=user)
    _, codes = second_factor.confirm(by=user, token=digits(user))
    return codes


def test_without_the_duty_the_password_is_enough(client):
    cast.root()
    assert password_given(client).get(INDEX).status_code == 200


@pytest.mark.parametrize("name", ["root", "ROOT", "root@mail.uz", "901112233"])
def test_staff_sign_in_by_name_mail_or_phone(client, name):
    user = cast.root()
    user.email, user.phone = "root@mail.uz", "+998901112233"
    user.save()
    assert password_given(client, name).get(INDEX).status_code == 200


@pytest.mark.parametrize(
    ("name", "password"), [("root", "wrong"), ("nobody", cast.PASSWORD), ("client", cast.PASSWORD)]
)
def test_wrong_password_stranger_and_client_stay_outside(client, name, password):
    cast.root()
    cast.aziza(username="client")
    answer = client.post("/admin/login/", {"username": name, "password": password})
    assert answer.status_code == 200
    assert client.get(INDEX).status_code == 302


def test_a_blocked_staff_member_stays_outside(client):
    user = cast.bobur("view_user")
    type(user).objects.filter(pk=user.pk).update(is_active=False, blocked_at=timezone.now())
    assert client.post("/admin/login/", {"username": "bobur", "password": cast.PASSWORD}).status_code == 200
    assert client.get(INDEX).status_code == 302


@pytest.mark.usefixtures("_duty")
def test_duty_leads_to_enrolment_and_then_to_the_wanted_page(client):
    user = cast.root()
    password_given(client)
    wanted = reverse("admin:accounts_user_changelist")
    assert client.get(wanted, follow=True).redirect_chain[-1][0] == f"{DOOR}?next={wanted.replace('/', '%2F')}"
    page = client.get(f"{DOOR}?next={wanted}")
    html = page.content.decode()
    assert "<svg" in html
    assert re.search(r"(?:[A-Z2-7]{4} ){7}[A-Z2-7]{4}", html)
    assert page["Cache-Control"].startswith("max-age=0")
    done = client.post(DOOR, {"token": digits(user), "next": wanted})
    codes = re.findall(r"<li[^>]*>(r[0-9a-f]{10})</li>", done.content.decode())
    assert len(set(codes)) == 10
    assert StaticToken.objects.filter(token__in=codes).count() == 10
    assert client.get(wanted).status_code == 200
    assert client.get(DOOR).url == INDEX


@pytest.mark.usefixtures("_duty")
def test_wrong_digits_do_not_enrol(client):
    user = cast.root()
    password_given(client)
    client.get(DOOR)
    assert client.post(DOOR, {"token": "000000"}).status_code == 400
    assert client.post(DOOR, {}).status_code == 400
    assert client.post(DOOR, {"token": "ü" * 400}).status_code == 400
    assert not TOTPDevice.objects.filter(user=user, confirmed=True).exists()
    assert client.get(INDEX).status_code == 302
    assert list(AuthLog.objects.filter(event="second_factor").values_list("is_success", flat=True)) == [False] * 3


def test_whoever_enrolled_is_always_asked(client):
    user = cast.root()
    enrolled(user)
    password_given(client)
    assert client.get(INDEX).status_code == 302
    html = client.get(DOOR).content.decode()
    assert "<svg" not in html or "otpauth" not in html
    assert TOTPDevice.objects.get().key not in html
    assert client.post(DOOR, {"token": "123"}).status_code == 400
    with time_machine.travel(timezone.now() + timezone.timedelta(minutes=2), tick=True):
        answer = client.post(DOOR, {"token": digits(user), "next": "https://evil.example/"})
        assert (answer.status_code, answer.url) == (302, INDEX)
        assert client.get(INDEX).status_code == 200


def test_digits_work_once(client):
    user = cast.root()
    enrolled(user)
    with time_machine.travel(timezone.now() + timezone.timedelta(minutes=2), tick=False):
        token = digits(user)
        second_factor.prove(by=user, token=f" {token[:3]} {token[3:]} ")
        assert_refused(errors.SecondFactorWrong, lambda: second_factor.prove(by=user, token=token))


def test_guessing_is_slowed_down():
    user = cast.root()
    enrolled(user)
    with time_machine.travel(timezone.now() + timezone.timedelta(minutes=2), tick=False):
        assert_refused(errors.SecondFactorWrong, lambda: second_factor.prove(by=user, token="000000"))
        assert_refused(errors.SecondFactorWrong, lambda: second_factor.prove(by=user, token=digits(user)))


def test_a_recovery_code_opens_the_door_once(client):
    user = cast.root()
    codes = enrolled(user)
    password_given(client)
    assert client.post(DOOR, {"token": codes[0].upper()}).status_code == 302
    assert client.get(INDEX).status_code == 200
    client.logout()
    password_given(client)
    assert client.post(DOOR, {"token": codes[0]}).status_code == 400
    assert StaticToken.objects.count() == 9


def test_another_persons_codes_do_not_help(client):
    chief, other = cast.root(), cast.bobur()
    enrolled(chief)
    foreign = enrolled(other)
    password_given(client)
    assert client.post(DOOR, {"token": foreign[0]}).status_code == 400
    assert StaticToken.objects.count() == 20


def test_new_recovery_codes_kill_the_old(client):
    user = cast.root()
    codes = enrolled(user)
    password_given(client)
    client.post(DOOR, {"token": codes[0]})
    page = "/admin/second-factor/recovery/"
    assert client.get(page).status_code == 200
    assert StaticToken.objects.count() == 9
    fresh = re.findall(r"<li[^>]*>(r[0-9a-f]{10})</li>", client.post(page).content.decode())
    assert len(fresh) == 10
    assert not StaticToken.objects.filter(token__in=codes).exists()


def test_recovery_codes_need_an_app(client):
    cast.root()
    password_given(client)
    assert client.post("/admin/second-factor/recovery/").status_code == 409
    assert not StaticToken.objects.exists()


def test_strangers_see_neither_page(client):
    for page in (DOOR, "/admin/second-factor/recovery/"):
        assert client.get(page).status_code == 302
        assert client.post(page, {"token": "1"}).status_code == 302
    client.force_login(cast.aziza(), backend="django.contrib.auth.backends.ModelBackend")
    assert client.get(DOOR).url == "/admin/login/"
    assert not TOTPDevice.objects.exists()


def test_enrolling_twice_is_refused():
    user = cast.root()
    enrolled(user)
    assert_refused(
        errors.SecondFactorExists, lambda: second_factor.enrolment(by=user), unchanged=[TOTPDevice.objects.all()]
    )


def test_a_lost_phone_is_taken_off_by_another():
    staff, chief = cast.bobur("reset_second_factor"), cast.root()
    enrolled(staff)
    enrolled(chief)
    refused = [(staff, chief, errors.MayNotManage), (staff, staff, errors.NotYourself)]
    for by, user, refusal in refused:
        assert_refused(
            refusal,
            lambda b=by, u=user: second_factor.reset_second_factor(by=b, user=u, reason="lost"),
            unchanged=[TOTPDevice.objects.all(), StaticToken.objects.all()],
        )
    second_factor.reset_second_factor(by=chief, user=staff, reason="lost")
    assert [second_factor.has_second_factor(user) for user in (staff, chief)] == [False, True]
    entry = AuthLog.objects.filter(event="second_factor", user=staff).latest("id")
    assert (entry.by, entry.reason) == (chief, "lost")


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_of_five_uses_of_a_recovery_code_one_wins():
    user = cast.root()
    codes = enrolled(user)
    results = race(5, lambda _: second_factor.prove(by=user, token=codes[0]))
    assert outcomes(results) == {"ok": 1, "SecondFactorWrong": 4}


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_opening_the_enrolment_page_ten_times_makes_one_device():
    user = cast.root()
    results = race(10, lambda _: second_factor.enrolment(by=user).pk)
    assert len(set(results)) == 1


def test_five_wrong_passwords_lock_the_door(client, settings):
    settings.AXES_ENABLED = True
    settings.AUTHENTICATION_BACKENDS = settings.AUTHENTICATION_BACKENDS[::-1]
    cast.root()
    answers = [client.post("/admin/login/", {"username": "root", "password": "wrong"}).status_code for _ in range(5)]
    assert answers == [200, 200, 200, 200, 429]
    locked = client.post("/admin/login/", {"username": "root", "password": cast.PASSWORD})
    assert locked.status_code == 429
    assert client.get(INDEX).status_code == 302


def test_production_refuses_open_doors(settings):
    settings.EMBEDDED = False
    settings.ACCOUNTS = cast.figures(staff_second_factor_required=False, allowed_phone_prefixes=("+",))
    assert [found.id for found in refuse_open_doors(None)] == ["mahalla.E030", "mahalla.E031"]
    settings.ACCOUNTS = cast.figures(staff_second_factor_required=True, allowed_phone_prefixes=("+998", "+7"))
    assert refuse_open_doors(None) == []
    settings.EMBEDDED = True
    settings.ACCOUNTS = cast.figures(staff_second_factor_required=False)
    assert refuse_open_doors(None) == []


def test_a_password_changed_in_the_back_office_kills_tokens(client):
    user = cast.root()
    pair = tokens.issue(user, "demo", "1")
    password_given(client)
    form = {"old_password": "wrong", "new_password1": "another-garden-43", "new_password2": "another-garden-43"}
    assert client.post("/admin/password_change/", form).status_code == 200
    assert tokens.read(pair.access, "demo").link
    assert client.post("/admin/password_change/", {**form, "old_password": cast.PASSWORD}).status_code == 302
    assert_refused(errors.SessionEnded, lambda: actions.rotate(pair.refresh))
    assert client.get(INDEX).status_code == 200
