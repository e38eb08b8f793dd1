"""Which adapter stands behind a door, and what the environment says about it."""

from __future__ import annotations

import os

import pytest

from apps.integrations import conf, ports
from apps.integrations.checks import is_private_name, problems
from apps.integrations.sandbox import recorder
from apps.integrations.sms import ConsoleSms, FakeSms


@pytest.fixture
def no_env(monkeypatch):
    for name in list(os.environ):
        if name.startswith(
            (
                "TELEGRAM",
                "CRYPTO",
                "YUKASSA",
                "ESKIZ",
                "PLAYMOBILE",
                "TWILIO",
                "FCM",
                "VAPID",
                "SMS_",
                "SANDBOX",
                "HTTP_A",
                "IIKO",
                "MENU",
                "STOP_LIST",
                "PUBLIC_URL",
            )
        ):
            monkeypatch.delenv(name)
    return monkeypatch.setenv


class TestPort:
    def test_built_once_until_reset(self, settings):
        settings.PORTS = conf.FAKE_PORTS
        first = ports.port("sms")
        assert isinstance(first, FakeSms)
        assert ports.port("sms") is first
        ports.reset()
        assert ports.port("sms") is not first

    def test_another_path_is_another_adapter(self, settings):
        settings.PORTS = {"sms": conf.FAKE_PORTS["sms"]}
        ports.port("sms")
        settings.PORTS = {"sms": conf.SMS_ADAPTERS["console"]}
        assert isinstance(ports.port("sms"), ConsoleSms)

    def test_no_such_door(self, settings):
        settings.PORTS = {}
        with pytest.raises(KeyError):
            ports.port("sms")

    @pytest.mark.parametrize(
        "path", [*conf.SMS_ADAPTERS.values(), *conf.REAL_PORTS.values(), *conf.FAKE_PORTS.values()]
    )
    def test_every_path_leads_somewhere(self, settings, path):
        settings.PORTS = {"any": path}
        assert type(ports.port("any")).__name__ == path.rpartition(".")[2]


