"""The AWS CLI creates, runs, lists, reads and stops real executions."""

import json
import os
import pathlib
import subprocess
import sys

from definitions import PASS, wait
from server import REGION, ROLE, closed

CLI = pathlib.Path(sys.executable).with_name("aws")


def aws(server, *words, refused=False, region=REGION, key="compat"):
    """Runs `aws stepfunctions …` and gives the JSON that it prints, or its words of why it was refused."""
    environment = {
        **os.environ,
        "AWS_ACCESS_KEY_ID": key,
        "AWS_SECRET_ACCESS_KEY": "compat",
        "AWS_DEFAULT_REGION": region,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_PAGER": "",
    }
    done = subprocess.run(
        [str(CLI), "stepfunctions", *words, "--endpoint-url", server.endpoint, "--output", "json"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.returncode != 0) == refused, done.stderr
    if refused:
        return done.stderr
    return json.loads(done.stdout) if done.stdout.strip() else None


def test_a_walk_through(server, sfn, name):
    machine = aws(server, "create-state-machine", "--name", name, "--definition", PASS, "--role-arn", ROLE)
    arn = machine["stateMachineArn"]
    assert aws(server, "describe-state-machine", "--state-machine-arn", arn)["definition"] == PASS
    listed = aws(server, "list-state-machines")["stateMachines"]
    assert arn in [each["stateMachineArn"] for each in listed]

    started = aws(server, "start-execution", "--state-machine-arn", arn, "--input", '{"from": "the CLI"}')
    execution = started["executionArn"]
    closed(sfn, execution)
    state = aws(server, "describe-execution", "--execution-arn", execution)
    assert (state["status"], state["output"]) == ("SUCCEEDED", '{"from": "the CLI"}')
    history = aws(server, "get-execution-history", "--execution-arn", execution, "--page-size", "2")["events"]
    assert [event["type"] for event in history] == [
        "ExecutionStarted",
        "PassStateEntered",
        "PassStateExited",
        "ExecutionSucceeded",
    ]
    listed = aws(server, "list-executions", "--state-machine-arn", arn, "--status-filter", "SUCCEEDED")["executions"]
    assert [each["executionArn"] for each in listed] == [execution]
    aws(server, "delete-state-machine", "--state-machine-arn", arn)


def test_versions_and_aliases(server, sfn, name):
    made = aws(
        server, "create-state-machine", "--name", name, "--definition", PASS, "--role-arn", ROLE, "--publish"
    )  # fmt: skip
    arn, version = made["stateMachineArn"], made["stateMachineVersionArn"]
    route = f"stateMachineVersionArn={version},weight=100"
    alias = aws(server, "create-state-machine-alias", "--name", "PROD", "--routing-configuration", route)
    alias = alias["stateMachineAliasArn"]
    listed = aws(server, "list-state-machine-versions", "--state-machine-arn", arn)["stateMachineVersions"]
    assert [each["stateMachineVersionArn"] for each in listed] == [version]
    started = aws(server, "start-execution", "--state-machine-arn", alias)
    assert closed(sfn, started["executionArn"])["stateMachineAliasArn"] == alias
    said = aws(server, "delete-state-machine-version", "--state-machine-version-arn", version, refused=True)
    assert "(ConflictException)" in said and "[PROD]" in said
    aws(server, "delete-state-machine", "--state-machine-arn", arn)


def test_stop(server, name):
    machine = aws(server, "create-state-machine", "--name", name, "--definition", wait(3600), "--role-arn", ROLE)
    started = aws(server, "start-execution", "--state-machine-arn", machine["stateMachineArn"])
    execution = started["executionArn"]
    aws(server, "stop-execution", "--execution-arn", execution, "--error", "Enough", "--cause", "by hand")
    state = aws(server, "describe-execution", "--execution-arn", execution)
    assert (state["status"], state["error"], state["cause"]) == ("ABORTED", "Enough", "by hand")


def test_errors_are_readable(server):
    said = aws(server, "describe-execution", "--execution-arn", "nonsense", refused=True)
    assert "(InvalidArn)" in said and "Invalid ARN prefix: nonsense" in said
