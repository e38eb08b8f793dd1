"""Settings of the test run: fast, closed to the outside, on SQLite or on what TEST_DATABASE_URL names."""

import os
import tempfile

os.environ["DATA_DIR"] = os.environ.get("TEST_DATA_DIR") or tempfile.mkdtemp(prefix="mahalla-test-")
os.environ["EMBEDDED"] = "1"
TEST_REDIS_URL = os.environ.get("TEST_REDIS_URL", "")
for _name in ("DATABASE_URL", "REDIS_URL", "BROKER_URL"):
    os.environ.pop(_name, None)
if TEST_REDIS_URL:
    os.environ["REDIS_URL"] = TEST_REDIS_URL

from config.settings import *  # noqa: E402, F403
from config.settings import DATABASES, database  # noqa: E402

DATABASES["default"] = database(os.environ.get("TEST_DATABASE_URL", "sqlite://:memory:"))
if "postgresql" in str(DATABASES["default"]["ENGINE"]):
    suffix = os.environ.get("TEST_DATABASE_SUFFIX", "")
    DATABASES["default"]["TEST"] = {"NAME": f"test_mahalla_{suffix}" if suffix else "test_mahalla"}
    DATABASES["default"]["CONN_MAX_AGE"] = 0
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
CELERY_TASK_ALWAYS_EAGER = True
CELERY_TASK_EAGER_PROPAGATES = True
BROKER_URL = ""
OUTBOX_RELAY = "manual"
"""Tests call `core.testing.deliver()` when they want the outbox to move."""
AXES_ENABLED = False
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
LANGUAGE_CODE = "en"
