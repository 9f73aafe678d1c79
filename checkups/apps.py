"""The app checkups."""

from django.apps import AppConfig


class CheckupsConfig(AppConfig):
    """Django's view of the app."""

    name = "checkups"
