import pytest

from apps.core.checks import refuse_unsafe_production

SAFE = {
    "EMBEDDED": False,
    "SECRET_KEY": "x" * 50,
    "DEBUG": False,
    "CACHES": {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache"}},
    "CHANNEL_LAYERS": {"default": {"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer"}},
    "DATABASES": {"default": {"ENGINE": "django.db.backends.postgresql"}},
    "TICK_IN_PROCESS": False,
    "ALLOWED_HOSTS": ["mahalla.uz"],
    "CORS_ALLOWED_ORIGINS": ["https://mahalla.uz"],
    "TRUSTED_PROXIES": ["127.0.0.1", "10.0.0.0/8"],
}
UNSAFE = {
    "E002": {"SECRET_KEY": "short"},
    "E003": {"DEBUG": True},
    "E004": {"CACHES": {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}},
    "E005": {"CHANNEL_LAYERS": {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}},
    "E006": {"DATABASES": {"default": {"ENGINE": "django.db.backends.sqlite3"}}},
    "E007": {"TICK_IN_PROCESS": True},
    "E008": {"ALLOWED_HOSTS": ["*"]},
    "E009": {"CORS_ALLOWED_ORIGINS": ["*"]},
}


class Settings:
    """Stands in for django.conf.settings: the real one would have to be rebuilt to change DATABASES."""

    def __init__(self, values):
        self.__dict__.update(values)


def problems(monkeypatch, **changes):
    monkeypatch.setattr("apps.core.checks.settings", Settings(SAFE | {"INSECURE_SECRET_KEY": "i" * 50} | changes))
    return [
        problem.id.removeprefix("mahalla.") for problem in refuse_unsafe_production(None) if "vendor" not in problem.id
    ]


def test_a_safe_production_has_no_problem(monkeypatch):
    assert problems(monkeypatch) == []


@pytest.mark.parametrize("net", ["0.0.0.0/0", "::/0", "rubbish", "*"])
def test_nobody_trusts_the_whole_internet_to_name_its_address(monkeypatch, net):
    assert problems(monkeypatch, TRUSTED_PROXIES=["127.0.0.1", net]) == ["E010"]


@pytest.mark.parametrize(("number", "change"), UNSAFE.items())
def test_each_convenience_of_the_laptop_is_refused(monkeypatch, number, change):
    assert problems(monkeypatch, **change) == [number]


def test_both_modes_at_once_are_refused(monkeypatch):
    both = {"EMBEDDED": True, "DATABASE_URL": "postgres://x", "SETTINGS_MODULE": "config.settings"}
    assert problems(monkeypatch, **both) == ["E001"]
