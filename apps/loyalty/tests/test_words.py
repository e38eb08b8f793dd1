"""Every refusal speaks Russian and Uzbek (contract loyalty 3.14; 7, defect 34)."""

from __future__ import annotations

from string import Formatter

import pytest

from apps.accounts import errors as house
from apps.core import errors as core
from apps.core import texts
from apps.core.errors import Refused
from apps.loyalty import errors
from apps.loyalty.api.cashback import MAY_SPEND
from apps.loyalty.api.wire import LANGUAGES

REFUSALS = {
    f"{module.__name__.split('.')[1]}.{name}": kind
    for module in (errors, house, core)
    for name, kind in vars(module).items()
    if isinstance(kind, type) and issubclass(kind, Refused) and kind.__module__ == module.__name__
}
TEXTS = {**{name: kind.message for name, kind in REFUSALS.items()}, "may be spent": MAY_SPEND}


def places(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


@pytest.mark.parametrize("name", list(TEXTS))
def test_both_languages_are_there_and_differ(name: str) -> None:
    english = texts.in_languages(TEXTS[name], ("en",))["en"]
    told = texts.in_languages(TEXTS[name], LANGUAGES)
    assert list(told) == ["ru", "uz"]
    assert len({english, *told.values()}) == 3
    assert all(places(words) == places(english) for words in told.values())
    assert any("а" <= letter <= "я" for letter in told["ru"].lower())
    assert not any("а" <= letter <= "я" for letter in told["uz"].lower())


def test_the_walk_meets_every_class_of_the_product() -> None:
    own = {name for name in REFUSALS if name.startswith("loyalty.")}
    assert len(own) > 40
    assert {"loyalty.AccountSwitchedOff", "loyalty.PhoneUnknown", "loyalty.JobNotPaused"} <= own
