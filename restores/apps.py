"""The app restores."""

from django.apps import AppConfig


class RestoresConfig(AppConfig):
    """Django's view of the app."""

    name = "restores"
