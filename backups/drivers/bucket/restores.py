"""What a restore notes in the vault of its region: how far it is, which backup it is of, and the journal of its exchange."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from backups.drivers.bucket.target import Target
from backups.drivers.bucket.vault import ROOT, Vault
from backups.drivers.bucket.vaults import vault_in


@dataclass(frozen=True)
class Notes:
    """Small JSON objects of one restore."""

    vault: Vault
    name: str  # Place.beside

    @classmethod
    def of(cls, target: Target, name: str) -> Notes:
        """In the vault of the region where the bucket is."""
        return cls(vault_in(target.access, target.hash), name)

    @property
    def prefix(self) -> str:
        """What their keys begin with."""
        return f"{ROOT}/restores/{self.vault.of}/{self.name}/"

    def get(self, what: str) -> dict[str, Any] | None:
        """What is noted; None for nothing."""
        body = self.vault.get(self.prefix + what)
        return None if body is None else dict(json.loads(body))

    def put(self, what: str, value: Mapping[str, Any]) -> None:
        """Note it."""
        self.vault.put(self.prefix + what, json.dumps(value).encode())

    def drop(self, what: str) -> None:
        """Forget it, for good."""
        self.vault.forget(self.prefix + what)
