"""What the ledger does when two persons turn out to be one, or two after all."""

from __future__ import annotations

from apps.accounts.events import MergeUndone, PersonsMerged
from apps.core import events
from apps.ledger import actions


@events.on(PersonsMerged)
def move_the_money(event: PersonsMerged) -> None:
    """The money of the person that goes belongs to the one that stays."""
    actions.merge_purses(merge_id=event.merge_id, keep_id=event.keep_id, gone_id=event.gone_id)


@events.on(MergeUndone)
def move_the_money_back(event: MergeUndone) -> None:
    """What the merge moved goes back, as far as it is still there."""
    actions.unmerge_purses(merge_id=event.merge_id, gone_id=event.gone_id)