class TestConf:
    def test_embedded_means_the_sandbox_of_this_server(self, no_env):
        loaded = conf.load(embedded=True, port=8123)
        assert loaded.telegram_api_base == "http://127.0.0.1:8123/__sandbox/telegram"
        assert loaded.crypto_bot_api_base == "http://127.0.0.1:8123/__sandbox/cryptobot"
        assert loaded.yukassa_api_base == "http://127.0.0.1:8123/__sandbox/yukassa"
        assert (loaded.yukassa_shop_id, loaded.yukassa_secret_key) == (conf.DEMO_YUKASSA_SHOP, conf.DEMO_YUKASSA_KEY)
        assert loaded.telegram_bot_token == conf.DEMO_BOT_TOKEN
        assert loaded.vapid_public_key == conf.DEMO_VAPID_PUBLIC_KEY
        assert loaded.ports["sms"] == "apps.integrations.sms.ConsoleSms"

    def test_a_given_token_is_kept_and_still_speaks_to_the_sandbox(self, no_env):
        no_env("TELEGRAM_BOT_TOKEN", "1:real")
        loaded = conf.load(embedded=True)
        assert loaded.telegram_bot_token == "1:real"
        assert loaded.telegram_api_base == "http://127.0.0.1:8000/__sandbox/telegram"
        no_env("TELEGRAM_API_BASE", "https://api.telegram.org/")
        assert conf.load(embedded=True).telegram_api_base == "https://api.telegram.org"

    def test_an_id_alone_asks_for_the_third_party_proof(self, no_env):
        no_env("TELEGRAM_BOT_ID", "7342037359")
        loaded = conf.load(embedded=True)
        assert (loaded.telegram_bot_token, loaded.telegram_bot_id) == ("", "7342037359")

    @pytest.mark.parametrize("provider", ["eskiz", "playmobile", "twilio"])
    def test_one_switch_makes_a_laptop_talk_to_a_fake_vendor(self, no_env, sandbox, settings, provider):
        no_env("SMS_PROVIDER", provider)
        no_env("SANDBOX_URL", sandbox)
        settings.INTEGRATIONS = conf.load(embedded=True)
        settings.PORTS = settings.INTEGRATIONS.ports
        ports.port("sms").send(to="+998901234567", text="salom")
        assert [kept["text"] for kept in recorder.messages(channel="sms", to="+998901234567")] == ["salom"]

    def test_the_names_of_the_loyalty_product_work_alone(self, no_env):
        no_env("ESKIZ_LOGIN", "house@example.com")
        no_env("ESKIZ_FROM_WHOM", "Sardoba")
        no_env("FCM_SERVICE_ACCOUNT_FILE", "key.json")
        loaded = conf.load()
        assert (loaded.eskiz_email, loaded.eskiz_from, loaded.fcm_credentials_file) == (
            *("house@example.com", "Sardoba"),
            "key.json",
        )
        assert loaded.ports["sms"] == "apps.integrations.eskiz.Eskiz"
        no_env("SMS_DRY_RUN", "true")
        assert conf.load().ports["sms"] == "apps.integrations.sms.ConsoleSms"

    def test_a_laptop_has_a_restaurant(self, no_env):
        loaded = conf.load(embedded=True, port=8123)
        fakes = "http://127.0.0.1:8123/__sandbox"
        assert (loaded.iiko_api_base, loaded.iiko_api_login) == (f"{fakes}/iiko", conf.DEMO_IIKO_LOGIN)
        assert loaded.menu_api_url == f"{fakes}/myresto/main/api/v1/menu"
        assert loaded.stop_list_gijduvon_api_url == f"{fakes}/myresto/gijduvon/api/v1/menu/stop-lists"
        loaded = conf.load()
        assert (loaded.iiko_api_base, loaded.iiko_api_login) == ("https://api-ru.iiko.services", "")
        assert (loaded.menu_api_url, loaded.stop_list_api_url, loaded.menu_timeout_s) == ("", "", 10.0)

    def test_production_means_the_vendors(self, no_env):
        loaded = conf.load()
        assert loaded.telegram_api_base == "https://api.telegram.org"
        assert loaded.eskiz_base_url == "https://notify.eskiz.uz/api"
        assert (loaded.yukassa_api_base, loaded.yukassa_secret_key) == ("https://api.yookassa.ru", "")
        assert (loaded.telegram_bot_token, loaded.sandbox_url, loaded.vapid_private_key) == ("", "", "")

    def test_twilio_reports_to_our_public_address(self, no_env):
        assert conf.load().twilio_status_callback_url == ""
        assert conf.load(embedded=True, port=8123).twilio_status_callback_url == "http://127.0.0.1:8123/sms/twilio"
        no_env("PUBLIC_URL", "https://mahalla.example/")
        assert conf.load().twilio_status_callback_url == "https://mahalla.example/sms/twilio"
        no_env("TWILIO_STATUS_CALLBACK_URL", "https://hooks.example/a?b=c")
        assert conf.load().twilio_status_callback_url == "https://hooks.example/a?b=c"

    @pytest.mark.parametrize(
        ("network", "base"),
        [
            ("main", "https://pay.crypt.bot"),
            ("MainNet", "https://pay.crypt.bot"),
            ("test", "https://testnet-pay.crypt.bot"),
            ("anything", "https://testnet-pay.crypt.bot"),
        ],
    )
    def test_networks(self, no_env, network, base):
        no_env("CRYPTO_BOT_NETWORK", network)
        assert conf.load().crypto_bot_api_base == base

    def test_secrets_from_files_and_never_in_repr(self, no_env, tmp_path):
        (tmp_path / "token").write_text("1:file-secret\n")
        no_env("TELEGRAM_BOT_TOKEN_FILE", str(tmp_path / "token"))
        for name in (
            "ESKIZ_PASSWORD",
            "TWILIO_AUTH_TOKEN",
            "CRYPTO_BOT_API_TOKEN",
            "YUKASSA_SECRET_KEY",
            "VAPID_PRIVATE_KEY",
        ):
            no_env(name, "env-secret")
        loaded = conf.load()
        assert loaded.telegram_bot_token == "1:file-secret"
        assert "secret" not in repr(loaded).replace("telegram_webhook_secret", "")

    def test_an_unknown_sms_provider(self, no_env):
        no_env("SMS_PROVIDER", "pigeon")
        with pytest.raises(ValueError, match="pigeon"):
            _ = conf.load().ports


