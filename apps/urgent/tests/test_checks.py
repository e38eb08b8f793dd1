from dataclasses import replace

import pytest

from apps.urgent.checks import refuse_free_money


@pytest.mark.parametrize(
    ("embedded", "allowed", "found"), [(False, True, ["urgent.E001"]), (False, False, []), (True, True, [])]
)
def test_free_money_is_for_laptops(settings, embedded, allowed, found):
    settings.EMBEDDED = embedded
    settings.URGENT = replace(settings.URGENT, allow_dev_recharge=allowed)
    assert [problem.id for problem in refuse_free_money(None)] == found
