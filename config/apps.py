from django.apps import AppConfig


class ConfigConfig(AppConfig):
    """The roof: wiring and the commands of `./dev`."""

    name = "config"

    def ready(self) -> None:
        from config import schema  # noqa: F401 - registers its extensions
