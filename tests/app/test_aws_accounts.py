"""Setting up AWS accounts, and the permissions that their roles need."""

from __future__ import annotations

import ast
import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ConnectTimeoutError
from django.core.management import CommandError, call_command
from django.utils import timezone

from backups.aws import clients
from backups.aws.accounts import AwsRegion
from backups.aws.actions import action_of
from backups.aws.policy import OBJECTS, RESTORES, STATEMENTS, VAULTS, direct_actions, permissions
from backups.awsaccounts import account_named
from backups.drivers.base import DriverError
from backups.findings import Code
from backups.models import Account, Copy, Discovered, Finding, Resource, ResourceState
from tests.app.world import World
from tests.drivers import aws
from tests.drivers.aws import answered, body_of, refusal
from tests.factories import make_backup, make_resource
from tests.fixtures_aws import ec2

pytestmark = pytest.mark.slow  # a simulated AWS

__all__ = ["ec2"]

ROOT = Path(__file__).parents[2]


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


@pytest.fixture
def account(transactional_db: None) -> Account:
    aws.endpoint()
    regions = ("--region", aws.HOME, "--region", aws.AWAY)
    run("aws_account", "add", "hosting", "--number", aws.NUMBER, "--role", aws.ROLE, *regions)
    return Account.objects.get()


def calls_made() -> set[str]:
    """What the code calls at AWS, by its own text: every ``call("service", "operation")`` and ``pages(…)``."""
    found = set()
    for path in (ROOT / "backups").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in ("call", "pages")
            ):
                texts = [str(one.value) for one in node.args[:2] if isinstance(one, ast.Constant)]
                if len(texts) == 2:
                    client = boto3.client(texts[0], region_name=aws.HOME)
                    found.add(action_of(client, *texts))
    return found


def test_the_policy_allows_what_the_code_calls_and_nothing_else() -> None:
    free = {"sts:GetCallerIdentity"}  # nobody has to be allowed that
    assert calls_made() - free == direct_actions()


def test_it_is_no_longer_than_iam_takes_of_one_policy() -> None:
    regions = {f"eu-central-{number}": AwsRegion(f"eu-central-{number}", vault="v" * 63) for number in range(1, 4)}
    printed = permissions(replace(aws.ACCOUNT, regions=regions))
    assert len(json.dumps(printed, separators=(",", ":"))) <= 6144, "it counts no spaces"


def test_what_removes_is_allowed_for_the_portals_own_alone() -> None:
    for statement in STATEMENTS:
        if any(action.split(":")[1].startswith("Delete") for action in statement.actions):
            own = statement.condition or statement.resource in (VAULTS, RESTORES)
            hides = statement.resource == OBJECTS and statement.actions == ("s3:DeleteObject",)  # as a delete marker
            assert own or hides, f"{statement.name} would remove what is others'"


def test_without_a_vault_no_object_of_any_bucket_may_be_touched() -> None:
    def s3(vault: str) -> list[dict[str, Any]]:
        account = replace(aws.ACCOUNT, regions={aws.HOME: AwsRegion(aws.HOME, vault=vault)})
        told: list[dict[str, Any]] = permissions(account)["Statement"]
        return [one for one in told if any(action.startswith("s3:") for action in one["Action"])]

    assert [one["Sid"] for one in s3("")] == ["SeeBuckets"], "buckets are found, and no more"
    assert all(action.split(":")[1].startswith(("List", "Get")) for action in s3("")[0]["Action"])
    made = [one for one in s3("acme-vault") if "s3:CreateBucket" in one["Action"]]
    own = [f"arn:aws:s3:::haas-{kind}-*{within}" for kind in ("rr", "cu") for within in ("", "/*")]
    assert [one["Resource"] for one in made] == [own]


