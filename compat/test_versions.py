"""Versions and aliases through boto3: publishing, routing, conflicts, qualified ARNs, and what a restart keeps."""

import collections

import pytest
from botocore.exceptions import ClientError

from definitions import PASS, text, wait
from server import ROLE, closed


def passing(result):
    return text({"StartAt": "P", "States": {"P": {"Type": "Pass", "Result": result, "End": True}}})


def refused(call, code, message, **arguments):
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    error = caught.value.response["Error"]
    assert (error["Code"], error["Message"]) == (code, message)
    return caught.value.response


@pytest.fixture
def machine(sfn, name):
    """A machine with two versions, whose results are 1 and 2."""
    made = sfn.create_state_machine(name=name, definition=passing(1), roleArn=ROLE, publish=True)
    arn = made["stateMachineArn"]
    assert made["stateMachineVersionArn"] == f"{arn}:1"
    updated = sfn.update_state_machine(
        stateMachineArn=arn, definition=passing(2), publish=True, versionDescription="the second"
    )
    assert updated["stateMachineVersionArn"] == f"{arn}:2"
    return arn


def routes(machine, **weights):
    return [
        {"stateMachineVersionArn": f"{machine}:{version.removeprefix('v')}", "weight": weight}
        for version, weight in weights.items()
    ]


def outcome(sfn, arn):
    execution = closed(sfn, sfn.start_execution(stateMachineArn=arn)["executionArn"])
    qualifiers = execution.get("stateMachineVersionArn"), execution.get("stateMachineAliasArn")
    history = sfn.get_execution_history(executionArn=execution["executionArn"])["events"]
    started = history[0]["executionStartedEventDetails"]
    assert (started.get("stateMachineVersionArn"), started.get("stateMachineAliasArn")) == qualifiers
    return execution["output"], *qualifiers


def test_versions(sfn, machine):
    second = sfn.describe_state_machine(stateMachineArn=f"{machine}:2")
    assert (second["stateMachineArn"], second["definition"]) == (f"{machine}:2", passing(2))
    assert second["description"] == "the second"
    current = second["revisionId"]
    refused(
        sfn.publish_state_machine_version,
        "ConflictException",
        "Failed to publish the State Machine version for revision INITIAL. "
        f"The current State Machine revision is {current}.",
        stateMachineArn=machine,
        revisionId="INITIAL",
    )
    again = sfn.publish_state_machine_version(stateMachineArn=machine, revisionId=current)
    assert again["stateMachineVersionArn"] == f"{machine}:2"
    sfn.delete_state_machine_version(stateMachineVersionArn=f"{machine}:2")
    fresh = sfn.publish_state_machine_version(stateMachineArn=machine)
    assert fresh["stateMachineVersionArn"] == f"{machine}:3"
    listed = sfn.list_state_machine_versions(stateMachineArn=machine, maxResults=1)
    assert [each["stateMachineVersionArn"] for each in listed["stateMachineVersions"]] == [f"{machine}:3"]
    listed = sfn.list_state_machine_versions(stateMachineArn=machine, maxResults=1, nextToken=listed["nextToken"])
    assert [each["stateMachineVersionArn"] for each in listed["stateMachineVersions"]] == [f"{machine}:1"]
    assert "nextToken" not in listed
    refused(
        sfn.create_state_machine,
        "ValidationException",
        "Version description can only be set when publish is true",
        name="described",
        definition=PASS,
        roleArn=ROLE,
        versionDescription="d",
    )


def test_starts_through_qualified_arns(sfn, machine):
    alias = sfn.create_state_machine_alias(name="PROD", routingConfiguration=routes(machine, v1=100))
    alias = alias["stateMachineAliasArn"]
    assert outcome(sfn, machine) == ("2", None, None)
    assert outcome(sfn, f"{machine}:1") == ("1", f"{machine}:1", None)
    assert outcome(sfn, alias) == ("1", f"{machine}:1", alias)
    sfn.update_state_machine_alias(stateMachineAliasArn=alias, routingConfiguration=routes(machine, v2=100))
    assert outcome(sfn, alias) == ("2", f"{machine}:2", alias)
    counts = {
        arn: len(sfn.list_executions(stateMachineArn=arn)["executions"])
        for arn in [machine, f"{machine}:1", f"{machine}:2", alias]
    }
    assert counts == {machine: 4, f"{machine}:1": 2, f"{machine}:2": 1, alias: 2}
    listed = sfn.list_executions(stateMachineArn=alias)["executions"][0]
    assert (listed["stateMachineArn"], listed["stateMachineAliasArn"]) == (machine, alias)
    missing = f"{machine}:NONE"
    message = f"State Machine Does Not Exist: '{missing}'"
    refused(sfn.start_execution, "StateMachineDoesNotExist", message, stateMachineArn=missing)


