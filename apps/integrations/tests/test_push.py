"""FCM and Web Push over HTTP against their fakes; every error that contract integrations 9 names."""

from __future__ import annotations

import json

import pytest
import time_machine
from django.utils import timezone

from apps.integrations.http import Reply
from apps.integrations.ports import PushTarget, VendorBusy, VendorRefused, VendorUnsure
from apps.integrations.push import DevicePush, FakePush, Fcm, WebPush
from apps.integrations.sandbox import recorder, vendors

PHONE = PushTarget(kind="fcm", token="device-1")
HELLO = {"title": "Order taken", "body": "Ali took it"}


class TestFcm:
    @pytest.fixture
    def push(self, sandbox) -> Fcm:
        return Fcm()

    def test_a_message_arrives(self, push):
        push.send(target=PHONE, **HELLO, payload={"order": "abc", "count": 2, "list": [1]})
        [(name, message)] = vendors.fcm.messages.items()
        assert name.startswith("projects/mahalla-test/messages/")
        assert message["token"] == "device-1"
        assert message["notification"] == HELLO
        assert message["data"] == {"order": "abc", "count": "2", "list": "[1]"}
        assert message["android"] == {"priority": "high", "ttl": "3600s"}
        assert recorder.messages(channel="push", to="device-1")[0]["text"] == "Order taken\nAli took it"

    def test_one_access_token_serves_an_hour(self, push):
        for _ in range(3):
            push.send(target=PHONE, **HELLO)
        assert [request["path"].rpartition("/")[2] for request in vendors.fcm.requests] == ["token"] + [
            "messages:send"
        ] * 3
        with time_machine.travel(timezone.now() + timezone.timedelta(hours=2)):
            push.send(target=PHONE, **HELLO)
        assert len(vendors.fcm.access_tokens) == 2

    @pytest.mark.parametrize(
        ("mark", "reason"), [("unregistered", "fcm: UNREGISTERED"), ("strangers", "fcm: SENDER_ID_MISMATCH")]
    )
    def test_a_device_that_is_gone(self, push, mark, reason):
        getattr(vendors.fcm, mark).add("device-1")
        with pytest.raises(VendorRefused) as caught:
            push.send(target=PHONE, **HELLO)
        assert (caught.value.reason, caught.value.dead) == (reason, True)

    @pytest.mark.parametrize(
        ("token", "payload", "dead"),
        [("invalid-1", None, True), ("device-1", {"a": "x" * 5000}, False), ("", None, False)],
    )
    def test_only_a_bad_token_is_a_dead_device(self, push, token, payload, dead):
        with pytest.raises(VendorRefused) as caught:
            push.send(target=PushTarget(kind="fcm", token=token), **HELLO, payload=payload)
        assert (caught.value.reason, caught.value.dead) == ("fcm: INVALID_ARGUMENT", dead)

    @pytest.mark.parametrize(
        ("status", "wait", "reason"),
        [(429, 60, "fcm: QUOTA_EXCEEDED"), (500, None, "fcm: INTERNAL"), (503, 5, "fcm: UNAVAILABLE")],
    )
    def test_busy(self, push, status, wait, reason):
        push.send(target=PHONE, **HELLO)
        vendors.fcm.fail_next(1, status, wait)
        with pytest.raises(VendorBusy) as caught:
            push.send(target=PHONE, **HELLO)
        assert (caught.value.reason, caught.value.retry_after) == (reason, wait)

    def test_apns_login_trouble_is_refused_and_the_device_lives(self, push):
        push.send(target=PHONE, **HELLO)
        vendors.fcm.fail_next(1, 401)
        with pytest.raises(VendorRefused) as caught:
            push.send(target=PHONE, **HELLO)
        assert (caught.value.reason, caught.value.dead) == ("fcm: THIRD_PARTY_AUTH_ERROR", False)

    def test_a_lost_answer_is_unsure_and_sent_once(self, push):
        push.send(target=PHONE, **HELLO)
        vendors.fcm.lose_next(1)
        with pytest.raises(VendorUnsure):
            push.send(target=PHONE, **HELLO)
        assert len(vendors.fcm.messages) == 2

    def test_a_refused_service_account(self, push, monkeypatch):
        refusal = Reply.json({"error": "invalid_grant", "error_description": "Invalid JWT Signature."}, 400)
        monkeypatch.setattr(vendors.fcm, "answer", lambda asked: refusal)
        with pytest.raises(VendorRefused, match="the service account is refused"):
            push.send(target=PHONE, **HELLO)

    def test_no_access_token_for_now(self, push):
        vendors.fcm.lose_next(10)
        with pytest.raises(VendorBusy, match="no access token"):
            push.send(target=PHONE, **HELLO)

    def test_credentials_from_a_file(self, push, change, tmp_path, settings):
        path = tmp_path / "account.json"
        path.write_text(json.dumps(vendors.fcm.service_account()))
        change(fcm_credentials_file=str(path))
        push.send(target=PHONE, **HELLO)
        assert len(vendors.fcm.messages) == 1

    @pytest.mark.parametrize("text", ["", "{}", "[]", '{"private_key":"x","client_email":"a","token_uri":"b"}', "\x00"])
    def test_a_file_that_is_none(self, push, change, tmp_path, text):
        path = tmp_path / "account.json"
        path.write_text(text)
        for name in (str(path), str(tmp_path / "absent.json")):
            change(fcm_credentials_file=name)
            with pytest.raises(VendorRefused, match="credentials"):
                push.send(target=PHONE, **HELLO)

    def test_without_credentials_or_project(self, push, change, settings):
        settings.SANDBOX_ENABLED = False
        with pytest.raises(VendorRefused, match="no credentials"):
            push.send(target=PHONE, **HELLO)
        change(fcm_project_id="")
        with pytest.raises(VendorRefused, match="not configured"):
            push.send(target=PHONE, **HELLO)

    def test_a_made_up_assertion_buys_nothing(self):
        for body in (b"", b"assertion=a.b.c"):
            assert vendors.fcm._token({"assertion": body.decode()}).status == 400
        assert vendors.fcm.access_tokens == {}