def test_the_policy_is_printed(account: Account) -> None:
    assert json.loads(run("aws_policy", "hosting")) == permissions(account_named("hosting"))
    trusted = json.loads(run("aws_policy", "hosting", "--trust", "arn:aws:iam::999999999999:role/portal"))
    assert trusted["Statement"][0]["Condition"] == {"StringEquals": {"sts:ExternalId": account.external_id}}
    with pytest.raises(CommandError, match="There is no AWS account “other”. There are: hosting."):
        run("aws_policy", "other")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"name": "Hosting Main"}, "Use small letters"),
        ({"number": "123"}, "twelve digits"),
        ({"role": "arn:aws:iam::1:user/x"}, "Enter the role's ARN"),
        ({"role": "arn:aws:iam::999999999999:role/x"}, "one of the account 999999999999, not of 111122223333"),
        ({"region": "mars"}, "Enter a region of AWS"),
        ({"region": "us-east-1"}, "Choose one of eu-central-1, eu-west-1, or add it to STORE_REGIONS"),
        ({"key-id": "AKIAIOSFODNN7EXAMPLE"}, "not the secret itself"),
        ({"key-id": "env:RESOURCE_KEY"}, "Name both with --key-id and --key-secret"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_set_up(transactional_db: None, wrong: dict[str, str], said: str) -> None:
    given = {"number": aws.NUMBER, "region": aws.HOME} | wrong
    name = given.pop("name", "hosting")
    with pytest.raises(CommandError, match=said) as refused:
        run("aws_account", "add", name, *(part for key, value in given.items() for part in (f"--{key}", value)))
    assert "AKIA" not in str(refused.value)
    assert not Account.objects.exists()


def test_regions_and_their_keys(account: Account) -> None:
    run("aws_account", "region", "hosting", aws.AWAY, "--kms-key", "alias/backups")
    assert account_named("hosting").regions[aws.AWAY].kms_key == "alias/backups"
    run("aws_account", "region", "hosting", aws.HOME, "--vault", "acme-vault")
    assert run("aws_account", "list").splitlines() == [
        f"hosting\t{aws.NUMBER}\t{aws.ROLE}\texternal id {account.external_id}",
        f"  {aws.HOME}\tvault acme-vault\tAWS's own key",
        f"  {aws.AWAY}\tno vault\tkey alias/backups",
    ]


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("my-key", "That is no key of KMS"),
        (f"arn:aws:kms:{aws.HOME}:{aws.NUMBER}:key/1", f"That key is in {aws.HOME}, and does not count in {aws.AWAY}"),
    ],
)
def test_a_key_that_could_encrypt_nothing_is_refused(account: Account, key: str, said: str) -> None:
    with pytest.raises(CommandError, match=said):
        run("aws_account", "region", "hosting", aws.AWAY, "--kms-key", key)
    assert account_named("hosting").regions[aws.AWAY].kms_key == ""


def test_an_account_is_set_up_once(account: Account) -> None:
    for name, number, said in (
        ("hosting", "222222222222", "There is an AWS account “hosting” already"),
        ("other", aws.NUMBER, "set up already, as “hosting”"),
    ):
        with pytest.raises(CommandError, match=said):
            run("aws_account", "add", name, "--number", number, "--region", aws.HOME)


def test_an_account_is_changed_and_what_is_not_named_stays(account: Account) -> None:
    role = f"arn:aws:iam::{aws.NUMBER}:role/another"
    assert account.external_id in run("aws_account", "change", "hosting", "--role", role)
    account.refresh_from_db()
    assert (account.role, account.number) == (role, aws.NUMBER)
    with pytest.raises(CommandError, match="Correct --role or --number"):
        run("aws_account", "change", "hosting", "--number", "222222222222")
    with pytest.raises(CommandError, match="Say what to change"):
        run("aws_account", "change", "hosting")
    assert account_named("hosting").number == aws.NUMBER


def test_the_external_id_is_told_of_a_role_alone(transactional_db: None) -> None:
    said = run("aws_account", "add", "hosting", "--number", aws.NUMBER, "--region", aws.HOME)
    assert "external id" not in said
    assert "by the portal's own credentials" in run("aws_account", "list")


