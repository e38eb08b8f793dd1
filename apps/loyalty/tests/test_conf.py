"""Settings: what is read, what a production start refuses (contract loyalty 6; 7.2, 7.3)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pytest_django.fixtures import Settings

from apps.loyalty import checks, conf


def test_the_defaults_are_the_contracts(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ACCESS_TOKEN_EXPIRE_MINUTES", "REFRESH_TOKEN_EXPIRE_DAYS", "ENVIRONMENT", "DEMO_PHONE"):
        monkeypatch.delenv(name, raising=False)
    figures = conf.load(embedded=True)
    assert (figures.access_minutes, figures.refresh_days, figures.login_rate_limit) == (30, 14, 5)
    assert (figures.otp_length, figures.otp_expiration_minutes, figures.otp_rate_limit) == (6, 5, 5)
    assert (figures.rate_limit_block_minutes, figures.otp_demo_code, figures.levels_enabled) == (15, "1111", True)
    assert (figures.otp_static_code, figures.otp_bypass_phones, figures.otp_unlimited_phones) == ("", (), ())
    assert (figures.default_admin_phone, figures.default_admin_password) == ("", "")


def test_the_demo_falls_back_everywhere_but_in_production(monkeypatch: pytest.MonkeyPatch) -> None:
    assert conf.load(embedded=True).demo_phone == "+998911111111"
    assert conf.load(embedded=False).demo_phone == ""
    monkeypatch.setenv("ENVIRONMENT", "Production")
    assert conf.load(embedded=True).demo_phone == ""
    monkeypatch.setenv("DEMO_PHONE", "+998 90 000 00 00")
    assert conf.load(embedded=False).demo_phone == "+998 90 000 00 00"


@pytest.mark.parametrize("length", ["3", "9"])
def test_a_code_has_four_to_eight_digits(length: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTP_LENGTH", length)
    with pytest.raises(ValueError, match="OTP_LENGTH"):
        conf.load(embedded=True)


@pytest.mark.parametrize("text", ["no place for it", "{code} {nonsense}", "{code", "{0} {code}"])
def test_a_text_without_its_code_is_refused_at_the_start(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ESKIZ_SMS_TEMPLATE", text)
    with pytest.raises(ValueError, match="ESKIZ_SMS_TEMPLATE"):
        conf.load(embedded=True)


def test_the_products_own_name_goes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACCESS_TOKEN_EXPIRE_MINUTES", "15")
    assert conf.load(embedded=True).access_minutes == 15
    monkeypatch.setenv("LOYALTY_ACCESS_TOKEN_EXPIRE_MINUTES", "40")
    assert conf.load(embedded=True).access_minutes == 40


def test_nothing_secret_is_in_the_repr(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("JWT_SECRET_KEY", "JWT_REFRESH_SECRET_KEY", "OTP_STATIC_CODE", "DEFAULT_ADMIN_PASSWORD", "DEMO_PHONE"):
        monkeypatch.setenv(name, "hush-hush-1234")
    assert "hush" not in repr(conf.load(embedded=True))


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({}, []),
        ({"otp_static_code": "7777"}, ["loyalty.E001"]),
        ({"otp_bypass_phones": ("+998901110001",)}, ["loyalty.E002"]),
        ({"default_admin_password": "admin123"}, ["loyalty.E003"]),
        ({"default_admin_password": "onlyletterslong"}, ["loyalty.E003"]),
        ({"default_admin_password": "letters and 1 digit"}, []),
        ({"demo_phone": "+998901110001"}, []),
    ],
)
def test_a_production_start_refuses_back_doors(change: dict[str, object], found: list[str], settings: Settings) -> None:
    settings.LOYALTY = replace(settings.LOYALTY, environment="production", **change)
    assert [problem.id for problem in checks.refuse_back_doors(None)] == found


def test_a_laptop_may_have_them(settings: Settings) -> None:
    settings.LOYALTY = replace(settings.LOYALTY, otp_static_code="7777", environment="development")
    assert checks.refuse_back_doors(None) == []