class TestWebPush:
    @pytest.fixture
    def push(self, sandbox) -> WebPush:
        return WebPush()

    def browser(self) -> PushTarget:
        made = vendors.webpush.subscribe()
        return PushTarget(kind="web", endpoint=made.endpoint, p256dh=made.p256dh, auth=made.auth)

    def test_a_message_arrives_encrypted_and_signed(self, push):
        target = self.browser()
        push.send(target=target, **HELLO, payload={"order": "abc"})
        [request] = vendors.webpush.requests
        assert request["status"] == 201
        assert "Order taken" not in request["body"]
        assert recorder.messages(channel="push", to=target.endpoint)[0]["text"] == "Order taken\nAli took it"

    def test_two_endpoints_get_two_signatures(self, push, outside):
        for _ in range(2):
            push.send(target=self.browser(), **HELLO)
        assert [request["status"] for request in vendors.webpush.requests] == [201, 201]

    def test_a_browser_that_left(self, push):
        target = self.browser()
        vendors.webpush.leave(target.endpoint)
        with pytest.raises(VendorRefused) as caught:
            push.send(target=target, **HELLO)
        assert (caught.value.reason, caught.value.dead) == ("web push: 410", True)
        assert recorder.messages() == []

    def test_a_browser_nobody_knows(self, push):
        target = self.browser()
        vendors.webpush.subscriptions.clear()
        with pytest.raises(VendorRefused) as caught:
            push.send(target=target, **HELLO)
        assert (caught.value.reason, caught.value.dead) == ("web push: 404", True)

    def test_anothers_vapid_key(self, push, change):
        target = self.browser()
        change(vapid_private_key="AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE")
        with pytest.raises(VendorRefused) as caught:
            push.send(target=target, **HELLO)
        assert (caught.value.reason, caught.value.dead) == ("web push: 403", False)

    @pytest.mark.parametrize(("status", "wait"), [(429, 30), (500, None), (503, None)])
    def test_busy(self, push, status, wait):
        target = self.browser()
        vendors.webpush.fail_next(1, status, wait)
        with pytest.raises(VendorBusy) as caught:
            push.send(target=target, **HELLO)
        assert caught.value.retry_after == wait

    def test_too_big(self, push):
        target = self.browser()
        vendors.webpush.fail_next(1, 413)
        with pytest.raises(VendorRefused, match="413"):
            push.send(target=target, **HELLO)
        with pytest.raises(VendorRefused, match="too big"):
            push.send(target=target, **HELLO, payload={"a": "x" * 4000})
        assert len(vendors.webpush.requests) == 1

    def test_a_lost_answer_is_unsure(self, push):
        target = self.browser()
        vendors.webpush.lose_next(1)
        with pytest.raises(VendorUnsure):
            push.send(target=target, **HELLO)

    @pytest.mark.parametrize(
        "keys", [{"p256dh": "x"}, {"auth": ""}, {"p256dh": ""}, {"p256dh": "A" * 87}, {"auth": "ы"}]
    )
    def test_keys_that_are_none(self, push, keys):
        good = self.browser()
        target = PushTarget(**{**vars(good), **keys})
        with pytest.raises(VendorRefused) as caught:
            push.send(target=target, **HELLO)
        assert caught.value.dead is True
        assert not vendors.webpush.requests

    @pytest.mark.parametrize(
        "change_", [{"vapid_private_key": ""}, {"vapid_private_key": "x"}, {"vapid_subject": "me"}]
    )
    def test_our_own_keys_are_wrong(self, push, change, change_):
        target = self.browser()
        change(**change_)
        with pytest.raises(VendorRefused) as caught:
            push.send(target=target, **HELLO)
        assert caught.value.dead is False

    def test_an_endpoint_inside_our_network(self, push):
        """Endpoints come from browsers, so anybody may name any address."""
        good = self.browser()
        for endpoint in (
            "https://127.0.0.1:6379/",
            "http://169.254.169.254/latest",
            "file:///etc/passwd",
            "https://[",
            "x",
        ):
            with pytest.raises(VendorRefused) as caught:
                push.send(target=PushTarget(**{**vars(good), "endpoint": endpoint}), **HELLO)
            assert caught.value.dead is True


