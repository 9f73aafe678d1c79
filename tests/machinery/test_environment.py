"""Variables: defaults, secrets from files, and a sentence that names the one that is wrong."""

from __future__ import annotations

import pytest

from portal.environment import WrongEnvironment, read_environment


def test_defaults_lie_below_the_data_directory(tmp_path):
    values = read_environment({"DATA_DIR": str(tmp_path)})
    assert values["DATABASE_URL"] == f"sqlite:///{tmp_path}/portal.sqlite3"
    assert set(values["STORE_REGIONS"]) == {"eu-central-1", "eu-west-1"}


def test_a_secret_may_stand_in_a_file(tmp_path):
    (tmp_path / "key").write_text("from-the-file\n")
    assert read_environment({"SECRET_KEY_FILE": str(tmp_path / "key")})["SECRET_KEY"] == "from-the-file"
    both = {"SECRET_KEY_FILE": str(tmp_path / "key"), "SECRET_KEY": "from-the-environment"}
    assert read_environment(both)["SECRET_KEY"] == "from-the-environment"


def test_only_secrets_are_read_from_files(tmp_path):
    (tmp_path / "zone").write_text("Europe/Berlin")
    assert read_environment({"POLICY_TIME_ZONE_FILE": str(tmp_path / "zone")})["POLICY_TIME_ZONE"] == "UTC"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRET_KEY_FILE", "/nowhere/at/all"),
        ("DEMO", "perhaps"),
        ("POLICY_TIME_ZONE", "Mars/Olympus"),
        ("STORE_REGIONS", "only-one=/here"),
        ("STORE_REGIONS", "one=/here,two=/here"),
        ("KEEP_ORIGINAL_DAYS", "0"),
    ],
)
def test_a_wrong_value_is_named(name, value):
    with pytest.raises(WrongEnvironment, match=name):
        read_environment({name: value})


@pytest.mark.parametrize("prefix", ["S", "SECRET_", "DATABASE_URL", "RESOURCE_,BROKER_URL_FILE", "P*"])
def test_bounds_of_secrets_that_hold_one_of_the_portals_own(prefix):
    with pytest.raises(WrongEnvironment, match="SECRETS_ENV_PREFIX"):
        read_environment({"SECRETS_ENV_PREFIX": prefix})


def test_a_directory_of_secrets_with_the_portals_own_in_it(tmp_path):
    (tmp_path / "secrets/resources").mkdir(parents=True)
    (tmp_path / "secrets/key").write_text("x" * 50)
    (tmp_path / "secrets/resources/link").symlink_to(tmp_path / "secrets/key")
    own = {"SECRET_KEY_FILE": str(tmp_path / "secrets/key"), "DATA_DIR": str(tmp_path / "data")}
    assert read_environment({**own, "SECRETS_DIR": str(tmp_path / "secrets/resources")})
    for wrong in ("secrets", "", "data"):
        with pytest.raises(WrongEnvironment, match="SECRETS_DIR"):
            read_environment({**own, "SECRETS_DIR": str(tmp_path / wrong)})


def test_a_wrong_secret_is_not_repeated():
    with pytest.raises(WrongEnvironment) as error:
        read_environment({"SECRET_KEY_FILE": "/nowhere", "DATABASE_URL": "hunter2"})
    assert "hunter2" not in str(error.value)