def test_an_alias_shares_out_what_is_started(sfn, machine):
    made = sfn.create_state_machine_alias(name="BOTH", routingConfiguration=routes(machine, v1=30, v2=70))
    shares = collections.Counter(outcome(sfn, made["stateMachineAliasArn"])[0] for _ in range(60))
    # One of them missing has a chance of less than one in a thousand million.
    assert set(shares) == {"1", "2"}


def test_conflicts(sfn, machine):
    create = sfn.create_state_machine_alias
    given = {"name": "A", "description": "d", "routingConfiguration": routes(machine, v1=100)}
    first = create(**given)
    assert create(**given)["creationDate"] == first["creationDate"]
    conflict = "Failed to create alias because an alias with the same name and a different routing configuration already exists."
    refused(create, "ConflictException", conflict, **{**given, "description": "other"})
    response = refused(
        create,
        "ValidationException",
        "Sum of routing configuration weights must equal 100. Received: [70, 29]",
        name="B",
        routingConfiguration=routes(machine, v1=70, v2=29),
    )
    assert response["reason"] == "INVALID_ROUTING_CONFIGURATION"
    refused(
        sfn.delete_state_machine_version,
        "ConflictException",
        "Version to be deleted must not be referenced by an alias. "
        "Current list of aliases referencing this version: [A]",
        stateMachineVersionArn=f"{machine}:1",
    )
    missing = "Request references a resource that does not exist."
    refused(create, "ResourceNotFound", missing, name="C", routingConfiguration=routes(machine, v9=100))
    refused(sfn.describe_state_machine_alias, "ResourceNotFound", missing, stateMachineAliasArn=f"{machine}:NONE")
    sfn.delete_state_machine_alias(stateMachineAliasArn=f"{machine}:A")
    sfn.delete_state_machine_version(stateMachineVersionArn=f"{machine}:1")


def test_an_update_that_changes_nothing_is_none(sfn, machine):
    """Source: API reference, UpdateStateMachineAlias, which is idempotent."""
    made = sfn.create_state_machine_alias(name="SAME", description="d", routingConfiguration=routes(machine, v2=100))
    arn = made["stateMachineAliasArn"]
    same = {"stateMachineAliasArn": arn, "description": "d", "routingConfiguration": routes(machine, v2=100)}
    assert sfn.update_state_machine_alias(**same)["updateDate"] == made["creationDate"]
    updated = sfn.update_state_machine_alias(stateMachineAliasArn=arn, description="e")["updateDate"]
    assert sfn.describe_state_machine_alias(stateMachineAliasArn=arn)["updateDate"] == updated
    assert sfn.update_state_machine_alias(stateMachineAliasArn=arn, description="e")["updateDate"] == updated


def test_a_restart_keeps_them(own_server, name):
    sfn = own_server.start().connect()
    machine = sfn.create_state_machine(name=name, definition=wait(1), roleArn=ROLE, publish=True)["stateMachineArn"]
    alias = sfn.create_state_machine_alias(name="PROD", routingConfiguration=routes(machine, v1=100))
    alias = alias["stateMachineAliasArn"]
    execution = sfn.start_execution(stateMachineArn=alias)["executionArn"]
    own_server.kill()
    sfn = own_server.start().connect()
    described = sfn.describe_state_machine_alias(stateMachineAliasArn=alias)
    assert described["routingConfiguration"] == routes(machine, v1=100)
    assert closed(sfn, execution)["stateMachineAliasArn"] == alias
    assert len(sfn.list_executions(stateMachineArn=alias, statusFilter="SUCCEEDED")["executions"]) == 1
    sfn.delete_state_machine(stateMachineArn=machine)
