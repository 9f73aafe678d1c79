"""What the portal's role in an account has to be allowed, and nothing more. A test holds it against the calls that are made.

What removes is allowed only for what bears the portal's tags, or lies in buckets of its own. What people have to run is printed
by ``manage.py aws_policy``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from backups.aws import tags
from backups.aws.accounts import AwsAccount

Condition = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Statement:
    """Some actions, why they are needed, and under what condition alone. ``indirect``: AWS does them on the portal's behalf.

    ``with_vaults``: only where buckets can be backed up, in an account that has a vault.
    """

    name: str
    actions: tuple[str, ...]
    condition: Condition = field(default_factory=dict)
    resource: str = "*"  # or one of the words of resources_of()
    indirect: bool = False
    with_vaults: bool = False

    def as_json(self, account: AwsAccount) -> dict[str, Any]:
        """As IAM reads it."""
        return {
            "Sid": self.name,
            "Effect": "Allow",
            "Action": list(self.actions),
            "Resource": resources_of(self.resource, account),
            **({"Condition": dict(self.condition)} if self.condition else {}),
        }


VAULTS, RESTORES, OBJECTS, PASSWORDS = "vaults", "restores", "objects", "passwords"


def resources_of(said: str, account: AwsAccount) -> str | list[str]:
    """What a statement is about: the account's vaults, the buckets that restores and checkups make, the objects of any bucket, what
    RDS keeps passwords in, its role.
    """
    vaults = sorted({region.vault for region in account.regions.values() if region.vault})
    said_by: dict[str, str | list[str]] = {
        "*": "*",
        "role": account.role,
        VAULTS: [arn for name in vaults for arn in (f"arn:aws:s3:::{name}", f"arn:aws:s3:::{name}/*")],
        RESTORES: [f"arn:aws:s3:::haas-{kind}-*{within}" for kind in ("rr", "cu") for within in ("", "/*")],
        OBJECTS: "arn:aws:s3:::*/*",
        PASSWORDS: f"arn:aws:secretsmanager:*:{account.number}:secret:rds!*",  # as RDS calls those that it keeps itself
    }
    return said_by[said]


def _bears(tag: str) -> Condition:
    return {"Null": {f"aws:ResourceTag/{tag}": "false"}}


_ONLY_OWN_TAGS: Condition = {
    "ForAllValues:StringLike": {"aws:TagKeys": [f"{tags.OURS}*"]},
    "Null": {"aws:TagKeys": "false"},  # of no keys at all everything is true
}
_CREATES = ("CreateSnapshot", "CreateSnapshots", "CopySnapshot", "CreateVolume")


def _gives(tag: str) -> Condition:
    return {"Null": {f"aws:RequestTag/{tag}": "false"}}


_DATABASES = (
    Statement(
        "LookAtDatabases",
        (
            "rds:DescribeDBInstances", "rds:DescribeDBSnapshots", "rds:DescribeDBSubnetGroups",
            "rds:DescribeDBParameterGroups", "rds:DescribeOptionGroups", "rds:DescribeAccountAttributes",
            "rds:DescribeOrderableDBInstanceOptions", "ec2:DescribeSecurityGroups", "kms:DescribeKey",
        ),
    ),
    Statement("MakeDatabaseSnapshots", ("rds:CreateDBSnapshot",), _gives(tags.COPY)),
    Statement("CopyDatabaseSnapshots", ("rds:CopyDBSnapshot",)),  # the region that it comes from is not told the tags
    Statement(
        "MakeDatabases", ("rds:RestoreDBInstanceFromDBSnapshot", "rds:AddTagsToResource"), _gives(tags.RESTORE)
    ),
    Statement("MarkDatabases", ("rds:AddTagsToResource", "rds:RemoveTagsFromResource"), _ONLY_OWN_TAGS),
    Statement("ExchangeDatabases", ("rds:ModifyDBInstance",)),  # whatever is live is renamed
    Statement("FitOwnDatabases", ("rds:RebootDBInstance", "rds:AddRoleToDBInstance"), _bears(tags.RESTORE)),
    Statement("RemoveOwnDatabaseSnapshots", ("rds:DeleteDBSnapshot",), _bears(tags.COPY)),
    Statement("RemoveOwnDatabases", ("rds:DeleteDBInstance",), _bears(tags.RESTORE)),
    Statement(
        "EncryptedDatabases",
        (
            "kms:CreateGrant", "kms:Decrypt", "kms:GenerateDataKeyWithoutPlaintext", "kms:ReEncryptFrom",
            "kms:ReEncryptTo",
        ),
        {"StringLike": {"kms:ViaService": "rds.*.amazonaws.com"}},
        indirect=True,
    ),
    Statement(
        "KeepDatabasePasswords",
        ("secretsmanager:CreateSecret", "secretsmanager:TagResource"),
        resource=PASSWORDS,
        indirect=True,
    ),
    Statement(
        "HandOnDatabaseRoles",
        ("iam:PassRole",),
        {"StringEquals": {"iam:PassedToService": ["rds.amazonaws.com", "monitoring.rds.amazonaws.com"]}},
        indirect=True,
    ),
)  # fmt: skip

_BUCKETS = (
    Statement("ReadObjects", ("s3:GetObject", "s3:GetObjectTagging"), resource=OBJECTS, with_vaults=True),
    Statement(
        "TouchVersions",
        ("s3:GetObjectVersion", "s3:GetObjectVersionTagging", "s3:PutObjectVersionTagging"),
        resource=OBJECTS,
        indirect=True,
        with_vaults=True,
    ),
    # Into vaults and restores' buckets, and as new versions into live ones, by a restore in place and its undo.
    Statement(
        "PutObjects",
        ("s3:PutObject", "s3:PutObjectTagging", "s3:ListMultipartUploadParts", "s3:AbortMultipartUpload"),
        resource=OBJECTS,
        with_vaults=True,
    ),
    # A delete marker: without s3:DeleteObjectVersion it destroys nothing where versions are kept, and elsewhere it is not asked.
    Statement("HideObjects", ("s3:DeleteObject",), resource=OBJECTS, with_vaults=True),
    Statement("RemoveFromVaults", ("s3:DeleteObjectVersion",), resource=VAULTS, indirect=True, with_vaults=True),
    Statement("RemoveRestores", ("s3:DeleteBucket",), resource=RESTORES, with_vaults=True),
    Statement("EmptyRestores", ("s3:DeleteObjectVersion",), resource=RESTORES, indirect=True, with_vaults=True),
    # No others: a live bucket that is gone is made by people, or by a role that may more.
    Statement(
        "MakeBuckets",
        (
            "s3:CreateBucket", "s3:PutBucketTagging", "s3:PutBucketVersioning", "s3:PutBucketPublicAccessBlock",
            "s3:PutEncryptionConfiguration",
        ),
        resource=RESTORES,
        with_vaults=True,
    ),
    Statement(
        "EncryptedObjects",
        ("kms:Decrypt", "kms:GenerateDataKey"),
        {"StringLike": {"kms:ViaService": "s3.*.amazonaws.com"}},
        indirect=True,
        with_vaults=True,
    ),
)  # fmt: skip

STATEMENTS = (
    Statement(
        "Look",
        (
            "ec2:DescribeInstances", "ec2:DescribeVolumes", "ec2:DescribeSnapshots", "ec2:DescribeInstanceTypes",
            "ec2:DescribeAvailabilityZones",
        ),
    ),
    Statement("Make", tuple(f"ec2:{name}" for name in _CREATES)),
    Statement(
        "MarkWhatIsMade", ("ec2:CreateTags",), {"StringEquals": {"ec2:CreateAction": list(_CREATES)}}
    ),
    Statement("MarkWhatIsThere", ("ec2:CreateTags", "ec2:DeleteTags"), _ONLY_OWN_TAGS),
    Statement(
        "Exchange",
        (
            "ec2:StopInstances", "ec2:StartInstances", "ec2:AttachVolume", "ec2:DetachVolume", "ec2:ModifyInstanceAttribute",
        ),
    ),
    Statement("RemoveOwnSnapshots", ("ec2:DeleteSnapshot",), _bears(tags.COPY)),
    Statement("RemoveOwnVolumes", ("ec2:DeleteVolume",), _bears(tags.RESTORE)),
    Statement(
        "EncryptedVolumes",
        (
            "kms:DescribeKey", "kms:CreateGrant", "kms:Decrypt", "kms:GenerateDataKeyWithoutPlaintext", "kms:ReEncryptFrom",
            "kms:ReEncryptTo",
        ),
        {"StringLike": {"kms:ViaService": "ec2.*.amazonaws.com"}},
        indirect=True,
    ),
    *_DATABASES,
    Statement("SeeWhatItMay", ("iam:SimulatePrincipalPolicy",), resource="role"),
    Statement(
        "SeeBuckets",
        (
            "s3:ListAllMyBuckets", "s3:ListBucket", "s3:ListBucketVersions", "s3:ListBucketMultipartUploads",
            "s3:GetBucketVersioning", "s3:GetBucketTagging", "s3:GetEncryptionConfiguration", "s3:GetBucketPublicAccessBlock",
            "s3:GetBucketPolicy", "s3:GetBucketCORS", "s3:GetLifecycleConfiguration",
        ),
    ),
    *_BUCKETS,
)  # fmt: skip


def statements_for(account: AwsAccount) -> list[Statement]:
    """Those that count in the account: without a vault it backs up no bucket, and without a role there is none to ask about."""
    has_vault = any(region.vault for region in account.regions.values())
    return [one for one in STATEMENTS if resources_of(one.resource, account) and (has_vault or not one.with_vaults)]


def permissions(account: AwsAccount) -> dict[str, Any]:
    """The policy to attach to the portal's role in the account."""
    return {"Version": "2012-10-17", "Statement": [one.as_json(account) for one in statements_for(account)]}


def trust(account: AwsAccount, principal: str) -> dict[str, Any]:
    """Who may assume the role: ``principal`` is the ARN that the portal's workers run as."""
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": principal},
                "Action": "sts:AssumeRole",
                "Condition": {"StringEquals": {"sts:ExternalId": account.external_id}},
            }
        ],
    }


def direct_actions() -> frozenset[str]:
    """The actions that the portal itself calls."""
    return frozenset(action for one in STATEMENTS if not one.indirect for action in one.actions)
