"""The company's channels: chat and whatever else Apprise reaches. Their addresses hold secrets and come from the environment.

The database knows a channel by a name that is made of its address and does not give it away. Nothing that Apprise or
the other side says of a failure is passed on: it may repeat the address.
"""

from __future__ import annotations

from django.conf import settings
from django.utils.crypto import salted_hmac

PATIENCE = 20
"""Seconds that one message may take."""


class NotPosted(Exception):
    """The channel did not take the message."""


def channel_names() -> list[str]:
    """The channels, by name."""
    return list(_channels())


def post(name: str, title: str, text: str) -> bool:
    """Send the message; False when there is no such channel any more. Raises :class:`NotPosted`.

    No redirect is followed, and nothing in the message is taken for markup or a template.
    """
    address = _channels().get(name)
    if address is None:
        return False
    import apprise  # a quarter of a second, which no other process needs to spend

    asset = apprise.AppriseAsset(
        app_id="HaaS backups",
        app_desc="HaaS backups",
        app_url=settings.PORTAL_URL,
        async_mode=False,
        http_redirects=False,
        allow_templates=False,
        interpret_escapes=False,
        interpret_emojis=False,
        secure_logging=True,
    )
    sender = apprise.Apprise(asset=asset)
    if not sender.add(address) or not sender.notify(
        title=title, body=text, body_format=apprise.NotifyFormat.TEXT, timeout=PATIENCE
    ):
        raise NotPosted("The channel did not take the message.")
    return True


def _channels() -> dict[str, str]:
    return {salted_hmac("portal.channels", address).hexdigest()[:16]: address for address in settings.IT_CHANNELS}