class TestDevices:
    def test_by_kind(self, sandbox):
        push = DevicePush()
        made = vendors.webpush.subscribe()
        push.send(target=PHONE, **HELLO)
        push.send(target=PushTarget(kind="web", endpoint=made.endpoint, p256dh=made.p256dh, auth=made.auth), **HELLO)
        assert [entry["to"] for entry in recorder.messages(channel="push")] == [made.endpoint, "device-1"]

    def test_a_target_does_not_print_its_secrets(self):
        assert repr(PushTarget(kind="fcm", token="secret", endpoint="secret")) == "PushTarget(kind='fcm')"


class TestFakePush:
    def test_any_address_will_do_until_it_is_gone(self):
        push = FakePush()
        web = PushTarget(kind="web", endpoint="https://push.example/abc", p256dh="p", auth="a")
        push.send(target=PHONE, **HELLO)
        push.send(target=web, **HELLO, payload={"a": 1})
        assert [target.kind for target, *_ in push.sent] == ["fcm", "web"]
        assert push.sent[1][1:] == ("Order taken", "Ali took it", {"a": 1})
        push.vendor_fcm.unregistered.add("device-1")
        push.vendor_web.leave(web.endpoint)
        for target in (PHONE, web):
            with pytest.raises(VendorRefused) as caught:
                push.send(target=target, **HELLO)
            assert caught.value.dead
        assert len(push.sent) == 2

    def test_trouble_on_request(self):
        push = FakePush()
        push.fail_with(VendorBusy("busy", retry_after=3))
        with pytest.raises(VendorBusy):
            push.send(target=PHONE, **HELLO)
        push.send(target=PHONE, **HELLO)
        assert len(push.sent) == 1
