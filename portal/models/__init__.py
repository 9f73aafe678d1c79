"""People and the clients they belong to."""

from portal.models.clients import Application, Client
from portal.models.people import Membership, User

__all__ = ["Application", "Client", "Membership", "User"]
