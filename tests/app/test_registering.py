"""Registering resources: what cannot be used is refused where it is entered."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from backups.actions.registering import register_resource
from backups.drivers.base import Mode
from backups.kinds import driver_of
from backups.models import Backup, BackupOrigin, BackupStatus, Resource
from portal.errors import InvalidInput, NotPermitted
from tests.app.world import HOME, OTHER, World


def register(world: World, tree: Path, by: str = "it", **changed: Any) -> Resource:
    given: dict[str, Any] = {
        "name": "shop-files",
        "kind": "files",
        "environment": "production",
        "home_region": HOME,
        "other_region": OTHER,
        "settings": {"path": str(tree)},
    }
    return register_resource(by=getattr(world, by), application=world.application, **{**given, **changed})


def test_a_new_resource_is_recorded_and_gets_its_first_backup_at_once(world: World, tree: Path) -> None:
    resource = register(world, tree)
    assert resource.locator == str(tree.resolve())
    first = resource.backups.get()
    assert (first.status, first.origin) == (BackupStatus.QUEUED, BackupOrigin.FIRST)
    assert resource.history.get().history_user == world.it


@pytest.mark.parametrize("name", ["owner", "staff", "manager", "auditor", "administrator", "stranger", "nobody"])
def test_only_it_registers(world: World, tree: Path, name: str) -> None:
    with pytest.raises(NotPermitted, match="Only IT"):
        register(world, tree, by=name)


@pytest.mark.parametrize(
    ("changed", "field", "word"),
    [
        ({"name": ""}, "name", "small letters"),
        ({"name": "Shop DB!"}, "name", "small letters"),
        ({"name": "x" * 64}, "name", "63 at most"),
        ({"kind": "floppy"}, "kind", "files, mysql, postgres"),
        ({"environment": "prod"}, "environment", "production"),
        ({"home_region": "mars-1"}, "home_region", "eu-central-1"),
        ({"other_region": "mars-1"}, "other_region", "eu-west-1"),
        ({"other_region": HOME}, "other_region", "must differ"),
        ({"settings": {}}, "path", "missing"),
        ({"settings": {"path": "/etc"}}, "path", "FILES_ROOTS"),
        ({"settings": {"path": "relative"}}, "path", "absolute"),
        ({"settings": {"path": "{root}/not-there"}}, "path", "no directory"),
        ({"settings": {"path": "{root}/../files"}}, "path", "not below"),
        ({"settings": {"path": "{root}", "color": "red"}}, "color", "no setting"),
        ({"settings": {"path": 7}}, "path", "must be text"),
    ],
)
def test_bad_input_is_refused_beside_its_field(
    world: World, tree: Path, changed: dict[str, Any], field: str, word: str
) -> None:
    root = str(settings.FILES_ROOTS[0])
    given: dict[str, Any] = {
        name: {key: v.replace("{root}", root) if isinstance(v, str) else v for key, v in value.items()}
        if isinstance(value, dict)
        else value
        for name, value in changed.items()
    }
    with pytest.raises(InvalidInput, match=word) as raised:
        register(world, tree, **given)
    assert raised.value.field == field
    assert not Resource.objects.exists()
    assert not Backup.objects.exists()


def test_a_resource_that_overlaps_another_is_refused(world: World, tree: Path) -> None:
    register(world, tree)
    for path, word in ((tree, "is the resource shop-files"), (tree / "sub", "overlaps the resource shop-files")):
        with pytest.raises(InvalidInput, match=word):
            register(world, tree, name="another", settings={"path": str(path)})


def test_what_a_restore_put_aside_is_refused(world: World, tree: Path) -> None:
    """The portal removes it in time, whoever else calls it theirs by then."""
    resource = register(world, tree)
    place, other = (
        driver_of("files").place(resource.settings, "rr-1042-1-ff9db6", mode) for mode in (Mode.IN_PLACE, Mode.BESIDE)
    )
    for path in (Path(place.kept), Path(place.beside), Path(place.kept) / "sub", Path(other.beside)):
        path.mkdir(parents=True, exist_ok=True)
        with pytest.raises(InvalidInput, match="belongs to a restore") as raised:
            register(world, tree, name="another", settings={"path": str(path)})
        assert raised.value.field == "path"
    own = tree.with_name(f"{tree.name}.before-launch")
    own.mkdir()
    assert register(world, tree, name="another", settings={"path": str(own)}).locator == str(own.resolve())


def test_a_link_to_a_registered_directory_is_refused(world: World, tree: Path) -> None:
    register(world, tree)
    link = tree.with_name(f"link-to-{tree.name}")
    link.symlink_to(tree)
    try:
        with pytest.raises(InvalidInput, match="symbolic link"):
            register(world, tree, name="another", settings={"path": str(link)})
    finally:
        link.unlink()


def test_a_name_is_used_once_per_application(world: World, tree: Path) -> None:
    register(world, tree)
    (tree.parent / f"second-{tree.name}").mkdir()
    with pytest.raises(InvalidInput, match="has a resource named") as raised:
        register(world, tree, settings={"path": str(tree.parent / f"second-{tree.name}")})
    assert raised.value.field == "name"


@pytest.mark.parametrize(("region", "field"), [(HOME, "home_region"), (OTHER, "other_region")])
def test_a_region_whose_disk_is_not_mounted_is_refused(world: World, tree: Path, region: str, field: str) -> None:
    mark = Path(settings.STORE_REGIONS[region]) / ".region"
    away = mark.rename(mark.with_name(".away"))
    try:
        with pytest.raises(InvalidInput, match=f"The region {region} is not at .* its disk is not mounted") as raised:
            register(world, tree)
    finally:
        away.rename(mark)
    assert raised.value.field == field
    assert not Resource.objects.exists()
    register(world, tree)


def test_a_region_that_is_another_ones_disk_is_refused(world: World, tree: Path, settings: Any) -> None:
    settings.STORE_REGIONS = {**settings.STORE_REGIONS, OTHER: settings.STORE_REGIONS[HOME]}
    with pytest.raises(InvalidInput, match=f"holds the region {HOME}, not {OTHER}") as raised:
        register(world, tree)
    assert raised.value.field == "other_region"
