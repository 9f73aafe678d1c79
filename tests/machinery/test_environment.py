"""Variables: defaults, secrets from files, and a sentence that names the one that is wrong."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from backups.stores.s3 import S3Store
from backups.stores.s3.place import Place
from portal.environment import WrongEnvironment, read_environment, without_portal

ROOT = Path(__file__).resolve().parents[2]


def test_defaults_lie_below_the_data_directory(tmp_path):
    values = read_environment({"DATA_DIR": str(tmp_path)})
    assert values["DATABASE_URL"] == f"sqlite:///{tmp_path}/portal.sqlite3"
    assert set(values["STORE_REGIONS"]) == {"eu-central-1", "eu-west-1"}


def test_a_region_is_a_directory_or_a_bucket():
    given = (
        "north=/here, west=s3://backups/portal/west/?region=eu-west-1,"
        "own=s3://backups?endpoint=https://s3.example.com:9000/&region=garage"
    )
    regions = read_environment({"STORE_REGIONS": given})["STORE_REGIONS"]
    assert regions["north"] == "/here"
    west = S3Store.at("west", regions["west"])
    assert west.place == Place("west", "backups", "portal/west/", "eu-west-1", "")
    own = S3Store.at("own", regions["own"])
    assert own.place == Place("own", "backups", "", "garage", "https://s3.example.com:9000")


def test_regions_may_share_a_bucket_side_by_side():
    server = "region=garage&endpoint=https://s3.example.com"
    given = f"one=s3://bucket/a?{server},two=s3://bucket/ab?{server},three=/here"
    assert len(read_environment({"STORE_REGIONS": given})["STORE_REGIONS"]) == 3


def test_credentials_are_not_repeated():
    with pytest.raises(WrongEnvironment) as raised:
        read_environment({"STORE_REGIONS": "one=/here,two=s3://key:s3cret@bucket?region=eu-west-1"})
    assert "s3cret" not in str(raised.value)


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
        ("STORE_REGIONS", "here=/a"),
        ("STORE_REGIONS", "one=/here,two=/here"),
        ("STORE_REGIONS", "one=/here,two=s3://bucket/prefix"),
        ("STORE_REGIONS", "one=/here,two=/there,one=/elsewhere"),
        ("SECRETS_ENV_PREFIX", "AWS_"),
        ("SECRETS_ENV_PREFIX", "AWS_SECRET"),
        ("STORE_REGIONS", "one=/here,two=s3:bucket?region=eu-west-1"),
        ("STORE_REGIONS", "one=s3://first?region=eu-west-1,two=s3://second?region=eu-west-1,three=/here"),
        ("STORE_REGIONS", "one=/here,two=s3://Bucket_?region=eu-west-1"),
        ("STORE_REGIONS", "one=/here,two=s3://?region=eu-west-1"),
        ("STORE_REGIONS", "one=/here,two=s3://key:secret@bucket?region=eu-west-1"),
        ("STORE_REGIONS", "one=/here,two=s3://bucket/a b?region=eu-west-1"),
        ("STORE_REGIONS", "one=/here,two=s3://bucket/a//b?region=eu-west-1"),
        ("STORE_REGIONS", "one=/here,two=s3://bucket?region=eu west"),
        ("STORE_REGIONS", "one=/here,two=s3://bucket?region=eu-west-1&region=eu-west-2"),
        ("STORE_REGIONS", "one=/here,two=s3://bucket?region=eu-west-1&access_key=key"),
        ("STORE_REGIONS", "one=/here,two=s3://bucket?region=eu-west-1#part"),
        ("STORE_REGIONS", "one=/here,two=s3://bucket?region=eu-west-1&endpoint=s3.example.com"),
        ("STORE_REGIONS", "one=/here,two=s3://bucket?region=eu-west-1&endpoint=https://s3.example.com/path"),
        ("STORE_REGIONS", "one=/here,two=s3://bucket?region=eu-west-1&endpoint=https://k:s@s3.example.com"),
        ("STORE_REGIONS", "one=s3://bucket/a/?region=eu-west-1,two=s3://bucket/a?region=eu-west-1"),
        ("STORE_REGIONS", "one=s3://bucket/a/b?region=eu-west-1,two=s3://bucket/a?region=eu-west-1"),
        ("STORE_REGIONS", "one=s3://bucket?region=eu-west-1,two=s3://bucket/a?region=eu-west-1"),
        ("KEEP_ORIGINAL_DAYS", "0"),
        ("EXPORT_DAYS", "many"),
        ("DEFAULT_CURRENCY", "eur"),
        ("DEFAULT_CURRENCY", "gold"),
        ("SWEEP_SECONDS", "9" * 5000 + "x"),
        ("LOG_LEVEL", "LOUD"),
        ("PORT", "http"),
        ("PORT", "65536"),
        ("PORT", "9" * 5000),
        ("PG_BIN", "/nowhere/at/all"),
        ("DATABASE_URL", "mysql://portal@database/portal"),
        ("DATABASE_URL", "/srv/portal.sqlite3"),
        ("DATABASE_URL", "postgres://portal@database:port/portal"),
        ("DATABASE_URL", "postgres://portal@database"),
        ("DATABASE_URL", "postgres://[portal/portal"),
        ("BROKER_URL", "amqp://broker"),
        ("BROKER_URL", "broker:6379"),
        ("BROKER_URL", "redis://"),
        ("BROKER_URL", "redis://broker:port/0"),
        ("EMAIL_URL", "mail.example.com:25"),
        ("EMAIL_URL", "smtps://mail.example.com"),
        ("EMAIL_URL", "smtp://"),
        ("EMAIL_URL", "smtp://mail.example.com?ssl=1"),
        ("EMAIL_URL", "smtp://mail.example.com:port"),
    ],
)
def test_a_wrong_value_is_named(name, value):
    with pytest.raises(WrongEnvironment, match=f"^{name}: "):
        read_environment({name: value})


@pytest.mark.parametrize("name", ["DATABASE_URL", "BROKER_URL", "EMAIL_URL"])
@pytest.mark.parametrize(
    "value", ["hunter2", "x://a:hunter2@host/x", "redis://a:hunter2:hunter2@h:hunter2/x", "smtp://hunter2@?hunter2"]
)
def test_a_wrong_secret_is_not_repeated(name, value):
    with pytest.raises(WrongEnvironment) as error:
        read_environment({name: value})
    assert "hunter2" not in str(error.value)
    cause = error.value.__cause__
    assert "hunter2" not in str(cause)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "postgresql://portal:p%40ss@database:5432/portal?sslmode=require"),
        ("DATABASE_URL", "postgres://%2Fvar%2Frun%2Fpostgresql/portal"),
        ("BROKER_URL", "rediss://:secret@broker:6380/1"),
        ("EMAIL_URL", "smtp://user:p%40ss@mail.example.com:587/?tls=1"),
        ("LOG_LEVEL", "DEBUG"),
    ],
)
def test_a_right_value_is_taken_as_it_is(name, value):
    assert read_environment({name: value})[name] == value


def test_the_start_ends_with_the_sentence(tmp_path):
    given = {**without_portal(os.environ), "DATA_DIR": str(tmp_path), "LOG_LEVEL": "LOUD"}
    given["DJANGO_SETTINGS_MODULE"] = "portal.settings"
    done = subprocess.run([sys.executable, ROOT / "manage.py", "check"], env=given, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr == (
        "The portal cannot start. LOG_LEVEL: 'LOUD' is none of DEBUG, INFO, WARNING, ERROR."
        " How much is logged: DEBUG, INFO, WARNING or ERROR.\n"
    )


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
