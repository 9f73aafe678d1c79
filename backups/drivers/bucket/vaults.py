"""Which bucket is the vault of a region, and whether it is fit to be one."""

from __future__ import annotations

from backups.aws.access import Access
from backups.aws.answers import REFUSED
from backups.drivers.base import DamagedBackup, DriverError
from backups.drivers.bucket.listing import keeps_versions
from backups.drivers.bucket.pace import NO_BUCKET, why
from backups.drivers.bucket.vault import Vault
from backups.drivers.provider import KeptAt

PART = "list"
"""Under which KeptAt.parts names the list of a copy."""
BLOCKS = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")


def name_of(access: Access) -> str:
    """The name of the region's vault. Raises :class:`DriverError` when none is set."""
    account, region = access.account, access.region
    vault = account.regions[region].vault if region in account.regions else ""
    if not vault:
        raise DriverError(
            f"The AWS account {account.name} has no vault in {region}, a bucket in which the portal keeps copies of"
            f" buckets. Make one, then “manage.py aws_account region {account.name} {region} --vault NAME”."
        )
    return vault


def vault_in(access: Access, of: str) -> Vault:
    """The vault of that region, with what is of one resource in it."""
    return Vault(access, name_of(access), of)


def kept_in(vault: Vault, token: str) -> str:
    """The portal's name for a list in a vault, which tells people where to look."""
    return f"s3://{vault.bucket}/haas/{vault.of}/{token}"


def token_of(kept: KeptAt) -> str:
    """The token of the list that is kept. Raises :class:`DamagedBackup` for a row that names none."""
    name = kept.parts.get(PART, "")
    if not name.startswith("s3://"):
        raise DamagedBackup(
            "The portal does not know which list in the vault is this backup's. Restore another backup."
        )
    return name.removeprefix("s3://").split("/", 3)[3]


def check_same(kept: KeptAt, vault: Vault) -> None:
    """Refuse to look for a backup in another vault than it was put into: nothing would be found, and it called lost."""
    name = kept.parts.get(PART, "").removeprefix("s3://").partition("/")[0]
    if name != vault.bucket:
        raise DriverError(
            f"The backup lies in the vault {name}, but {vault.bucket} is set for {vault.access.region} now. Set {name}"
            " again; old backups stay where they are."
        )


def no_vault(access: Access, error: DriverError) -> DriverError:
    """In words: the bucket that is set as the vault is not there."""
    return DriverError(
        f"There is no bucket {name_of(access)}, which is set as the vault in {access.region}. Make it, private and with"
        " versions.",
        detail=error.detail,
    )


def check_fit(access: Access) -> str:
    """A sentence about the region's vault. Raises :class:`DriverError` unless it is there, private and keeps versions."""
    bucket, region = name_of(access), access.region
    try:
        where = access.call("s3", "head_bucket", Bucket=bucket).get("BucketRegion") or region
    except DriverError as error:
        if why(error) in NO_BUCKET:
            raise no_vault(access, error) from error
        raise
    if where != region:
        raise DriverError(f"The vault {bucket} is in {where}, not in {region}. Set one that is there.")
    if keeps_versions(access, bucket) != "Enabled":
        raise DriverError(
            f"The vault {bucket} keeps no versions: what somebody else overwrites or deletes would be lost. Switch"
            " versioning on."
        )
    if not _is_private(access, bucket):
        raise DriverError(
            f"The vault {bucket} may be made public. Switch on all four settings of “Block public access” there."
        )
    return f"{region}: the vault {bucket} is there, private, and keeps versions."


def _is_private(access: Access, bucket: str) -> bool:
    try:
        answer = access.call("s3", "get_public_access_block", Bucket=bucket)
    except DriverError as error:
        if why(error) in REFUSED:
            raise
        return (
            why(error) != "NoSuchPublicAccessBlockConfiguration"
        )  # a server that does not know the call is left to people
    block = answer["PublicAccessBlockConfiguration"]
    return all(block.get(name) for name in BLOCKS)
