"""The app checkups."""

from django.apps import AppConfig


class CheckupsConfig(AppConfig):
    """Django's view of the app."""

    name = "checkups"

    def ready(self) -> None:
        """Refuse to start with servers for checkups that cannot be meant."""
        from checkups.servers import check_servers

        check_servers()