class TestProblems:
    @pytest.fixture
    def production(self, settings, change, no_env):
        settings.EMBEDDED = settings.SANDBOX_ENABLED = False
        no_env("SMS_PROVIDER", "eskiz")
        no_env("ESKIZ_EMAIL", "a@b.c")
        no_env("ESKIZ_PASSWORD", "x")
        settings.INTEGRATIONS = conf.load()
        settings.PORTS = settings.INTEGRATIONS.ports
        return settings

    def ids(self, settings) -> list[str]:
        return [problem.id for problem in problems(settings)]

    def test_a_good_production(self, production):
        assert self.ids(production) == []

    def test_embedded_mode_may_do_all_that(self, production):
        production.EMBEDDED = production.SANDBOX_ENABLED = True
        production.PORTS = conf.FAKE_PORTS
        assert self.ids(production) == []

    def test_fakes(self, production):
        production.PORTS = {"sms": conf.SMS_ADAPTERS["console"], "bot": conf.FAKE_PORTS["bot"], "x": "apps.y.FakeZ"}
        assert self.ids(production) == ["integrations.E001"] * 3

    def test_sandbox_and_inner_network(self, production, change):
        production.SANDBOX_ENABLED = True
        change(http_allowed_private=("10.0.0.1",))
        assert self.ids(production) == ["integrations.E002", "integrations.E003"]

    @pytest.mark.parametrize("base", ["http://api.telegram.org", "https://127.0.0.1:8000/x", "https://localhost", ""])
    def test_private_bases(self, production, change, base):
        change(telegram_api_base=base)
        assert self.ids(production) == ["integrations.E004"]

    def test_demo_secrets(self, production, change):
        change(telegram_bot_token=conf.DEMO_BOT_TOKEN, telegram_webhook_secret=conf.DEMO_WEBHOOK_SECRET)
        assert self.ids(production) == ["integrations.E005"] * 2

    def test_half_a_configuration(self, production, change):
        change(eskiz_password="", telegram_bot_token="1:a")
        assert self.ids(production) == ["integrations.E006", "integrations.E007"]

    @pytest.mark.parametrize(
        "given", [{"eskiz_callback_url": "https://a.uz/sms/eskiz"}, {"eskiz_callback_secret": "x"}]
    )
    def test_half_a_callback(self, production, change, given):
        change(**given)
        assert self.ids(production) == ["integrations.E006"]

    def test_octo_without_the_key_of_its_notices(self, production, change):
        change(octo_shop_id="7", octo_secret="x")
        assert self.ids(production) == ["integrations.E008"]
        change(octo_signature_scheme="pull")
        assert self.ids(production) == []

    @pytest.mark.parametrize("given", [{"yukassa_shop_id": "5"}, {"yukassa_secret_key": "live_x"}])
    def test_half_a_yukassa(self, production, change, given):
        change(**given)
        assert self.ids(production) == ["integrations.E006"]

    def test_no_problem_names_a_secret(self, production, change):
        change(telegram_bot_token=conf.DEMO_BOT_TOKEN)
        assert conf.DEMO_BOT_TOKEN not in str(problems(production))

    @pytest.mark.parametrize("host", ["", "redis", "localhost", "a.localhost", "x.internal", "10.1.1.1", "::1"])
    def test_private_names(self, host):
        assert is_private_name(host)
