"""What the roof does when Django has migrated: the roles follow the code."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig, apps
from django.db.models.signals import post_migrate
from django.dispatch import receiver

from apps.portal import roles


@receiver(post_migrate, dispatch_uid="portal.establish_roles")
def establish_roles(sender: AppConfig, **_: Any) -> None:
    """After the last app, when every permission has its row."""
    if sender.name == [config for config in apps.get_app_configs() if config.models_module][-1].name:
        roles.establish()
