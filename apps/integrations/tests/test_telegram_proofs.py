"""initData by HMAC and by Ed25519, the login widget, the webhook secret (contract urgent 4, integrations 0 and 7)."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.utils import timezone

from apps.integrations import telegram
from apps.integrations.telegram import InitDataRefused, read_init_data, read_login_widget, sign_init_data

TOKEN = "123456:TEST"
SIGNED_AT = datetime.fromtimestamp(1_700_000_000, UTC)
ALI = {"id": 42, "first_name": "Ali"}
PUBLISHED_BOT_ID = "7342037359"
PUBLISHED_AT = datetime.fromtimestamp(1_733_584_787, UTC)
PUBLISHED = (
    "user=%7B%22id%22%3A279058397%2C%22first_name%22%3A%22Vladislav%20%2B%20-%20%3F%20%5C%2F%22%2C%22last_name%22%3A"
    "%22Kibenko%22%2C%22username%22%3A%22vdkfrost%22%2C%22language_code%22%3A%22ru%22%2C%22is_premium%22%3Atrue%2C"
    "%22allows_write_to_pm%22%3Atrue%2C%22photo_url%22%3A%22https%3A%5C%2F%5C%2Ft.me%5C%2Fi%5C%2Fuserpic%5C%2F320%5C"
    "%2F4FPEE4tmP3ATHa57u6MqTDih13LTOiMoKoLDRG4PnSA.svg%22%7D&chat_instance=8134722200314281151&chat_type=private"
    "&auth_date=1733584787&signature=zL-ucjNyREiHDE8aihFwpfR9aggP2xiAo3NSpfe-p7IbCisNlDKlo7Kb6G4D0Ao2mBrSgEk4maLSdv6MLIlA"
    "DQ&hash=2174df5b000556d044f3f020384e879c8efcab55ddea2ced4eb752e93e7080d6"
)


def reason_of(raw: str, now: datetime | None = None) -> str:
    with pytest.raises(InitDataRefused) as caught:
        read_init_data(raw, now=now)
    return caught.value.reason


def signed(fields: dict[str, str]) -> str:
    return urlencode({**fields, "hash": telegram.init_data_hash(TOKEN, fields)})


class TestVectors:
    def test_init_data_hash_of_the_contract(self):
        fields = {
            "auth_date": "1700000000",
            "query_id": "AAA",
            "signature": "x",
            "user": '{"id":42,"first_name":"Ali"}',
        }
        expected = "d5f6d560d87292ac80204798bda7ce45cc8e6d9697ec5792d29c66393755ec8d"
        assert telegram.init_data_hash(TOKEN, fields) == expected
        profile = read_init_data(urlencode({**fields, "hash": expected}), now=SIGNED_AT)
        assert (profile.id, profile.first_name, profile.auth_date) == (42, "Ali", SIGNED_AT)

    def test_login_widget_hash_of_the_contract(self):
        fields = {"auth_date": "1700000000", "first_name": "Ali", "id": "42"}
        expected = "b936a9a3d588b45b4a72b4c1b4e0c020f2a803711a5ac1fccfbd0b493309aedf"
        assert telegram.widget_hash(TOKEN, fields) == expected
        assert read_login_widget({**fields, "hash": expected}, now=SIGNED_AT).id == 42

    def test_the_published_sample_passes_by_its_signature(self, change):
        change(telegram_bot_token="", telegram_bot_id=PUBLISHED_BOT_ID)
        profile = read_init_data(PUBLISHED, now=PUBLISHED_AT)
        assert profile.id == 279058397
        assert profile.first_name == "Vladislav + - ? /"
        assert profile.last_name == "Kibenko"
        assert profile.username == "vdkfrost"
        assert profile.language_code == "ru"
        assert profile.allows_write_to_pm is True
        assert profile.photo_url == "https://t.me/i/userpic/320/4FPEE4tmP3ATHa57u6MqTDih13LTOiMoKoLDRG4PnSA.svg"

    @pytest.mark.parametrize(
        ("old", "new"), [("Kibenko", "Kibenka"), ("signature=zL", "signature=zM"), ("private", "public")]
    )
    def test_a_changed_published_sample_does_not(self, change, old, new):
        change(telegram_bot_token="", telegram_bot_id=PUBLISHED_BOT_ID)
        assert reason_of(PUBLISHED.replace(old, new), PUBLISHED_AT) == "Invalid hash - data integrity check failed"

    def test_the_published_sample_of_another_bot_does_not(self, change):
        change(telegram_bot_token="", telegram_bot_id="7342037358")
        assert reason_of(PUBLISHED, PUBLISHED_AT) == "Invalid hash - data integrity check failed"


class TestHmac:
    def test_what_we_sign_we_believe(self):
        person = {"id": 2**51, "first_name": "Гүлнора & Co + ?", "username": "gul"}
        profile = read_init_data(sign_init_data(TOKEN, person, timezone.now(), query_id="AAA", start_param=""))
        assert (profile.id, profile.first_name, profile.username) == (2**51, "Гүлнора & Co + ?", "gul")

    def test_empty_values_are_part_of_the_proof(self):
        raw = sign_init_data(TOKEN, ALI, SIGNED_AT, start_param="")
        assert read_init_data(raw, now=SIGNED_AT).id == 42
        assert reason_of(raw.replace("&start_param=", ""), SIGNED_AT) == "Invalid hash - data integrity check failed"

    def test_the_signature_is_part_of_the_proof(self):
        raw = sign_init_data(TOKEN, ALI, SIGNED_AT, signature="abc")
        assert read_init_data(raw, now=SIGNED_AT).id == 42
        assert reason_of(raw.replace("signature=abc", "signature=abd"), SIGNED_AT) == (
            "Invalid hash - data integrity check failed"
        )

    @pytest.mark.parametrize("raw", ["", "user=%7B%7D&auth_date=1", "garbage", "%00", "&&&"])
    def test_without_a_hash(self, raw):
        assert reason_of(raw) == "Missing hash in initData"

    @pytest.mark.parametrize(
        "raw",
        ["hash=", "hash=00", "hash=привет", "hash=%FF%FE", "auth_date=1&hash=" + "0" * 64, "hash=" + "a" * 20_000],
    )
    def test_with_a_wrong_hash(self, raw):
        assert reason_of(raw) == "Invalid hash - data integrity check failed"

    def test_a_hundred_keys_are_enough(self):
        raw = "&".join(f"k{number}=1" for number in range(200)) + "&hash=00"
        assert reason_of(raw) == "Invalid hash - data integrity check failed"

    @pytest.mark.parametrize("again", ["user=%7B%22id%22%3A1%7D", "hash=00", "auth_date=1700000001"])
    def test_a_key_that_comes_twice(self, again):
        raw = sign_init_data(TOKEN, ALI, SIGNED_AT)
        assert reason_of(f"{raw}&{again}", SIGNED_AT) == "Duplicate key in initData"

    def test_another_bots_token(self):
        raw = sign_init_data("999:OTHER", ALI, SIGNED_AT)
        assert reason_of(raw, SIGNED_AT) == "Invalid hash - data integrity check failed"

    def test_no_token_and_no_id_believes_nobody(self, change):
        change(telegram_bot_token="")
        assert reason_of(sign_init_data("", ALI, SIGNED_AT), SIGNED_AT) == "Invalid hash - data integrity check failed"


class TestAge:
    @pytest.mark.parametrize("age", [-60, 0, 3599, 3600])
    def test_young_enough(self, age):
        raw = sign_init_data(TOKEN, ALI, SIGNED_AT)
        assert read_init_data(raw, now=SIGNED_AT + timedelta(seconds=age)).id == 42

    @pytest.mark.parametrize(
        ("age", "reason"), [(3601, "initData has expired"), (-61, "Invalid auth_date in initData")]
    )
    def test_too_old_or_too_early(self, age, reason):
        assert reason_of(sign_init_data(TOKEN, ALI, SIGNED_AT), SIGNED_AT + timedelta(seconds=age)) == reason

    def test_the_age_is_a_setting(self, change):
        change(telegram_init_data_max_age=86_400)
        assert read_init_data(sign_init_data(TOKEN, ALI, SIGNED_AT), now=SIGNED_AT + timedelta(hours=23)).id == 42

    @pytest.mark.parametrize("text", ["", "yesterday", "-1", "1e9", "１７００００００００", "9" * 30, " 1700000000"])
    def test_no_number(self, text):
        assert reason_of(signed({"auth_date": text, "user": json.dumps(ALI)})) == "Invalid auth_date in initData"

    def test_absent(self):
        assert reason_of(signed({"user": json.dumps(ALI)})) == "Invalid auth_date in initData"


class TestPerson:
    @pytest.mark.parametrize("user", [None, "", "{", "[]", "42", '"Ali"', "null", "[" * 5000])
    def test_no_user(self, user):
        fields = {"auth_date": "1700000000", **({} if user is None else {"user": user})}
        assert reason_of(signed(fields), SIGNED_AT) == "Missing user data in initData"

    @pytest.mark.parametrize("identity", [None, "42", 0, -1, 1.0, True, 2**52, [], "9" * 6000])
    def test_no_id(self, identity):
        user = {"first_name": "Ali"} if identity is None else {"id": identity, "first_name": "Ali"}
        assert reason_of(sign_init_data(TOKEN, user, SIGNED_AT), SIGNED_AT) == "Invalid user ID in initData"

    def test_texts_that_a_database_refuses_are_made_storable(self):
        user = (
            '{"id":42,"first_name":"A\\u0000li\\ud800","last_name":"'
            + "x" * 300
            + '","username":7,"photo_url":"javascript:1"}'
        )
        profile = read_init_data(signed({"auth_date": "1700000000", "user": user}), now=SIGNED_AT)
        assert profile.first_name == "Ali"
        assert profile.last_name == "x" * 64
        assert profile.username == ""
        assert profile.photo_url == ""
        assert profile.allows_write_to_pm is False


class TestThirdParty:
    KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)

    @pytest.fixture(autouse=True)
    def _only_the_id(self, change):
        public = self.KEY.public_key().public_bytes_raw().hex()
        change(telegram_bot_token="", telegram_bot_id="123456", telegram_public_key=public)

    def sign(self, bot_id: str = "123456", **extra: str) -> str:
        return telegram.sign_for_third_party(self.KEY, bot_id, ALI, SIGNED_AT, **extra)

    def test_our_own_key(self):
        assert read_init_data(self.sign(chat_type=""), now=SIGNED_AT).id == 42

    def test_the_hash_is_not_part_of_this_proof(self):
        raw = self.sign()
        assert read_init_data(raw.replace("hash=" + "0" * 64, "hash=1"), now=SIGNED_AT).id == 42

    def test_without_a_signature(self):
        raw = sign_init_data(TOKEN, ALI, SIGNED_AT)
        assert reason_of(raw, SIGNED_AT) == "Missing signature in initData"

    @pytest.mark.parametrize("signature", ["x", "!!!!", "AAAA", "A" * 86, "привет"])
    def test_with_a_wrong_signature(self, signature):
        raw = sign_init_data(TOKEN, ALI, SIGNED_AT, signature=signature)
        assert reason_of(raw, SIGNED_AT) == "Invalid hash - data integrity check failed"

    def test_age_counts_here_too(self):
        assert reason_of(self.sign(), SIGNED_AT + timedelta(hours=2)) == "initData has expired"

    def test_it_never_stands_in_for_a_failed_hmac(self, change):
        change(telegram_bot_token=TOKEN)
        assert reason_of(self.sign(), SIGNED_AT) == "Invalid hash - data integrity check failed"


class TestWidget:
    FIELDS = {"auth_date": "1700000000", "first_name": "Ali", "id": "42", "photo_url": "https://t.me/i/1.svg"}

    def proven(self, **changes: str) -> dict[str, str]:
        fields = {**self.FIELDS, **changes}
        return {**fields, "hash": telegram.widget_hash(TOKEN, fields)}

    def test_a_proven_person(self):
        profile = read_login_widget(self.proven(username="ali"), now=SIGNED_AT)
        assert (profile.id, profile.username, profile.photo_url) == (42, "ali", "https://t.me/i/1.svg")

    @pytest.mark.parametrize(
        ("fields", "reason"),
        [
            ({"id": "42"}, "Missing hash in initData"),
            ({"id": "42", "hash": "00"}, "Invalid hash - data integrity check failed"),
        ],
    )
    def test_refusals(self, fields, reason):
        with pytest.raises(InitDataRefused) as caught:
            read_login_widget(fields, now=SIGNED_AT)
        assert caught.value.reason == reason

    @pytest.mark.parametrize("identity", ["", "x", "-4", "４２", "9" * 40])
    def test_no_id(self, identity):
        with pytest.raises(InitDataRefused) as caught:
            read_login_widget(self.proven(id=identity), now=SIGNED_AT)
        assert caught.value.reason == "Invalid user ID in initData"

    def test_init_data_is_no_widget_proof(self):
        hash_of_another_kind = telegram.init_data_hash(TOKEN, self.FIELDS)
        with pytest.raises(InitDataRefused):
            read_login_widget({**self.FIELDS, "hash": hash_of_another_kind}, now=SIGNED_AT)


class TestWebhookSecret:
    def test_the_right_one(self):
        assert telegram.is_genuine_update("hook-secret")

    @pytest.mark.parametrize("header", [None, "", "hook-secre", "hook-secret ", "секрет"])
    def test_a_wrong_one(self, header):
        assert not telegram.is_genuine_update(header)

    @pytest.mark.parametrize("header", [None, "", "x"])
    def test_without_a_configured_one_nobody_is_genuine(self, change, header):
        change(telegram_webhook_secret="")
        assert not telegram.is_genuine_update(header)
