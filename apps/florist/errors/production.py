"""Refusals about tasks."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from apps.core.errors import Conflict, NotAllowed
from apps.florist.errors.base import BadRequest, Gone


class TaskNotFound(Gone):
    """404."""

    code = "task_not_found"
    detail = "Task not found"
    message = _("There is no such task")


class TaskItemNotFound(Gone):
    """404."""

    code = "task_item_not_found"
    detail = "Task item not found"
    message = _("There is no such line of a task")


class IllegalTaskStep(BadRequest):
    """The original answers 400 to a step out of turn."""

    code = "illegal_task_step"
    detail = "Cannot change task status from {from_status} to {to_status}"
    message = _("This task cannot do that now")


class ResultPhotoMissing(BadRequest):
    """A bouquet is handed in with its picture: 400."""

    code = "result_photo_missing"
    detail = "A result photo is required"
    message = _("Take a picture of the bouquet first")


class TooManyTaskPhotos(BadRequest):
    """The task has all the pictures it can hold: 400."""

    code = "too_many_task_photos"
    detail = "A task holds at most {most} photos of a kind"
    message = _("There are enough pictures")


class ReasonMissing(BadRequest):
    """Who returns a bouquet says why: 400."""

    code = "reason_missing"
    detail = "A returned task needs quality_notes"
    message = _("Say what is wrong with it")


class MarkMissing(BadRequest):
    """A task is completed by a check with a mark: 400."""

    code = "mark_missing"
    detail = "quality_score is required to complete a task"
    message = _("Give a mark from 1 to 5")


class OwnWork(NotAllowed):
    """Nobody checks his own bouquet: 403."""

    code = "own_work"
    detail = "The maker cannot check his own work"
    message = _("Somebody else has to check your work")


class OrderNotMakeable(BadRequest):
    """The order is made already, or over: 400."""

    code = "order_not_makeable"
    detail = "Order in status {status} needs no production"
    message = _("There is nothing to make for this order now")


class NothingToMake(BadRequest):
    """None of the lines is the order's, or one is asked for in more pieces than ordered: 400."""

    code = "nothing_to_make"
    detail = "Items do not match the order"
    message = _("These lines do not fit the order")


class NothingLeftToMake(Conflict):
    """Every line has been made: 409."""

    code = "nothing_left_to_make"
    detail = "Everything is made already"
    message = _("Everything of this order is made already")


class TaskKindOpen(Conflict):
    """An order has one open task of a kind: 409."""

    code = "task_kind_open"
    detail = "The order already has an open task of this type"
    message = _("This order already has such a task")
