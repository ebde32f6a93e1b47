from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules
from django.utils.translation import gettext_lazy as _


class FortunesConfig(AppConfig):
    name = "fortunes"
    verbose_name = _("Campaigns")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Every app says what it holds about a person (fortunes/personal.py)."""
        autodiscover_modules("personal")
