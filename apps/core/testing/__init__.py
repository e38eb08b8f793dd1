"""What every app's tests use: the outbox by hand, real races, refusals that prove nothing moved, query budgets."""

from apps.core.testing.asserting import assert_refused, query_budget
from apps.core.testing.outbox import deliver
from apps.core.testing.racing import outcomes, race

__all__ = ["assert_refused", "deliver", "outcomes", "query_budget", "race"]
