"""Who you are, on every product."""

from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    name = "apps.accounts"
    label = "accounts"
    verbose_name = _("People")
    default = True

    def ready(self) -> None:
        from apps.accounts import checks  # noqa: F401


class HouseAdminConfig(admin_apps.AdminConfig):
    """Django's admin with our site: the second factor stands between the password and the back office."""

    default = False
    default_site = "apps.accounts.second_factor.HouseAdminSite"
