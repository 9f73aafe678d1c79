"""The app backups."""

from django.apps import AppConfig


class BackupsConfig(AppConfig):
    """Django's view of the app."""

    name = "backups"
