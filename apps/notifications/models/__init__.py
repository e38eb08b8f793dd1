"""Rows of telling: what was said (messages), how it travelled (deliveries), to whom and how they like it (people)."""

from apps.notifications.models.broadcasts import Broadcast, BroadcastProgress
from apps.notifications.models.deliveries import Delivery
from apps.notifications.models.messages import Notification
from apps.notifications.models.people import Device, MergedRow, QuietHours, Wish

__all__ = ["Broadcast", "BroadcastProgress", "Delivery", "Device", "MergedRow", "Notification", "QuietHours", "Wish"]
