"""Registering a resource: checked at the driver, refused when it overlaps another, backed up at once."""

from __future__ import annotations

import re
from collections.abc import Mapping

from django.db import IntegrityError, transaction

from backups.actions.discovering import forget_registered
from backups.actions.regions import check_region_is_there
from backups.actions.taking import queue_backup
from backups.drivers.base import Driver, DriverError
from backups.drivers.provider import Kept
from backups.kinds import REGIONS, driver_of
from backups.models import BackupOrigin, Environment, Resource
from backups.permissions import check_can_register
from portal.errors import InvalidInput
from portal.history import acting
from portal.models import Application, User

NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


def register_resource(
    *,
    by: User,
    application: Application,
    name: str,
    kind: str,
    environment: str,
    home_region: str,
    other_region: str,
    settings: Mapping[str, str],
    reason: str = "",
) -> Resource:
    """Register a resource and queue its first backup.

    Raises :class:`InvalidInput` naming the field (a setting's name for the driver's settings), or NotPermitted.
    The driver is asked before anything is written, outside any transaction.
    """
    check_can_register(by, application.client)
    if not NAME.fullmatch(name):
        raise InvalidInput(
            "Use small letters, digits and dashes for the name, 63 at most, such as shop-db.", field="name"
        )
    if environment not in Environment.values:
        raise InvalidInput(f"Choose one of: {', '.join(Environment.values)}.", field="environment")
    _check_regions(home_region, other_region)
    driver = driver_of(kind)
    known = _known_settings(driver, settings)
    try:
        found = driver.check(known)
    except DriverError as error:
        raise InvalidInput(error.sentence, field=error.setting) from error
    if driver.kept is not None:
        _check_provider_regions(driver.kept, known, home_region, other_region)
    resource = Resource(
        name=name,
        application=application,
        kind=kind,
        environment=environment,
        home_region=home_region,
        other_region=other_region,
        settings=known,
        locator=found.locator,
        created_by=by,
    )
    try:
        with acting(by, reason or "registered"), transaction.atomic():
            Application.objects.select_for_update().order_by(
                "pk"
            ).first()  # always the same row: one registers at a time
            _check_free(driver, resource)
            resource.save()
            forget_registered(resource)
            queue_backup(resource, origin=BackupOrigin.FIRST, by=by, reason="first backup of a new resource")
    except IntegrityError as error:  # another one was registered in the same moment
        raise InvalidInput("A resource with this name or this place was registered just now.", field="name") from error
    return resource


def _check_regions(home: str, other: str) -> None:
    known = ", ".join(REGIONS)
    if home not in REGIONS:
        raise InvalidInput(f"There is no region “{home}”. Choose one of: {known}.", field="home_region")
    if other not in REGIONS:
        raise InvalidInput(f"There is no region “{other}”. Choose one of: {known}.", field="other_region")
    if home == other:
        raise InvalidInput(
            "The other region must differ from the home region: the copy there is for when the home region is lost.",
            field="other_region",
        )
    for region, field in ((home, "home_region"), (other, "other_region")):
        check_region_is_there(region, field=field)


def _check_provider_regions(kept: Kept, settings: Mapping[str, str], home: str, other: str) -> None:
    """What a provider keeps itself lies in its own regions, and the portal's are called as they are."""
    where = kept.region(settings)
    if home != where:
        raise InvalidInput(
            f"It is in {where}, and its provider keeps its backups there, so its home region is {where}."
            + ("" if where in REGIONS else " IT adds a region of that name to STORE_REGIONS first."),
            field="home_region",
        )
    if other not in (there := kept.regions(settings)):
        raise InvalidInput(
            f"Its provider can bring copies to {', '.join(one for one in there if one != where) or 'no other region'}."
            " Choose one of these as the other region; an administrator adds others to the account.",
            field="other_region",
        )


def _known_settings(driver: Driver, given: Mapping[str, str]) -> dict[str, str]:
    """The driver's settings with their defaults; unknown and missing ones are refused."""
    known = {setting.name: setting for setting in driver.settings}
    for name in given:
        if name not in known:
            raise InvalidInput(f"{driver.label} has no setting “{name}”. It has: {', '.join(known)}.", field=name)
    values: dict[str, str] = {}
    for name, setting in known.items():
        value = given.get(name) or setting.default
        if not isinstance(value, str):
            raise InvalidInput(f"{setting.label} must be text.", field=name)
        if setting.required and not value.strip():
            raise InvalidInput(f"{setting.label} is missing.", field=name)
        if value:
            values[name] = value
    return values


def _check_free(driver: Driver, resource: Resource) -> None:
    standing = Resource.objects.standing()
    if standing.filter(application=resource.application, name=resource.name).exists():
        raise InvalidInput(
            f"{resource.application} has a resource named {resource.name} already. Choose another name.", field="name"
        )
    place = driver.settings[0].name
    alike = standing.filter(kind__in=driver.shares_with)
    for pk, name, locator in alike.values_list("pk", "name", "locator").iterator():
        if driver.overlaps(locator, resource.locator):
            what = "is" if locator == resource.locator else "overlaps"
            raise InvalidInput(
                f"This {driver.noun} {what} the resource {name} ({pk}) already. "
                "Each piece of data belongs to one resource, so that a restore never touches another's.",
                field=place,
            )