def test_a_look_says_what_is_found_and_what_could_not_be_listed(account: Account, ec2: Any) -> None:
    ec2.create_volume(AvailabilityZone=f"{aws.HOME}a", Size=5)
    for name, told in zip((aws.HOME, aws.AWAY), run("aws_account", "look", "hosting").splitlines(), strict=True):
        number = Discovered.objects.filter(region__name=name).count()
        said = f"{number} things have" if number > 1 else "1 thing has" if number else "nothing is"
        assert told == f"{name}: {said} {'no backups' if number else 'without backups'}."
    assert Discovered.objects.filter(kind="ebs").count() == 1
    out = io.StringIO()
    with answered("ec2", "DescribeVolumes", refusal("UnauthorizedOperation")), pytest.raises(CommandError):
        call_command("aws_account", "look", "hosting", stdout=out)
    assert "does not let the portal call ec2:DescribeVolumes" in out.getvalue()


def test_an_account_that_nothing_is_in_goes_with_what_was_found_there(account: Account, ec2: Any) -> None:
    ec2.create_volume(AvailabilityZone=f"{aws.HOME}a", Size=5)
    run("aws_account", "look", "hosting")
    assert Finding.objects.open().filter(code=Code.UNPROTECTED).exists()
    run("aws_account", "remove", "hosting")
    assert not Account.objects.exists()
    assert not Discovered.objects.exists()
    assert not Finding.objects.open().filter(code=Code.UNPROTECTED).exists()


def test_an_account_with_resources_or_copies_stays(account: Account, world: World) -> None:
    backup = make_backup(make_resource(world.application, settings={"account": "hosting"}), timezone.now())
    for words in ("1 resource", "stored cop"):
        with pytest.raises(CommandError, match=words) as refused:
            run("aws_account", "remove", "hosting")
        with pytest.raises(CommandError, match="its number stays"):
            run("aws_account", "change", "hosting", "--number", "222222222222", "--role", "")
        Resource.objects.update(
            state=ResourceState.REMOVED, removed_at=timezone.now(), removal_asked_at=timezone.now(), removed_by=world.it,
            removal_reason="The application was shut down.",
        )  # fmt: skip
    assert "resource (" not in str(refused.value)
    Copy.objects.filter(backup=backup).delete()
    run("aws_account", "remove", "hosting")


def test_a_bucket_that_is_somebodys_is_no_vault(account: Account) -> None:
    """Discovery finds what is made to be a vault, too: an empty one may become it."""
    s3 = aws.client("s3")
    s3.create_bucket(Bucket="found-by-look", CreateBucketConfiguration={"LocationConstraint": aws.HOME})
    s3.put_object(Bucket="found-by-look", Key="invoice.pdf", Body=b"1")
    run("aws_account", "look", "hosting")
    try:
        with pytest.raises(CommandError, match="holds what is not the portal's"):
            run("aws_account", "region", "hosting", aws.HOME, "--vault", "found-by-look")
    finally:
        s3.delete_object(Bucket="found-by-look", Key="invoice.pdf")
    run("aws_account", "region", "hosting", aws.HOME, "--vault", "found-by-look")
    s3.delete_bucket(Bucket="found-by-look")
    assert not Discovered.objects.filter(name="found-by-look").exists()


def test_whoever_is_to_be_trusted_is_named_by_an_arn(account: Account) -> None:
    with pytest.raises(CommandError, match="--trust takes the ARN"):
        run("aws_policy", "hosting", "--trust", "portal")


def test_regions_in_which_nothing_could_be_kept_are_missing(account: Account) -> None:
    account.regions.exclude(name=aws.HOME).delete()
    account.regions.update(name="us-east-1")
    out = io.StringIO()
    with pytest.raises(CommandError):
        call_command("aws_account", "check", "hosting", stdout=out)
    assert "MISSING us-east-1: the portal has no region of that name" in out.getvalue()
    assert "MISSING The account hosting has no region but us-east-1" in out.getvalue()
    assert "This AWS has no iam:SimulatePrincipalPolicy" in out.getvalue()


def test_an_aws_that_does_not_answer_is_told_soon(account: Account) -> None:
    """A line for each region, and none is asked for more."""
    waited: list[float] = []

    def silence(request: Any, **_: Any) -> None:
        waited.append(1)
        raise ConnectTimeoutError(endpoint_url=request.url)

    out = io.StringIO()
    with answered("sts", "AssumeRole", silence), pytest.raises(CommandError, match="2 of these"):
        call_command("aws_account", "check", "hosting", stdout=out)
    assert [line[:30].split(":")[0] for line in out.getvalue().splitlines()] == [
        f"MISSING {aws.HOME}", f"MISSING {aws.AWAY}",
    ]  # fmt: skip
    hasty = clients.config(hasty=True)
    most = 2 * hasty.retries["total_max_attempts"] * (hasty.connect_timeout + hasty.read_timeout)
    assert len(waited) <= 4
    assert most <= 64, "two regions, each tried as often"


