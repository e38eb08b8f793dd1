"""All settings of the house. Only the environment differs between a laptop and production (design 3.13).

Nothing set: embedded mode (SQLite, memory cache and channels, tasks in place, vendor sandboxes).
`DATABASE_URL` and `REDIS_URL`: PostgreSQL, Redis, Celery. `S3_BUCKET`: files in a bucket.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from pathlib import Path
from typing import Any

import dj_database_url
from django.utils.translation import gettext_lazy as _

from apps.accounts import conf as accounts_conf
from apps.core import buckets, env, logs
from apps.florist import conf as florist_conf
from apps.integrations import conf as integrations_conf
from apps.loyalty import conf as loyalty_conf
from apps.payments import conf as payments_conf
from apps.shop import conf as shop_conf
from apps.tickets import conf as tickets_conf
from apps.urgent import conf as urgent_conf
from config import unfold
from config.schedule import ROUTES, SCHEDULE

BASE_DIR = Path(__file__).resolve().parent.parent

# ── Mode ────────────────────────────────────────────────────────────────────────────────────────────────────────────
DATABASE_URL = env.secret("DATABASE_URL")
REDIS_URL = env.secret("REDIS_URL")
REDIS_PREFIX = env.text("REDIS_PREFIX", "mahalla")
"""Tells installations on one Redis server apart: its pub/sub ignores the database number."""
EMBEDDED = env.flag("EMBEDDED", not (DATABASE_URL or REDIS_URL))
"""True on a laptop: everything in one process, vendors are sandboxes. A production start refuses its conveniences."""
DEBUG = env.flag("DEBUG", False)
TICK_IN_PROCESS = env.flag("TICK_IN_PROCESS", EMBEDDED)
"""Run the schedule inside the ASGI server instead of beat and worker."""
PORT = env.integer("PORT", 8000)
DATA_DIR = Path(env.text("DATA_DIR", str(BASE_DIR / ".data"))).resolve()
PUBLIC_URL = env.text("PUBLIC_URL", f"http://127.0.0.1:{PORT}")
"""The address under which clients reach us; used in links, webhooks and cookies."""
VERSION = "0.1.0"

# ── Security ────────────────────────────────────────────────────────────────────────────────────────────────────────
INSECURE_SECRET_KEY = "insecure-only-for-a-laptop-" + "0" * 40
SECRET_KEY = env.secret("SECRET_KEY", INSECURE_SECRET_KEY)
ALLOWED_HOSTS = list(env.words("ALLOWED_HOSTS", ("*",) if EMBEDDED else ("127.0.0.1", "localhost")))
TRUSTED_PROXIES = env.words("TRUSTED_PROXIES", ("127.0.0.1/32", "::1/128"))
"""Networks whose X-Forwarded-For is believed."""
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
HTTPS_ONLY = env.flag("HTTPS_ONLY", PUBLIC_URL.startswith("https://"))
SECURE_SSL_REDIRECT = HTTPS_ONLY
SECURE_REDIRECT_EXEMPT = [r"^health$", r"^metrics$"]
HSTS_SECONDS = env.integer("HSTS_SECONDS", 31_536_000)
SECURE_HSTS_SECONDS = HSTS_SECONDS if HTTPS_ONLY else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS_ONLY
SECURE_HSTS_PRELOAD = HTTPS_ONLY
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS_ONLY
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_AGE = env.integer("STAFF_SESSION_SECONDS", 12 * 3600)
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL] if PUBLIC_URL.startswith("http") else []
_origins = (
    *env.words("CORS_ORIGINS", ("http://localhost:10002", "http://localhost:3000")),
    *env.words("ALLOWED_ORIGINS", ()),
)
CORS_ALLOWED_ORIGINS = [origin.rstrip("/") for origin in _origins]
CORS_ALLOWED_ORIGIN_REGEXES = list(filter(None, [env.text("ALLOWED_ORIGIN_REGEX")]))
CORS_EXPOSE_HEADERS = [
    *("Authorization", "Refresh-Token", "Token-Type", "X-Expires-In"),
    *("Retry-After", "WWW-Authenticate"),
]
CORS_ALLOW_CREDENTIALS = True
CORS_ALLOW_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
CORS_PREFLIGHT_MAX_AGE = 600
BUCKET = buckets.load()
CONTENT_SECURITY_POLICY = {
    "EXCLUDE_URL_PREFIXES": ("/admin",),
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "img-src": ["'self'", "data:", "blob:", *buckets.origins(BUCKET)],
        "style-src": ["'self'", "'unsafe-inline'"],
        "script-src": ["'self'"],
        "connect-src": ["'self'"],
        "frame-ancestors": ["'none'"],
    },
}
DATA_UPLOAD_MAX_MEMORY_SIZE = env.integer("MAX_BODY_BYTES", 10 * 1024 * 1024)

# ── Applications ────────────────────────────────────────────────────────────────────────────────────────────────────
INSTALLED_APPS = [
    "unfold.apps.BasicAppConfig",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "unfold.contrib.import_export",
    "unfold.contrib.simple_history",
    "apps.accounts.apps.HouseAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "channels",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "corsheaders",
    "csp",
    "django_structlog",
    "import_export",
    "simple_history",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "django_otp.plugins.otp_static",
    "axes",
    "django_htmx",
    "apps.core",
    "apps.accounts",
    "apps.ledger",
    "apps.notifications",
    "apps.payments",
    "apps.shop",
    "apps.urgent",
    "apps.loyalty",
    "apps.tickets",
    "apps.florist",
    "apps.portal",
]

MIDDLEWARE = [
    "apps.portal.metrics.count_requests",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "apps.core.middleware.Cors",
    "apps.core.middleware.RequestLog",
    "apps.shop.api.manners.ShopManners",
    "apps.core.middleware.measure",
    "apps.core.middleware.Sessions",
    "apps.core.middleware.Locale",
    "apps.core.middleware.Common",
    "apps.core.middleware.Csrf",
    "apps.core.middleware.Authentication",
    "apps.core.middleware.SecondFactor",
    "apps.core.middleware.Messages",
    "apps.core.middleware.Framing",
    "simple_history.middleware.HistoryRequestMiddleware",
    "apps.core.middleware.Htmx",
    "apps.core.middleware.Lockout",
    "apps.core.middleware.ContentPolicy",
]
PAGE_PREFIXES = ("/admin", "/i18n", "/desk", "/track", "/my", "/city")
"""Only these addresses and `/` pay for sessions, messages and CSRF (design 3.25)."""

ROOT_URLCONF = "config.urls"
ASGI_APPLICATION = "config.asgi.application"
WSGI_APPLICATION = "config.wsgi.application"
APPEND_SLASH = False
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]

# ── Database ────────────────────────────────────────────────────────────────────────────────────────────────────────
PREPARED_STATEMENTS = env.flag("DB_PREPARED_STATEMENTS", True)
"""Switch off behind a pgbouncer in transaction mode."""
DB_POOL = env.flag("DB_POOL", False)
"""A pool instead of persistent connections: for the ASGI process."""
DB_POOL_SIZE = env.integer("DB_POOL_SIZE", 10)
STATEMENT_TIMEOUT_MS = env.integer("DB_STATEMENT_TIMEOUT_MS", 30_000)


def database(url: str) -> dict[str, object]:
    """Django's DATABASES entry for an address; an empty one is the SQLite file in `DATA_DIR`."""
    if not url:
        DATA_DIR.mkdir(parents=True, exist_ok=True)
        return _sqlite(str(DATA_DIR / "mahalla.sqlite3"))
    parsed: dict[str, Any] = dict(dj_database_url.parse(url))
    if "sqlite" in str(parsed["ENGINE"]):
        return _sqlite(str(parsed["NAME"]))
    ours = _postgres_options()
    # What the address says (sslmode, application_name…) stays.
    return {**parsed, **ours, "OPTIONS": {**parsed.get("OPTIONS", {}), **ours["OPTIONS"]}}


