from decimal import Decimal

import pytest
from environs import EnvError

from apps.core import env


@pytest.fixture(autouse=True)
def _own_names(monkeypatch):
    monkeypatch.setattr(env, "_names", {})


def test_nothing_set_gives_the_default(monkeypatch):
    monkeypatch.setenv("T_BLANK", "  ")
    assert env.text("T_BLANK", "x") == "x"
    assert env.integer("T_NONE", 7) == 7
    assert env.decimal("T_NONE", "0.5") == Decimal("0.5")
    assert env.flag("T_NONE", True) is True
    assert env.words("T_NONE", ("a",)) == ("a",)


def test_values_are_read_in_their_kind(monkeypatch):
    for name, value in {"T_I": "5", "T_F": "off", "T_W": "a, b,,c "}.items():
        monkeypatch.setenv(name, value)
    assert (env.integer("T_I"), env.flag("T_F", True), env.words("T_W")) == (5, False, ("a", "b", "c"))


def test_nonsense_is_refused_loudly(monkeypatch):
    monkeypatch.setenv("T_I", "many")
    with pytest.raises(EnvError):
        env.integer("T_I")


def test_a_secret_may_come_from_a_file(monkeypatch, tmp_path):
    (tmp_path / "key").write_text("s3cret\n")
    monkeypatch.setenv("T_KEY_FILE", str(tmp_path / "key"))
    assert env.secret("T_KEY") == "s3cret"


def test_a_product_may_differ_from_the_shared_name(monkeypatch):
    monkeypatch.setenv("OTP_TEST", "4")
    assert env.for_product("LOYALTY").integer("OTP_TEST", 6) == 4
    monkeypatch.setenv("LOYALTY_OTP_TEST", "5")
    assert env.for_product("LOYALTY").integer("OTP_TEST", 6) == 5
    assert env.for_product("SHOP").integer("OTP_TEST", 6) == 4
    assert list(env.names()) == ["OTP_TEST"]