def simulated(missing: set[str]) -> Any:
    """IAM's answer, which the simulated AWS does not have."""

    def answer(request: Any, **_: Any) -> AWSResponse:
        asked = [
            part.split("=")[1].replace("%3A", ":") for part in str(request.body).split("&") if "ActionNames" in part
        ]
        members = "".join(
            f"<member><EvalActionName>{name}</EvalActionName><EvalDecision>"
            f"{'implicitDeny' if name in missing else 'allowed'}</EvalDecision></member>"
            for name in asked
        )
        text = (
            '<SimulatePrincipalPolicyResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><SimulatePrincipalPolicyResult>'
            f"<EvaluationResults>{members}</EvaluationResults></SimulatePrincipalPolicyResult>"
            "</SimulatePrincipalPolicyResponse>"
        )
        return AWSResponse(request.url, 200, {}, body_of(text))

    return answer


def test_an_account_that_is_well(account: Account) -> None:
    with answered("iam", "SimulatePrincipalPolicy", simulated(set())):
        said = run("aws_account", "check", "hosting")
    assert "ok      eu-central-1: machines can be listed" in said
    assert "MISSING" not in said and "unknown" not in said


def test_a_missing_permission_is_named(account: Account, capsys: pytest.CaptureFixture[str]) -> None:
    out = io.StringIO()
    with (
        answered("iam", "SimulatePrincipalPolicy", simulated({"ec2:DeleteSnapshot", "ec2:CreateSnapshots"})),
        pytest.raises(CommandError, match="2 of these have to be seen to"),
    ):
        call_command("aws_account", "check", "hosting", stdout=out)
    assert "Missing in the role's policy: ec2:CreateSnapshots (“Make” of manage.py aws_policy)." in out.getvalue()
    assert "Missing in the role's policy: ec2:DeleteSnapshot" in out.getvalue()
    out = io.StringIO()
    with answered("ec2", "DescribeVolumes", refusal("UnauthorizedOperation")), pytest.raises(CommandError):
        call_command("aws_account", "check", "hosting", stdout=out)
    assert "does not let the portal call ec2:DescribeVolumes in eu-central-1" in out.getvalue()


def test_credentials_of_another_account_are_noticed(account: Account) -> None:
    Account.objects.update(number="999999999999")
    out = io.StringIO()
    with pytest.raises(CommandError):
        call_command("aws_account", "check", "hosting", stdout=out)
    assert f"lead into the account {aws.NUMBER}, not into 999999999999. Correct" in out.getvalue()


def test_no_account_of_that_name(transactional_db: None) -> None:
    with pytest.raises(DriverError, match="There are: none yet"):
        account_named("hosting")


def test_keys_are_looked_up_where_they_are_kept_and_never_said(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    aws.endpoint()
    monkeypatch.setenv("RESOURCE_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
    monkeypatch.setenv("RESOURCE_KEY_SECRET", "wJalrXUtnFEMI")
    keys = ("--key-id", "env:RESOURCE_KEY_ID", "--key-secret", "env:RESOURCE_KEY_SECRET")
    run("aws_account", "add", "hosting", "--number", "123456789012", *keys, "--region", aws.HOME)
    run("aws_account", "region", "hosting", aws.AWAY)
    said = run("aws_account", "check", "hosting")
    assert "unknown What the keys may do beyond looking was not tried" in said
    out = io.StringIO()
    denied = refusal("UnauthorizedOperation", words="User AKIAIOSFODNN7EXAMPLE is not authorized")
    with answered("ec2", "DescribeInstances", denied), pytest.raises(CommandError):
        call_command("aws_account", "check", "hosting", stdout=out)
    for secret in ("AKIA", "wJalrXUtnFEMI"):
        assert secret not in out.getvalue() + said