def _sqlite(name: str) -> dict[str, object]:
    pragmas = "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON; PRAGMA cache_size=-20000;"
    options = {"transaction_mode": "IMMEDIATE", "timeout": 30, "init_command": pragmas}
    return {"ENGINE": "django.db.backends.sqlite3", "NAME": name, "OPTIONS": options, "CONN_MAX_AGE": 60}


def _postgres_options() -> dict[str, Any]:
    options: dict[str, object] = {"options": f"-c statement_timeout={STATEMENT_TIMEOUT_MS}"}
    if PREPARED_STATEMENTS:
        options |= {"server_side_binding": True, "prepare_threshold": 2}
    else:
        options |= {"prepare_threshold": None}
    if DB_POOL:
        options["pool"] = {"min_size": 1, "max_size": DB_POOL_SIZE, "timeout": 10}
    engine = "apps.core.postgresql"
    return {"ENGINE": engine, "OPTIONS": options, "CONN_MAX_AGE": 0 if DB_POOL else 300, "CONN_HEALTH_CHECKS": True}


DATABASES = {"default": database(DATABASE_URL)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# ── Cache, channels, tasks ──────────────────────────────────────────────────────────────────────────────────────────
CACHES = {
    "default": {
        "BACKEND": "apps.core.caching.LastingRedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": REDIS_PREFIX,
    }
    if REDIS_URL
    else {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "LOCATION": "mahalla",
        "OPTIONS": {"MAX_ENTRIES": 50_000},
    }
}
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [REDIS_URL], "prefix": REDIS_PREFIX},
    }
    if REDIS_URL
    else {"BACKEND": "channels.layers.InMemoryChannelLayer", "CONFIG": {"capacity": 1000}}
}
BROKER_URL = env.secret("BROKER_URL", REDIS_URL)
OUTBOX_RELAY = "worker" if BROKER_URL else "in_place"
CELERY_BROKER_URL = BROKER_URL or "memory://"
CELERY_TASK_ALWAYS_EAGER = not BROKER_URL
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_DEFAULT_QUEUE = "talk"
CELERY_TASK_SOFT_TIME_LIMIT = 300
CELERY_TASK_TIME_LIMIT = 360
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BEAT_SCHEDULE = SCHEDULE
CELERY_TASK_ROUTES = ROUTES
CELERY_BEAT_SCHEDULE_FILENAME = str(DATA_DIR / "celerybeat-schedule")
CELERY_TIMEZONE = "UTC"

