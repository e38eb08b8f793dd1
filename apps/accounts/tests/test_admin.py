"""The back office of people: lists, buttons with a reason, who sees which button, logs that cannot be edited."""

import pytest
from axes.models import AccessAttempt
from django.contrib import admin
from django.urls import reverse
from django.utils import timezone

from apps.accounts import actions
from apps.accounts.models import AuthLog, MailToken, Merge, OneTimeCode, Session, SmsSpend, User
from apps.accounts.tests import cast
from apps.accounts.tests.test_codes import ask, digits
from apps.core.testing import query_budget

pytestmark = pytest.mark.django_db
BACKEND = "apps.accounts.authentication.StaffBackend"


def inside(client, user):
    client.force_login(user, backend=BACKEND)
    return client


def button(name, row):
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk]).replace(
        "/change/", f"/{name}/"
    )


def press(client, name, row, **form):
    return client.post(button(name, row), {"reason": "because"} | form)


@pytest.mark.parametrize("model", [User, AuthLog, OneTimeCode, MailToken, Session, SmsSpend, Merge])
def test_every_list_opens_at_a_constant_price(client, model, sms):
    user, other = cast.aziza(email="aziza@mail.uz"), cast.dana()
    inside(client, cast.root())
    url = reverse(f"admin:accounts_{model._meta.model_name}_changelist")
    with query_budget(17):
        assert client.get(url).status_code == 200
    for number in range(12):
        person = User.objects.create_user(username=f"p{number}")
        AuthLog.objects.create(event="logged_in", user=person, by=user)
        Session.objects.create(user=person, audience="demo", subject="1", expires_at=timezone.now())
        MailToken.objects.create(
            user=person, kind="reset", email="a@b.uz", token_hash=str(number), expires_at=timezone.now()
        )
        ask(phone=f"+9989011100{number:02}")
        actions.merge(by=None, keep=other, gone=person, reason="x")
    with query_budget(17):
        assert client.get(url).status_code == 200


@pytest.mark.parametrize("model", [User, AuthLog, OneTimeCode, MailToken, Session, SmsSpend, Merge])
def test_every_page_opens_and_shows_no_secret(client, model, sms):
    user = cast.aziza(email="aziza@mail.uz")
    ask()
    row = {
        User: lambda: user,
        AuthLog: AuthLog.objects.get,
        OneTimeCode: OneTimeCode.objects.get,
        MailToken: lambda: user.mail_tokens.create(
            kind="reset", email="a@b.uz", token_hash="topsecret", expires_at=timezone.now()
        ),
        Session: lambda: Session.objects.create(user=user, audience="demo", subject="1", expires_at=timezone.now()),
        SmsSpend: lambda: SmsSpend.objects.get(prefix="*"),
        Merge: lambda: actions.merge(by=None, keep=user, gone=cast.dana(), reason="x"),
    }[model]()
    inside(client, cast.root())
    page = client.get(reverse(f"admin:accounts_{model._meta.model_name}_change", args=[row.pk]))
    html = page.content.decode()
    assert page.status_code == 200
    code = OneTimeCode.objects.get()
    for secret in (code.code_hash, code.salt, "topsecret", user.password, digits(sms.sent[0].text)):
        assert secret not in html


@pytest.mark.parametrize("text", ["1234567", "aziza@", "Azi", "777"])
def test_people_are_found_by_anything(client, text):
    user = cast.aziza(email="aziza@mail.uz", telegram_id=777)
    other = cast.dana(first_name="Zulfiya")
    inside(client, cast.root())
    html = client.get(reverse("admin:accounts_user_changelist"), {"q": text}).content.decode()
    assert reverse("admin:accounts_user_change", args=[user.pk]) in html
    assert reverse("admin:accounts_user_change", args=[other.pk]) not in html


@pytest.mark.parametrize("state", ["active", "blocked", "erased", "merged"])
def test_states_can_be_filtered(client, state):
    inside(client, cast.root())
    assert client.get(reverse("admin:accounts_user_changelist"), {"state": state}).status_code == 200


def test_block_and_unblock_by_button(client):
    user = cast.aziza()
    staff = cast.bobur("view_user", "block_user")
    inside(client, staff)
    assert client.get(button("block", user)).status_code == 200
    assert client.post(button("block", user), {"reason": ""}).status_code == 200
    user.refresh_from_db()
    assert user.is_active
    assert press(client, "block", user).status_code == 302
    user.refresh_from_db()
    assert (user.is_active, user.block_reason) == (False, "because")
    press(client, "unblock", user)
    user.refresh_from_db()
    assert user.is_active
    assert AuthLog.objects.filter(by=staff, reason="because").count() == 2


def test_erase_by_button(client):
    user = cast.aziza()
    inside(client, cast.root())
    press(client, "erase", user)
    user.refresh_from_db()
    assert user.erased_at


@pytest.mark.parametrize("name", ["number", "phone"])
def test_merge_and_undo_by_button(client, name):
    keep, gone = cast.aziza(), cast.dana(email="dana@mail.uz")
    inside(client, cast.root())
    press(client, "merge", keep, other={"number": f"#{gone.pk}", "phone": "90 765 43 21"}[name])
    gone.refresh_from_db()
    assert gone.merged_into == keep
    row = Merge.objects.get()
    assert client.get(button("undo", row)).status_code == 200
    press(client, "undo", row)
    gone.refresh_from_db()
    assert (gone.merged_into, gone.email) == (None, "dana@mail.uz")


