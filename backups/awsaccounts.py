"""The AWS accounts that are set up, as drivers know them."""

from __future__ import annotations

from backups.aws.accounts import AwsAccount, AwsRegion
from backups.drivers.base import DriverError
from backups.models import Account


def account_named(name: str) -> AwsAccount:
    """The account of that name, as it is set up now. Raises :class:`~backups.drivers.base.DriverError` naming those there are."""
    account = Account.objects.filter(name=name).first()
    if account is None:
        known = ", ".join(Account.objects.values_list("name", flat=True)) or "none yet"
        raise DriverError(
            f"There is no AWS account “{name}”. There are: {known}. An administrator sets others up.", setting="account"
        )
    return as_driver_knows(account)


def as_driver_knows(account: Account) -> AwsAccount:
    """The row as a plain value."""
    return AwsAccount(
        account.name,
        account.number,
        account.role,
        account.external_id,
        account.key_id,
        account.key_secret,
        {region.name: AwsRegion(region.name, region.kms_key, region.vault) for region in account.regions.all()},
    )