# ── Files ───────────────────────────────────────────────────────────────────────────────────────────────────────────
S3_BUCKET = BUCKET.name
MEDIA_URL = "/media/"
MEDIA_ROOT = DATA_DIR / "media"
STATIC_URL = "/static/"
STATIC_ROOT = None if EMBEDDED else BASE_DIR / "staticfiles"
"""A laptop serves files from where they lie; the image collects them."""
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = EMBEDDED
STORAGES = {
    "default": buckets.storage(BUCKET) if S3_BUCKET else {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if EMBEDDED
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}

# ── Languages and time ──────────────────────────────────────────────────────────────────────────────────────────────
LANGUAGE_CODE = env.text("LANGUAGE_CODE", "ru")
LANGUAGES = [("ru", _("Russian")), ("uz", _("Uzbek")), ("tr", _("Turkish")), ("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
FORMAT_MODULE_PATH = "config.formats"
TIME_ZONE = env.text("TIME_ZONE", "Asia/Tashkent")
USE_TZ = True
USE_I18N = True

# ── People ──────────────────────────────────────────────────────────────────────────────────────────────────────────
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "apps.accounts.authentication.StaffBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 8}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "/admin/login/"
LOGIN_REDIRECT_URL = "/admin/"
ACCOUNTS = accounts_conf.load(embedded=EMBEDDED)
SIMPLE_JWT = {"SIGNING_KEY": env.secret("JWT_SIGNING_KEY") or SECRET_KEY, "ALGORITHM": "HS256"}
OTP_TOTP_ISSUER = "Mahalla"
SILENCED_SYSTEM_CHECKS = ["axes.W002", "security.W002", "security.W003", *env.words("SILENCED_CHECKS")]
"""Lockout, Framing and Csrf of core.middleware are the middleware that these checks miss, for pages.

Others: a rehearsal may accept a named risk."""
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=env.integer("STAFF_LOCKOUT_MINUTES", 15))
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_LOCKOUT_TEMPLATE = "accounts/locked_out.html"
AXES_HTTP_RESPONSE_CODE = 429
AXES_VERBOSE = False
AXES_CLIENT_IP_CALLABLE = "apps.core.throttle.client_address"
AXES_SENSITIVE_PARAMETERS = ["username", "ip_address", "password"]

# ── API ─────────────────────────────────────────────────────────────────────────────────────────────────────────────
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": [],
    "DEFAULT_RENDERER_CLASSES": ["apps.core.rendering.OrjsonRenderer"],
    "DEFAULT_PARSER_CLASSES": [
        "rest_framework.parsers.JSONParser",
        "rest_framework.parsers.FormParser",
        "rest_framework.parsers.MultiPartParser",
    ],
    "DEFAULT_SCHEMA_CLASS": "apps.core.wire.HouseSchema",
    "EXCEPTION_HANDLER": "apps.core.wire.handle_exception",
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Mahalla",
    "DESCRIPTION": "One back end for the neighbourhood.",
    "VERSION": VERSION,
    "OAS_VERSION": "3.1.0",
    "DEFAULT_GENERATOR_CLASS": "apps.portal.schemas.HouseGenerator",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "POSTPROCESSING_HOOKS": [],
    "SCHEMA_PATH_PREFIX": "",
}

# ── Vendors ─────────────────────────────────────────────────────────────────────────────────────────────────────────
SANDBOX_ENABLED = env.flag("SANDBOX_ENABLED", EMBEDDED)
"""Serve the vendors' fakes at /__sandbox/; only the embedded server and `manage.py sandbox` may."""
SANDBOX_WEBHOOKS = {
    "cryptobot": f"{PUBLIC_URL}/urgent/api/balance/webhook/crypto-bot",
    "telegram": f"{PUBLIC_URL}/urgent/api/bot/webhook",
    "payme": f"{PUBLIC_URL}/payments/payme",
    "click": f"{PUBLIC_URL}/payments/click",
    "yukassa": f"{PUBLIC_URL}/urgent/api/balance/webhook/yukassa",
    "iiko": f"{PUBLIC_URL}/loyalty/api/v1/iiko/webhook",
    "twilio": f"{PUBLIC_URL}/sms/twilio",
}
"""Where the sandbox delivers what the real vendor would post to us."""
INTEGRATIONS = integrations_conf.load(embedded=SANDBOX_ENABLED, port=PORT)
PORTS = INTEGRATIONS.ports
PAYMENTS = payments_conf.load()

# ── Products ────────────────────────────────────────────────────────────────────────────────────────────────────────
SHOP = shop_conf.load(embedded=EMBEDDED)
URGENT = urgent_conf.load(embedded=EMBEDDED)
LOYALTY = loyalty_conf.load(embedded=EMBEDDED)
TICKETS = tickets_conf.load()
FLORIST = florist_conf.load()

# ── Mail ────────────────────────────────────────────────────────────────────────────────────────────────────────────
EMAIL_BACKEND = (
    "apps.integrations.sandbox.mail.SandboxEmailBackend"
    if SANDBOX_ENABLED
    else "django.core.mail.backends.smtp.EmailBackend"
)
RESEND_ENABLED = env.flag("RESEND_ENABLED", False)
"""Letters go by Resend's SMTP, whatever EMAIL_* and DEFAULT_FROM_EMAIL say (contract tickets 5)."""
RESEND_API_KEY = env.secret("RESEND_API_KEY")
RESEND_SENDER = (
    f"{env.text('RESEND_FROM_NAME', 'Mahallem Support')} <{env.text('RESEND_FROM_EMAIL', 'noreply@mahallem.biz.tr')}>"
)
EMAIL_HOST = "smtp.resend.com" if RESEND_ENABLED else env.text("EMAIL_HOST", "localhost")
EMAIL_PORT = env.integer("EMAIL_PORT", 587)
EMAIL_HOST_USER = "resend" if RESEND_ENABLED else env.text("EMAIL_HOST_USER")
EMAIL_HOST_PASSWORD = RESEND_API_KEY if RESEND_ENABLED else env.secret("EMAIL_HOST_PASSWORD")
EMAIL_USE_TLS = env.flag("EMAIL_USE_TLS", True)
EMAIL_TIMEOUT = 10
"""Seconds."""
_sender = env.text("DEFAULT_FROM_EMAIL", "Mahalla <no-reply@localhost>")
DEFAULT_FROM_EMAIL = SERVER_EMAIL = RESEND_SENDER if RESEND_ENABLED else _sender

# ── Back office ─────────────────────────────────────────────────────────────────────────────────────────────────────
UNFOLD = unfold.UNFOLD
IMPORT_EXPORT_EXPORT_PERMISSION_CODE = "export"
IMPORT_EXPORT_IMPORT_PERMISSION_CODE = "import"

# ── Logs and numbers ────────────────────────────────────────────────────────────────────────────────────────────────
LOG_LEVEL = env.text("LOG_LEVEL", "INFO")
LOG_FORMAT = env.text("LOG_FORMAT", "console" if EMBEDDED else "json")
LOGGING = logs.configure(level=LOG_LEVEL, style=LOG_FORMAT)
LOGGING_CONFIG = "logging.config.dictConfig"
CORS_URLS_REGEX = r"^.*$"
DJANGO_STRUCTLOG_IP_LOGGING_ENABLED = True
DJANGO_STRUCTLOG_USER_ID_FIELD = "pk"
DJANGO_STRUCTLOG_TRUST_UPSTREAM_REQUEST_ID = DJANGO_STRUCTLOG_TRUST_UPSTREAM_CORRELATION_ID = False
DJANGO_STRUCTLOG_STATUS_DEFAULT_LOG_LEVEL = DJANGO_STRUCTLOG_STATUS_START_LOG_LEVEL = logging.INFO
DJANGO_STRUCTLOG_STATUS_2XX_LOG_LEVEL = logging.INFO
"""The packages' own defaults, written out: each is asked for at every request, and a missing one costs an exception."""
SENTRY_DSN = env.secret("SENTRY_DSN")
METRICS_TOKEN = env.secret("METRICS_TOKEN")
"""When set, /metrics wants `Authorization: Bearer <token>`; without it only trusted proxies and loopback may read."""
logs.start_sentry(SENTRY_DSN, VERSION)
PROMETHEUS_MULTIPROC_DIR = env.text("PROMETHEUS_MULTIPROC_DIR")
"""A folder that several web workers share for their counters; prometheus_client reads the variable itself."""
