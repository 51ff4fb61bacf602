"""How the samples reach the server: a boto3 client, and the account and region that ARNs carry."""

import os

import boto3
from botocore.config import Config

ENDPOINT_DEFAULT = "http://127.0.0.1:8083"

# GetActivityTask answers after 60 s if there is no task.
LONG_POLL_SECONDS = 70

# The definitions in this folder name their activities in this account and region.
ACCOUNT_IN_FILES = "us-east-1:123456789012"


def connect(endpoint):
    """A Step Functions client for `endpoint`; credentials are made up where the environment has none."""
    return boto3.client(
        "stepfunctions",
        endpoint_url=endpoint,
        region_name=os.environ.get("AWS_REGION", "us-east-1"),
        aws_access_key_id=os.environ.get("AWS_ACCESS_KEY_ID", "any"),
        aws_secret_access_key=os.environ.get("AWS_SECRET_ACCESS_KEY", "any"),
        config=Config(
            read_timeout=LONG_POLL_SECONDS,
            max_pool_connections=64,
            retries={"total_max_attempts": 3, "mode": "standard"},
            inject_host_prefix=False,
        ),
    )


def create_activities(client, names):
    """Creates the activities, or finds them, and gives their ARNs by name."""
    return {name: client.create_activity(name=name)["activityArn"] for name in names}


def account_of(arn):
    """`region:account` of an ARN, as in `us-east-1:123456789012`."""
    _, _, _, region, account, *_ = arn.split(":")
    return f"{region}:{account}"
