import pytest
from django.db import IntegrityError

from apps.core import idempotency
from apps.core.errors import NotAllowed
from apps.core.models import IdempotencyRecord
from apps.core.testing import assert_refused, race

pytestmark = pytest.mark.django_db


class Till:
    def __init__(self):
        self.sold = 0

    def sell(self):
        self.sold += 1
        return 201, {"receipt": self.sold}


def once(till, key="k1", content=None):
    return idempotency.once(scope="till", key=key, content=content or {"tea": 1}, run=till.sell)


def test_the_same_key_gets_the_same_answer():
    till = Till()
    first, second = once(till), once(till)
    assert (first.status, first.body, first.is_repeat) == (201, {"receipt": 1}, False)
    assert (second.status, second.body, second.is_repeat) == (201, {"receipt": 1}, True)
    assert till.sold == 1


def test_other_content_under_the_same_key_is_refused():
    till = Till()
    once(till)
    refused = assert_refused(
        idempotency.KeyReused, lambda: once(till, content={"tea": 2}), unchanged=[IdempotencyRecord.objects.all()]
    )
    assert (refused.status, till.sold) == (409, 1)


def test_a_refusal_leaves_the_key_free():
    def refuse():
        raise NotAllowed()

    with pytest.raises(NotAllowed):
        idempotency.once(scope="till", key="k1", content={"tea": 1}, run=refuse)
    assert not IdempotencyRecord.objects.exists()
    assert once(Till()).is_repeat is False


def test_a_broken_constraint_of_the_caller_stays_loud():
    def break_something():
        IdempotencyRecord.objects.create(scope="a", key="b", fingerprint="c")
        IdempotencyRecord.objects.create(scope="a", key="b", fingerprint="c")

    with pytest.raises(IntegrityError):
        idempotency.once(scope="till", key="k1", content={}, run=break_something)


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_twenty_at_once_run_once():
    till = Till()
    answers = race(20, lambda _: once(till))
    assert till.sold == 1
    assert {answer.body["receipt"] for answer in answers} == {1}
    assert sum(not answer.is_repeat for answer in answers) == 1


def test_a_key_that_does_not_fit_is_refused_not_cut():
    till = Till()
    assert once(till, key="k" * 200).is_repeat is False
    refused = assert_refused(
        idempotency.KeyTooLong, lambda: once(till, key="k" * 201), unchanged=[IdempotencyRecord.objects.all()]
    )
    assert (refused.status, refused.code, till.sold) == (422, "idempotency_key_too_long", 1)
