"""The app portal."""

from importlib import import_module

from django.apps import AppConfig


class PortalConfig(AppConfig):
    """Django's view of the app."""

    name = "portal"

    def ready(self) -> None:
        """Make the Celery app the current one in every process, so that hand-overs find their broker and routes."""
        import_module("portal.celery")
