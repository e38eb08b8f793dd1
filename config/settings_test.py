"""Settings of the test run: fast, closed to the outside, on SQLite or on what TEST_DATABASE_URL names."""

import os
import tempfile

os.environ["DATA_DIR"] = os.environ.get("TEST_DATA_DIR") or tempfile.mkdtemp(prefix="mahalla-test-")
os.environ["EMBEDDED"] = "1"
TEST_REDIS_URL = os.environ.get("TEST_REDIS_URL", "")
for _name in ("DATABASE_URL", "REDIS_URL", "BROKER_URL"):
    os.environ.pop(_name, None)
os.environ.setdefault("TICKETS_SAMPLE_TICKETS", "300")
"""The sample city at full size takes seconds each time."""
os.environ["FIGURES_PATIENCE"] = "0"
"""On a busy machine everything takes long, and tests look at once."""
WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
if TEST_REDIS_URL:
    # Parallel workers empty their cache between tests: each has a database and a pub/sub prefix of its own.
    _server, _, _index = TEST_REDIS_URL.rpartition("/")
    os.environ["REDIS_URL"] = f"{_server}/{int(_index) + WORKER}"

from apps.integrations.conf import FAKE_PORTS  # noqa: E402
from config.settings import *  # noqa: E402, F403
from config.settings import CHANNEL_LAYERS, DATABASES, database  # noqa: E402

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
if TEST_REDIS_URL:
    # Redis shares pub/sub among all its databases: without the index, runs side by side hear each other's people.
    CHANNEL_LAYERS["default"]["CONFIG"] = {"hosts": [os.environ["REDIS_URL"]], "prefix": f"test{int(_index) + WORKER}"}
AXES_ENABLED = False
AUTHENTICATION_BACKENDS = ["apps.accounts.authentication.StaffBackend", "axes.backends.AxesStandaloneBackend"]
"""`client.force_login` takes the first backend; lock-out tests put the guard in front again."""
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
LANGUAGE_CODE = "en"
WHITENOISE_USE_FINDERS = False
"""Each test client builds the middleware anew; reading every static file each time would double the run."""
PORTS = FAKE_PORTS
