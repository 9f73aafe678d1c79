"""The demo's people. Their passwords are public, so they exist only where DEMO=1."""

from __future__ import annotations

from dataclasses import dataclass

from portal.roles import COMPANY_WIDE, Role

NORDWIND = "Nordwind Outdoor"
MERIDIAN = "Meridian Verlag"
CLIENTS = (NORDWIND, MERIDIAN)


@dataclass(frozen=True)
class Person:
    """One person of the cast; ``clients`` are those they act for, empty for company-wide roles."""

    username: str
    password: str
    name: str
    role: Role
    clients: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """What they are, in words: "Client, Nordwind Outdoor"."""
        return ", ".join([self.role.label, *self.clients]) if self.role not in COMPANY_WIDE else self.role.label

    @property
    def email(self) -> str:
        """An address that leads nowhere."""
        return f"{self.username}@example.com"


CAST = (
    Person("nora", "nora-likes-tents", "Nora Lindqvist", Role.CLIENT, (NORDWIND,)),
    Person("milan", "milan-reads-maps", "Milan Horvat", Role.CLIENT, (MERIDIAN,)),
    Person("sofia", "sofia-takes-calls", "Sofia Brandt", Role.STAFF, CLIENTS),
    Person("ivo", "ivo-mends-disks", "Ivo Petersen", Role.IT),
    Person("tara", "tara-tests-backups", "Tara Okafor", Role.IT),
    Person("amir", "amir-counts-coins", "Amir Haddad", Role.ACCOUNT_MANAGER, CLIENTS),
    Person("ada", "ada-asks-questions", "Ada Winter", Role.AUDITOR),
    Person("rolf", "rolf-keeps-the-keys", "Rolf Anders", Role.ADMINISTRATOR),
)
