from django.apps import AppConfig
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = _("Players")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """A process that would refuse a host app's users doesn't start."""
        from accounts import federation, issuers

        try:
            federation.load()
        except issuers.IssuersError as error:
            raise ImproperlyConfigured(f"FEDERATION_FILE: {error}") from error