@pytest.mark.parametrize("other", ["#999999", "nobody", "+998 90 000", "9" * 30])
def test_merging_with_nobody_is_a_message_not_a_crash(client, other):
    keep = cast.aziza()
    inside(client, cast.root())
    answer = client.post(button("merge", keep), {"reason": "because", "other": other}, follow=True)
    assert "There is no such person" in answer.content.decode()
    assert not Merge.objects.exists()


@pytest.mark.parametrize("name", ["block", "unblock", "merge", "erase", "reset-second-factor"])
def test_buttons_need_their_right(client, name):
    user = cast.aziza()
    inside(client, cast.bobur("view_user", "change_user"))
    assert press(client, name, user, other="1").status_code == 403
    user.refresh_from_db()
    assert user.is_active


def test_a_button_on_somebody_higher_is_refused_with_a_message(client):
    chief = cast.root()
    inside(client, cast.bobur("view_user", "block_user"))
    answer = client.post(button("block", chief), {"reason": "because"}, follow=True)
    assert "You may not do this to this person" in answer.content.decode()
    chief.refresh_from_db()
    assert chief.is_active


@pytest.mark.parametrize("name", ["block", "erase", "merge"])
def test_a_button_on_nobody_is_404(client, name):
    inside(client, cast.root())
    user = User(pk=999_999)
    assert client.post(button(name, user), {"reason": "because", "other": "1"}).status_code == 404


def test_rights_are_given_by_superusers_only(client):
    user, staff = cast.aziza(), cast.bobur("view_user", "change_user")
    form = {"first_name": "Nigora", "last_name": "", "language": "uz", "is_staff": "on", "is_superuser": "on"}
    url = reverse("admin:accounts_user_change", args=[user.pk])
    assert inside(client, staff).post(url, form).status_code == 302
    user.refresh_from_db()
    assert (user.first_name, user.is_staff, user.is_superuser) == ("Nigora", False, False)
    assert inside(client, cast.root()).post(url, form).status_code == 302
    user.refresh_from_db()
    assert (user.is_staff, user.is_superuser) == (True, False)


def test_staff_do_not_edit_staff(client):
    chief, staff = cast.root(), cast.bobur("view_user", "change_user")
    url = reverse("admin:accounts_user_change", args=[chief.pk])
    assert inside(client, staff).post(url, {"first_name": "Hacked", "language": "uz"}).status_code == 403


@pytest.mark.parametrize("model", [AuthLog, OneTimeCode, MailToken, Session, SmsSpend, Merge])
def test_nothing_is_added_or_deleted_by_hand(client, model):
    inside(client, cast.root())
    assert client.get(reverse(f"admin:accounts_{model._meta.model_name}_add")).status_code == 403
    assert admin.site.get_model_admin(model).has_delete_permission(None) is False


def test_the_log_of_one_person(client):
    user = cast.aziza()
    actions.admit(user=user)
    inside(client, cast.root())
    answer = client.get(button("log", user), follow=True)
    assert answer.status_code == 200
    assert answer.redirect_chain[0][0].endswith(f"?user__id__exact={user.pk}")


def test_the_export_masks_phones(client):
    cast.aziza()
    inside(client, cast.root())
    page = reverse("admin:accounts_user_changelist")
    answer = client.post(
        page,
        {"action": "export_admin_action", "_selected_action": [User.objects.get(phone=cast.PHONE).pk], "index": 0},
    )
    assert answer.status_code == 200
    assert cast.PHONE not in answer.content.decode()


def test_a_superuser_adds_staff_and_sets_the_password(client):
    inside(client, cast.root())
    url = reverse("admin:accounts_user_add")
    assert client.get(url).status_code == 200
    form = {"username": "Nodira", "email": "", "first_name": "Nodira", "last_name": "", "language": "uz"}
    assert client.post(url, form).status_code == 302
    user = User.objects.get(username="nodira")
    assert (user.is_staff, user.is_superuser, user.has_usable_password()) == (True, False, False)
    press(client, "set-password", user, new="password")
    user.refresh_from_db()
    assert not user.has_usable_password()
    press(client, "set-password", user, new=cast.PASSWORD)
    user.refresh_from_db()
    assert user.check_password(cast.PASSWORD)
    assert AuthLog.objects.get(event="password_changed", user=user).by.username == "root"


@pytest.mark.parametrize("form", [{}, {"username": "ROOT"}, {"email": "nonsense"}, {"username": "x" * 200}])
def test_staff_without_a_free_name_are_not_added(client, form):
    inside(client, cast.root())
    assert client.post(reverse("admin:accounts_user_add"), {"language": "uz"} | form).status_code == 200
    assert User.objects.count() == 1


def test_only_superusers_add_staff_and_set_passwords(client):
    user = cast.aziza()
    inside(client, cast.bobur("view_user", "change_user", "add_user"))
    assert client.get(reverse("admin:accounts_user_add")).status_code == 403
    assert press(client, "set-password", user, new="another-garden-43").status_code == 403


def test_a_lock_out_is_lifted_by_deleting_it(client):
    attempt = AccessAttempt.objects.create(username="root", ip_address="203.0.113.5", failures_since_start=5)
    inside(client, cast.root())
    assert client.get(reverse("admin:axes_accessattempt_changelist")).status_code == 200
    client.post(reverse("admin:axes_accessattempt_delete", args=[attempt.pk]), {"post": "yes"})
    assert not AccessAttempt.objects.exists()


def test_secrets_of_second_factors_have_no_page():
    names = {model._meta.label for model in admin.site._registry}
    assert not names & {"otp_totp.TOTPDevice", "otp_static.StaticDevice"}
