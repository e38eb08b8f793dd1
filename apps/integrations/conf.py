"""What operators tell us about vendors.

Read once, by `config/settings.py` (`INTEGRATIONS = conf.load(...)`). Everything else reads `settings.INTEGRATIONS` at
the moment of use, so that a test can put a changed copy in its place.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from apps.core import env

# Telegram's own keys for the third-party proof (contract urgent 4.2).
TELEGRAM_PRODUCTION_KEY = "e7bf03a2fa4602af4580703d88dda5bb59f32ed8b02a56c187fe7d34caed242d"
TELEGRAM_TEST_SERVERS_KEY = "40055058a4ee38156a06562e52eece92a771bcd8346a8c4615cb7376eddf72ec"

# Published on purpose: they work only against the sandbox, and `checks.problems` refuses them in production.
DEMO_BOT_TOKEN = "700000001:demo-token-of-the-mahalla-sandbox"  # noqa: S105
DEMO_BOT_USERNAME = "mahalla_demo_bot"
DEMO_WEBHOOK_SECRET = "mahalla-demo-webhook"  # noqa: S105
DEMO_CRYPTO_TOKEN = "7001:demo-crypto-token-of-the-sandbox"  # noqa: S105
DEMO_YUKASSA_SHOP = "100001"
DEMO_YUKASSA_KEY = "test_demo-yukassa-key-of-the-sandbox"
DEMO_VAPID_PRIVATE_KEY = "WW-OPF_6U-DgoC4RPlBJGEGcL6tl3HC386pRRCB-_rk"
DEMO_VAPID_PUBLIC_KEY = "BFdvcOeDTFfe9PcFoBVXriEFGoNBkqrih8UrJmtXSgzMx7DsP6ip4iWqY6wOuzKh0NJTD_WV--qnnZvwnnwPFd4"
DEMO_FCM_PROJECT = "mahalla-sandbox"
DEMO_LOGIN = "sandbox@mahalla.example"
DEMO_PASSWORD = "mahalla-sandbox-password"  # noqa: S105
DEMO_TWILIO_ACCOUNT = "AC00000000000000000000000000000000"
DEMO_TWILIO_NUMBER = "+15005550006"
DEMO_OCTO_SHOP = "7001"
DEMO_OCTO_SECRET = "demo-octo-secret-of-the-sandbox"  # noqa: S105
DEMO_OCTO_UNIQUE_KEY = "demo-octo-unique-key"
DEMO_PAYME_MERCHANT = "5e730e8e0b852a417aa49ceb"
DEMO_PAYME_KEY = "demo-payme-key-of-the-sandbox"
DEMO_CLICK_SERVICE = "7001"
DEMO_CLICK_MERCHANT = "7002"
DEMO_CLICK_USER = "7003"
DEMO_CLICK_SECRET = "demo-click-secret"  # noqa: S105
DEMO_IIKO_LOGIN = "demo-iiko-api-login-of-the-sandbox"
DEMO_IIKO_ORGANIZATION = "7001d3a0-0000-4000-8000-000000000001"
DEMO_SECRETS = frozenset(
    {
        DEMO_IIKO_LOGIN,
        DEMO_IIKO_ORGANIZATION,
        DEMO_OCTO_SECRET,
        DEMO_OCTO_UNIQUE_KEY,
        DEMO_PAYME_MERCHANT,
        DEMO_PAYME_KEY,
        DEMO_CLICK_SECRET,
        DEMO_BOT_TOKEN,
        DEMO_WEBHOOK_SECRET,
        DEMO_CRYPTO_TOKEN,
        DEMO_YUKASSA_KEY,
        DEMO_VAPID_PRIVATE_KEY,
        DEMO_FCM_PROJECT,
        DEMO_LOGIN,
        DEMO_PASSWORD,
        DEMO_TWILIO_ACCOUNT,
    }
)

SMS_ADAPTERS = {
    "console": "apps.integrations.sms.ConsoleSms",
    "eskiz": "apps.integrations.eskiz.Eskiz",
    "playmobile": "apps.integrations.playmobile.PlayMobile",
    "twilio": "apps.integrations.twilio.Twilio",
}
REAL_PORTS = {
    "bot": "apps.integrations.telegram.TelegramBot",
    "crypto": "apps.integrations.cryptobot.CryptoBot",
    "mail": "apps.integrations.mail.DjangoMail",
    "push": "apps.integrations.push.DevicePush",
    "web_push": "apps.integrations.push.WebPush",
    "octo": "apps.integrations.octo.Octo",
    "payme": "apps.integrations.payme.PaymeCheckout",
    "click": "apps.integrations.click.ClickMerchant",
    "yukassa": "apps.integrations.yukassa.Yukassa",
    "loyalty_system": "apps.integrations.iiko.Iiko",
    "menu": "apps.integrations.myresto.MyResto",
}
FAKE_PORTS = {
    "sms": "apps.integrations.sms.FakeSms",
    "bot": "apps.integrations.telegram.FakeBot",
    "crypto": "apps.integrations.cryptobot.FakeCrypto",
    "mail": "apps.integrations.mail.FakeMail",
    "push": "apps.integrations.push.FakePush",
    "web_push": "apps.integrations.push.FakePush",
    "octo": "apps.integrations.octo.FakeOcto",
    "payme": "apps.integrations.payme.PaymeCheckout",
    "click": "apps.integrations.click.FakeClick",
    "yukassa": "apps.integrations.yukassa.FakeYukassa",
    "loyalty_system": "apps.integrations.iiko.FakeIiko",
    "menu": "apps.integrations.myresto.FakeMyResto",
}


@dataclass(frozen=True, kw_only=True)
class Integrations:
    """Vendor settings. Bases are URLs without a trailing slash; secrets are left out of `repr`."""

    # The sandbox's own address (where its pay pages and fake vendors answer); empty = no sandbox.
    sandbox_url: str = ""
    # "host" or "host:port" that our client may reach although the address is private. Empty in production.
    http_allowed_private: tuple[str, ...] = ()

    # console | eskiz | playmobile | twilio
    sms_provider: str = "console"
    # True: texts go nowhere and count as sent (contract loyalty 5). Refused in production.
    sms_dry_run: bool = False

    telegram_bot_token: str = field(default="", repr=False)
    # Only for the third-party proof of initData, when we do not hold the token (contract urgent 4.2).
    telegram_bot_id: str = ""
    telegram_bot_username: str = ""
    telegram_api_base: str = "https://api.telegram.org"
    telegram_webhook_secret: str = field(default="", repr=False)
    # Seconds that initData stays good (contract urgent 4.1, D11).
    telegram_init_data_max_age: int = 3600
    # Ed25519 key of Telegram, 64 hex digits.
    telegram_public_key: str = TELEGRAM_PRODUCTION_KEY

    crypto_bot_api_token: str = field(default="", repr=False)
    # "main" or "mainnet" = real money, anything else = test net.
    crypto_bot_network: str = "test"
    # Without the /api at the end.
    crypto_bot_api_base: str = "https://testnet-pay.crypt.bot"

    octo_shop_id: str = ""
    octo_secret: str = field(default="", repr=False)
    # A secret of its own for notices; OCTO's support hands it out (contract integrations 1).
    octo_unique_key: str = field(default="", repr=False)
    # unique_key | hash_key (legacy) | pull (notices are never believed, they only make us ask)
    octo_signature_scheme: str = "unique_key"
    octo_api_base: str = "https://secure.octo.uz"
    # Where OCTO posts its notices.
    octo_notify_url: str = ""
    # True = no real money.
    octo_test: bool = True
    octo_language: str = "ru"
    octo_timeout_s: float = 20.0
    # More fields for prepare_payment, a JSON object; the ones that say who, what and how much cannot be overridden.
    octo_extra_params: str = "{}"

    payme_merchant_id: str = ""
    payme_key: str = field(default="", repr=False)
    payme_checkout_base: str = "https://checkout.paycom.uz"
    # The account field that was agreed with Payme; it carries our transaction id.
    payme_account_field: str = "order_id"

    click_service_id: str = ""
    click_merchant_id: str = ""
    # For the Merchant API (status, reversal); without it refunds are made in Click's cabinet.
    click_merchant_user_id: str = ""
    click_secret_key: str = field(default="", repr=False)
    click_pay_base: str = "https://my.click.uz"
    click_api_base: str = "https://api.click.uz/v2/merchant"

    yukassa_shop_id: str = ""
    yukassa_secret_key: str = field(default="", repr=False)
    # Without the /v3 at the end.
    yukassa_api_base: str = "https://api.yookassa.ru"

    iiko_api_login: str = field(default="", repr=False)
    iiko_organization_id: str = field(default="", repr=False)
    # Wanted by a relay between us and iiko; empty = none.
    iiko_proxy_secret: str = field(default="", repr=False)
    iiko_api_base: str = "https://api-ru.iiko.services"
    # The subscription password of iiko's notices; empty = anybody's notice is believed (refused in production).
    iiko_webhook_secret: str = field(default="", repr=False)

    # Public menus of the branches (MyResto); empty = no such source. Stop-list addresses get `/<store id>` appended.
    menu_api_url: str = ""
    menu_gijduvon_api_url: str = ""
    stop_list_api_url: str = ""
    stop_list_gijduvon_api_url: str = ""
    menu_timeout_s: float = 10.0

    eskiz_email: str = field(default="", repr=False)
    eskiz_password: str = field(default="", repr=False)
    eskiz_from: str = "4546"
    eskiz_base_url: str = "https://notify.eskiz.uz/api"
    # Where Eskiz reports delivery; the secret becomes the last path segment because its callbacks are unsigned.
    eskiz_callback_url: str = ""
    eskiz_callback_secret: str = field(default="", repr=False)

    playmobile_login: str = field(default="", repr=False)
    playmobile_password: str = field(default="", repr=False)
    playmobile_originator: str = "3700"
    playmobile_base_url: str = "https://send.smsxabar.uz"

    twilio_account_sid: str = ""
    twilio_auth_token: str = field(default="", repr=False)
    # A number in E.164, or a messaging service id (MG…).
    twilio_from_number: str = ""
    twilio_base_url: str = "https://api.twilio.com"
    # Where Twilio reports delivery; the very address that it signs.
    twilio_status_callback_url: str = ""

    fcm_project_id: str = ""
    # Path of the service account's JSON file.
    fcm_credentials_file: str = ""
    fcm_base_url: str = "https://fcm.googleapis.com"

    # Base64url, unpadded: 65-byte point and 32-byte number.
    vapid_public_key: str = ""
    vapid_private_key: str = field(default="", repr=False)
    # Contact for push services: mailto: or https:.
    vapid_subject: str = "mailto:push@example.com"

    @property
    def ports(self) -> dict[str, str]:
        """The value of `settings.PORTS`: real adapters, and SMS by `sms_provider`.

        Raises `ValueError` for an unknown one.
        """
        if self.sms_provider not in SMS_ADAPTERS:
            raise ValueError(f"SMS_PROVIDER must be one of {', '.join(SMS_ADAPTERS)}, not {self.sms_provider!r}")
        return {"sms": SMS_ADAPTERS["console" if self.sms_dry_run else self.sms_provider], **REAL_PORTS}


def load(*, embedded: bool = False, port: int = 8000) -> Integrations:
    """Read the environment.

    `embedded` fills every gap with the sandbox at `SANDBOX_URL` (default: this server's `port`).
    """
    sandbox_url = env.text("SANDBOX_URL").rstrip("/") or (f"http://127.0.0.1:{port}" if embedded else "")
    fakes = f"{sandbox_url}/__sandbox" if embedded else ""
    return Integrations(
        sandbox_url=sandbox_url,
        http_allowed_private=env.words("HTTP_ALLOWED_PRIVATE"),
        sms_dry_run=env.flag("SMS_DRY_RUN"),
        **_telegram(fakes),
        **_crypto_bot(fakes),
        **_octo(fakes, sandbox_url),
        **_payme_and_click(fakes),
        **_yukassa(fakes),
        **_iiko_and_menu(fakes),
        **_sms(fakes, sandbox_url),
        **_push(fakes),
    )


def _public(own_url: str) -> str:
    """Where vendors reach us; empty when only the operator could know."""
    return env.text("PUBLIC_URL").rstrip("/") or own_url


def _base(name: str, real: str, fake: str) -> str:
    """An address from the environment, else the sandbox's, else the vendor's own."""
    return (env.text(name) or fake or real).rstrip("/")


def _telegram(fakes: str) -> dict:
    bot_id = env.text("TELEGRAM_BOT_ID")
    # An id alone asks for the third-party proof; a demo token beside it would silently choose the other one.
    demo_token = DEMO_BOT_TOKEN if fakes and not bot_id else ""
    return {
        "telegram_bot_token": env.secret("TELEGRAM_BOT_TOKEN") or demo_token,
        "telegram_bot_id": bot_id,
        "telegram_bot_username": env.text("TELEGRAM_BOT_USERNAME").lstrip("@") or (fakes and DEMO_BOT_USERNAME),
        "telegram_api_base": _base("TELEGRAM_API_BASE", "https://api.telegram.org", fakes and f"{fakes}/telegram"),
        "telegram_webhook_secret": env.secret("TELEGRAM_WEBHOOK_SECRET") or (fakes and DEMO_WEBHOOK_SECRET),
        "telegram_init_data_max_age": env.integer("TELEGRAM_INIT_DATA_MAX_AGE", 3600),
        "telegram_public_key": env.text("TELEGRAM_PUBLIC_KEY") or TELEGRAM_PRODUCTION_KEY,
    }


def _crypto_bot(fakes: str) -> dict:
    network = env.text("CRYPTO_BOT_NETWORK", "test").lower()
    real = "https://pay.crypt.bot" if network in ("main", "mainnet") else "https://testnet-pay.crypt.bot"
    return {
        "crypto_bot_api_token": env.secret("CRYPTO_BOT_API_TOKEN") or (fakes and DEMO_CRYPTO_TOKEN),
        "crypto_bot_network": network,
        "crypto_bot_api_base": _base("CRYPTO_BOT_API_BASE", real, fakes and f"{fakes}/cryptobot"),
    }


SIGNATURE_SCHEMES = {"unique_key": "unique_key", "hash_key": "hash_key", "legacy": "hash_key", "pull": "pull"}


def _octo(fakes: str, own_url: str) -> dict:
    scheme = env.text("OCTO_SIGNATURE_SCHEME", "unique_key").lower()
    if scheme not in SIGNATURE_SCHEMES:
        raise ValueError(f"OCTO_SIGNATURE_SCHEME must be one of {', '.join(SIGNATURE_SCHEMES)}, not {scheme!r}")
    public = _public(own_url)
    return {
        "octo_shop_id": env.text("OCTO_SHOP_ID") or (fakes and DEMO_OCTO_SHOP),
        "octo_secret": env.secret("OCTO_SECRET") or (fakes and DEMO_OCTO_SECRET),
        "octo_unique_key": env.secret("OCTO_UNIQUE_KEY") or (fakes and DEMO_OCTO_UNIQUE_KEY),
        "octo_signature_scheme": SIGNATURE_SCHEMES[scheme],
        "octo_api_base": _base("OCTO_API_BASE", "https://secure.octo.uz", fakes and f"{fakes}/octo"),
        "octo_notify_url": env.text("OCTO_NOTIFY_URL") or (public and f"{public}/payments/octo/notify"),
        "octo_test": env.flag("OCTO_TEST", True),
        "octo_language": env.text("OCTO_LANGUAGE", "ru"),
        "octo_timeout_s": float(env.integer("OCTO_TIMEOUT_SEC", 20)),
        "octo_extra_params": _json_object("OCTO_EXTRA_PARAMS"),
    }


def _json_object(name: str) -> str:
    """The text of a JSON object on one line. Raises `ValueError` for anything else."""
    text = env.text(name) or "{}"
    if not isinstance(json.loads(text), dict):
        raise ValueError(f"{name} must be a JSON object")
    return text


def _payme_and_click(fakes: str) -> dict:
    return {
        "payme_merchant_id": env.text("PAYME_MERCHANT_ID") or (fakes and DEMO_PAYME_MERCHANT),
        "payme_key": env.secret("PAYME_KEY") or (fakes and DEMO_PAYME_KEY),
        "payme_checkout_base": _base(
            "PAYME_CHECKOUT_BASE", "https://checkout.paycom.uz", fakes and f"{fakes}/payme/checkout"
        ),
        "payme_account_field": env.text("PAYME_ACCOUNT_FIELD", "order_id"),
        "click_service_id": env.text("CLICK_SERVICE_ID") or (fakes and DEMO_CLICK_SERVICE),
        "click_merchant_id": env.text("CLICK_MERCHANT_ID") or (fakes and DEMO_CLICK_MERCHANT),
        "click_merchant_user_id": env.text("CLICK_MERCHANT_USER_ID") or (fakes and DEMO_CLICK_USER),
        "click_secret_key": env.secret("CLICK_SECRET_KEY") or (fakes and DEMO_CLICK_SECRET),
        "click_pay_base": _base("CLICK_PAY_BASE", "https://my.click.uz", fakes and f"{fakes}/click"),
        "click_api_base": _base(
            "CLICK_API_BASE", "https://api.click.uz/v2/merchant", fakes and f"{fakes}/click/v2/merchant"
        ),
    }


def _yukassa(fakes: str) -> dict:
    return {
        "yukassa_shop_id": env.text("YUKASSA_SHOP_ID") or (fakes and DEMO_YUKASSA_SHOP),
        "yukassa_secret_key": env.secret("YUKASSA_SECRET_KEY") or (fakes and DEMO_YUKASSA_KEY),
        "yukassa_api_base": _base("YUKASSA_API_BASE", "https://api.yookassa.ru", fakes and f"{fakes}/yukassa"),
    }


def _sms_provider(usual: str) -> str:
    """`TWILIO_ENABLED` is the switch of contract tickets 5; it wins, so that a copied `.env.example` obeys it."""
    named = env.text("SMS_PROVIDER", usual).lower()
    return "twilio" if env.flag("TWILIO_ENABLED") else named


def _iiko_and_menu(fakes: str) -> dict:
    menus = fakes and f"{fakes}/myresto"
    return {
        "iiko_api_login": env.secret("IIKO_API_LOGIN") or (fakes and DEMO_IIKO_LOGIN),
        "iiko_organization_id": env.secret("IIKO_ORGANIZATION_ID") or (fakes and DEMO_IIKO_ORGANIZATION),
        "iiko_proxy_secret": env.secret("IIKO_PROXY_SECRET"),
        "iiko_webhook_secret": env.secret("IIKO_WEBHOOK_SECRET"),
        "iiko_api_base": _base("IIKO_API_BASE_URL", "https://api-ru.iiko.services", fakes and f"{fakes}/iiko"),
        "menu_api_url": _base("MENU_API_URL", "", menus and f"{menus}/main/api/v1/menu"),
        "menu_gijduvon_api_url": _base("MENU_GIJDUVON_API_URL", "", menus and f"{menus}/gijduvon/api/v1/menu"),
        "stop_list_api_url": _base("STOP_LIST_API_URL", "", menus and f"{menus}/main/api/v1/menu/stop-lists"),
        "stop_list_gijduvon_api_url": _base(
            "STOP_LIST_GIJDUVON_API_URL", "", menus and f"{menus}/gijduvon/api/v1/menu/stop-lists"
        ),
        "menu_timeout_s": float(env.integer("MENU_HTTP_TIMEOUT", 10)),
    }


def _sms(fakes: str, own_url: str) -> dict:
    public = _public(own_url)
    # ESKIZ_LOGIN and ESKIZ_FROM_WHOM are the loyalty product's names; its deployments know no other SMS house.
    loyalty_login = env.secret("ESKIZ_LOGIN")
    eskiz_login = env.secret("ESKIZ_EMAIL") or loyalty_login
    return {
        "sms_provider": _sms_provider("eskiz" if loyalty_login else "console"),
        "eskiz_email": eskiz_login or (fakes and DEMO_LOGIN),
        "eskiz_password": env.secret("ESKIZ_PASSWORD") or (fakes and DEMO_PASSWORD),
        "eskiz_from": env.text("ESKIZ_FROM") or env.text("ESKIZ_FROM_WHOM", "4546"),
        "eskiz_base_url": _base("ESKIZ_BASE_URL", "https://notify.eskiz.uz/api", fakes and f"{fakes}/eskiz"),
        "eskiz_callback_url": env.text("ESKIZ_CALLBACK_URL").rstrip("/"),
        "eskiz_callback_secret": env.secret("ESKIZ_CALLBACK_SECRET"),
        "playmobile_login": env.secret("PLAYMOBILE_LOGIN") or (fakes and DEMO_LOGIN),
        "playmobile_password": env.secret("PLAYMOBILE_PASSWORD") or (fakes and DEMO_PASSWORD),
        "playmobile_originator": env.text("PLAYMOBILE_ORIGINATOR", "3700"),
        "playmobile_base_url": _base(
            "PLAYMOBILE_BASE_URL", "https://send.smsxabar.uz", fakes and f"{fakes}/playmobile"
        ),
        "twilio_account_sid": env.text("TWILIO_ACCOUNT_SID") or (fakes and DEMO_TWILIO_ACCOUNT),
        "twilio_auth_token": env.secret("TWILIO_AUTH_TOKEN") or (fakes and DEMO_PASSWORD),
        "twilio_from_number": env.text("TWILIO_FROM_NUMBER")
        or env.text("TWILIO_PHONE_NUMBER")
        or (fakes and DEMO_TWILIO_NUMBER),
        "twilio_base_url": _base("TWILIO_BASE_URL", "https://api.twilio.com", fakes and f"{fakes}/twilio"),
        "twilio_status_callback_url": env.text("TWILIO_STATUS_CALLBACK_URL") or (public and f"{public}/sms/twilio"),
    }


def _push(fakes: str) -> dict:
    public, private = env.text("VAPID_PUBLIC_KEY"), env.secret("VAPID_PRIVATE_KEY")
    if fakes and not (public or private):
        public, private = DEMO_VAPID_PUBLIC_KEY, DEMO_VAPID_PRIVATE_KEY
    return {
        "fcm_project_id": env.text("FCM_PROJECT_ID") or (fakes and DEMO_FCM_PROJECT),
        "fcm_credentials_file": env.text("FCM_CREDENTIALS_FILE") or env.text("FCM_SERVICE_ACCOUNT_FILE"),
        "fcm_base_url": _base("FCM_BASE_URL", "https://fcm.googleapis.com", fakes and f"{fakes}/fcm"),
        "vapid_public_key": public,
        "vapid_private_key": private,
        "vapid_subject": env.text("VAPID_SUBJECT", "mailto:push@example.com"),
    }
