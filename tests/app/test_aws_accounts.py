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
from django.core.management import CommandError, call_command

from backups.aws.accounts import AwsRegion
from backups.aws.actions import action_of
from backups.aws.policy import OBJECTS, RESTORES, STATEMENTS, VAULTS, direct_actions, permissions
from backups.awsaccounts import account_named
from backups.drivers.base import DriverError
from backups.models import Account
from tests.drivers import aws
from tests.drivers.aws import answered, body_of, refusal

ROOT = Path(__file__).parents[2]


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


@pytest.fixture
def account(transactional_db: None) -> Account:
    aws.endpoint()
    run("aws_account", "add", "hosting", "--number", aws.NUMBER, "--role", aws.ROLE, "--region", aws.HOME)
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
    assert [one["Resource"] for one in made] == [["arn:aws:s3:::haas-rr-*", "arn:aws:s3:::haas-rr-*/*"]]


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
        ({"region": "mars"}, "Enter a region of AWS"),
        ({"key-id": "AKIAIOSFODNN7EXAMPLE"}, "not the secret itself"),
        ({"key-id": "env:RESOURCE_KEY"}, "account_has_both_keys_or_none"),
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
    assert f"{aws.HOME}, {aws.AWAY}" in run("aws_account", "list")


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
    said = run("aws_account", "check", "hosting")
    assert "unknown What the keys may do beyond looking was not tried" in said
    out = io.StringIO()
    denied = refusal("UnauthorizedOperation", words="User AKIAIOSFODNN7EXAMPLE is not authorized")
    with answered("ec2", "DescribeInstances", denied), pytest.raises(CommandError):
        call_command("aws_account", "check", "hosting", stdout=out)
    for secret in ("AKIA", "wJalrXUtnFEMI"):
        assert secret not in out.getvalue() + said
