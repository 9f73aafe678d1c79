"""What is looked at before a restore: refuse early, in words, what cannot end well."""

from __future__ import annotations

from collections.abc import Iterator

from backups.drivers.base import Artefact, DriverError, Mode
from backups.drivers.bucket import beside
from backups.drivers.bucket.exchange import check_versions
from backups.drivers.bucket.keeping import check
from backups.drivers.bucket.pace import UNKNOWN_CALL, why
from backups.drivers.bucket.restore import kept_of, vault_of
from backups.drivers.bucket.target import Target
from backups.drivers.bucket.vaults import check_fit
from backups.drivers.counting import counted, megabytes


def preflight(target: Target, mode: Mode, artefact: Artefact) -> list[str]:
    """A sentence per thing that was found right."""
    if mode is Mode.EXPORT:
        raise DriverError(
            "The objects of a bucket cannot be downloaded as one file. Restore beside the live bucket instead."
        )
    kept = kept_of(artefact)
    check_fit(target.access)
    check(vault_of(target, kept), kept)
    left_out = sum("left_out" in line for line in artefact.manifest())
    said = [f"All of the backup is in the vault in {kept.region}: {megabytes(kept.size)}."]
    if left_out:
        said.append(
            f"{counted(left_out, 'object')} could not be copied when the backup was taken, and are left as they are."
        )
    if mode is Mode.IN_PLACE:
        said += _in_place(target)
    return said


def _in_place(target: Target) -> Iterator[str]:
    if not beside.is_there(target.access, target.bucket):
        yield (
            f"The bucket {target.bucket} is not there any more. Make it first, private and with versions, in"
            f" {target.access.region}: the portal makes it itself only where its role may. Its policy, CORS and lifecycle rules stand"
            " in the backup's description, and are for people to set."
        )
        return
    check_versions(target)
    yield (
        f"The bucket {target.bucket} keeps versions: what is replaced stays as an earlier version, and Undo copies it back."
        " Applications are not kept off meanwhile; what they write during the exchange stays as a version, too. Access lists"
        " (ACLs) that single objects have are not brought back."
    )
    if _forgets(target):
        yield (
            f"A lifecycle rule of {target.bucket} removes or moves earlier versions after a while: Undo brings back what can be read"
            " then."
        )


def _forgets(target: Target) -> bool:
    try:
        answer = target.access.call("s3", "get_bucket_lifecycle_configuration", Bucket=target.bucket)
    except DriverError as error:
        if error.retry and why(error) not in UNKNOWN_CALL:
            raise
        return False  # none is set, or it cannot be told
    names = {"NoncurrentVersionExpiration", "NoncurrentVersionTransitions"}
    return any(names & set(rule) for rule in answer.get("Rules", ()))
