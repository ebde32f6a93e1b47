from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class RedpacketsConfig(AppConfig):
    name = "redpackets"
    verbose_name = _("Red packets")
    default_auto_field = "django.db.models.BigAutoField"
