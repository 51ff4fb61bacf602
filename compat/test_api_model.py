"""Every action of the API model, called with what it allows and with everything that it forbids, once each.

The cases are made from the model in botocore: each required member is left out once, also those of nested structures,
and each bound of length, range, count, choice or pattern is broken once. Requests are sent as they are, so that no
client checks them first. Each answer must be the error that the model or the protocol has for it, and name the member.
"""

import http.client
import json

import botocore.session
import pytest

from definitions import PASS, activity, wait
from server import ROLE, wait_until

MODEL = botocore.session.get_session().get_service_model("stepfunctions")

# What AWS JSON answers to any action.
PROTOCOL_ERRORS = {"ValidationException", "SerializationException"}


class Client:
    """Sends JSON, and nothing but what it is told to."""

    def __init__(self, port):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def call(self, action, members):
        headers = {
            "Content-Type": "application/x-amz-json-1.0",
            "X-Amz-Target": f"AWSStepFunctions.{action}",
        }
        self.connection.request("POST", "/", json.dumps(members), headers)
        answer = self.connection.getresponse()
        return answer.status, json.loads(answer.read())

    def made(self, action, members):
        status, answer = self.call(action, members)
        assert status == 200, (action, members, answer)
        return answer


@pytest.fixture(scope="module")
def client(server):
    return Client(server.port)


@pytest.fixture(scope="module")
def world(client):
    """Something of everything that an ARN can name."""
    machine = client.made("CreateStateMachine", {
        "name": "model", "definition": wait(3600), "roleArn": ROLE, "publish": True,
    })  # fmt: skip
    arn = machine["stateMachineArn"]
    alias = client.made("CreateStateMachineAlias", {"name": "MODEL", "routingConfiguration": route(arn, 1)})
    worked = client.made("CreateActivity", {"name": "model"})["activityArn"]
    waiting = client.made("CreateStateMachine", {
        "name": "model-activity", "definition": activity(worked), "roleArn": ROLE,
    })  # fmt: skip
    return {
        "machine": arn,
        "version": machine["stateMachineVersionArn"],
        "alias": alias["stateMachineAliasArn"],
        "execution": client.made("StartExecution", {"stateMachineArn": arn, "name": "model"})["executionArn"],
        "express": client.made("CreateStateMachine", {
            "name": "model-express", "definition": PASS, "roleArn": ROLE, "type": "EXPRESS",
        })["stateMachineArn"],
        "failed": failed_execution(client),
        "activity": worked,
        "waiting": waiting["stateMachineArn"],
        "map_run": map_run(client),
    }


def failed_execution(client):
    machine = client.made("CreateStateMachine", {
        "name": "model-fail", "definition": '{"StartAt": "F", "States": {"F": {"Type": "Fail"}}}', "roleArn": ROLE,
    })["stateMachineArn"]  # fmt: skip
    execution = client.made("StartExecution", {"stateMachineArn": machine})["executionArn"]
    described = {"executionArn": execution}
    wait_until("it has failed", lambda: client.made("DescribeExecution", described)["status"] == "FAILED")
    return execution


def map_run(client):
    """One that runs for long."""
    processor = {**json.loads(wait(3600)), "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}}
    state = {"Type": "Map", "ItemProcessor": processor, "End": True}
    definition = json.dumps({"StartAt": "M", "States": {"M": state}})
    machine = client.made("CreateStateMachine", {"name": "model-map", "definition": definition, "roleArn": ROLE})
    started = client.made("StartExecution", {"stateMachineArn": machine["stateMachineArn"], "input": "[1]"})
    listed = {"executionArn": started["executionArn"]}
    return wait_until("it has begun", lambda: client.made("ListMapRuns", listed)["mapRuns"])[0]["mapRunArn"]


def route(machine, version):
    return [{"stateMachineVersionArn": f"{machine}:{version}", "weight": 100}]


def token(client, world):
    """The token of a task that waits."""
    client.made("StartExecution", {"stateMachineArn": world["waiting"]})

    def taken():
        return client.made("GetActivityTask", {"activityArn": world["activity"]}).get("taskToken")

    return wait_until("a task waits", taken)


def valid(action, client, world):
    """Members that the action takes, with as many of them as there are."""
    machine, execution = world["machine"], world["execution"]
    page = {"maxResults": 10}
    tags = [{"key": "k", "value": "v"}]
    logging = {"level": "OFF", "includeExecutionData": True}
    owned = {"type": "AWS_OWNED_KEY"}
    if action == "GetActivityTask":
        client.made("StartExecution", {"stateMachineArn": world["waiting"]})
    return {
        "CreateActivity": {"name": "valid", "tags": tags, "encryptionConfiguration": owned},
        "CreateStateMachine": {
            "name": "valid", "definition": PASS, "roleArn": ROLE, "type": "STANDARD", "tags": tags,
            "loggingConfiguration": logging, "tracingConfiguration": {"enabled": False}, "publish": True,
            "versionDescription": "d", "encryptionConfiguration": owned,
        },
        "CreateStateMachineAlias": {"name": "VALID", "description": "d", "routingConfiguration": route(machine, 1)},
        "DeleteActivity": {"activityArn": world["activity"] + "-gone"},
        "DeleteStateMachine": {"stateMachineArn": machine + "-gone"},
        "DeleteStateMachineAlias": {"stateMachineAliasArn": machine + ":GONE"},
        "DeleteStateMachineVersion": {"stateMachineVersionArn": machine + ":999"},
        "DescribeActivity": {"activityArn": world["activity"]},
        "DescribeExecution": {"executionArn": execution, "includedData": "METADATA_ONLY"},
        "DescribeMapRun": {"mapRunArn": world["map_run"]},
        "DescribeStateMachine": {"stateMachineArn": world["version"], "includedData": "ALL_DATA"},
        "DescribeStateMachineAlias": {"stateMachineAliasArn": world["alias"]},
        "DescribeStateMachineForExecution": {"executionArn": execution, "includedData": "ALL_DATA"},
        "GetActivityTask": {"activityArn": world["activity"], "workerName": "w"},
        "GetExecutionHistory": {
            "executionArn": execution, "reverseOrder": True, "includeExecutionData": False, **page,
        },
        "ListActivities": page,
        "ListExecutions": {"stateMachineArn": world["alias"], "statusFilter": "RUNNING", **page},
        "ListMapRuns": {"executionArn": execution, **page},
        "ListStateMachineAliases": {"stateMachineArn": machine, **page},
        "ListStateMachineVersions": {"stateMachineArn": machine, **page},
        "ListStateMachines": page,
        "ListTagsForResource": {"resourceArn": machine},
        "PublishStateMachineVersion": {"stateMachineArn": machine, "revisionId": "INITIAL", "description": "d"},
        "RedriveExecution": {"executionArn": world["failed"], "clientToken": "t"},
        "SendTaskFailure": {"taskToken": token, "error": "e", "cause": "c"},
        "SendTaskHeartbeat": {"taskToken": token},
        "SendTaskSuccess": {"taskToken": token, "output": "{}"},
        "StartExecution": {"stateMachineArn": world["alias"], "name": "valid", "input": "{}", "traceHeader": "t"},
        "StartSyncExecution": {
            "stateMachineArn": world["express"], "name": "valid", "input": "{}", "traceHeader": "t",
            "includedData": "ALL_DATA",
        },
        "StopExecution": {"executionArn": execution, "error": "e", "cause": "c"},
        "TagResource": {"resourceArn": machine, "tags": tags},
        "TestState": {
            "definition": '{"Type": "Pass", "End": true}', "roleArn": ROLE, "input": "{}", "variables": "{}",
            "inspectionLevel": "TRACE", "revealSecrets": False,
        },
        "UntagResource": {"resourceArn": machine, "tagKeys": ["k"]},
        "UpdateMapRun": {"mapRunArn": world["map_run"], "maxConcurrency": 1},
        "UpdateStateMachine": {"stateMachineArn": machine, "roleArn": ROLE},
        "UpdateStateMachineAlias": {"stateMachineAliasArn": world["alias"], "description": "d"},
        "ValidateStateMachineDefinition": {
            "definition": PASS, "type": "EXPRESS", "severity": "WARNING", "maxResults": 1,
        },
    }[action]  # fmt: skip


def test_the_table_names_every_action(client, world):
    assert len(MODEL.operation_names) == 37
    for action in MODEL.operation_names:
        assert valid(action, client, world) is not None


@pytest.mark.parametrize("action", MODEL.operation_names)
def test_valid_members_are_taken(client, world, action):
    members = valid(action, client, world)
    members = {name: value(client, world) if callable(value) else value for name, value in members.items()}
    status, answer = client.call(action, members)
    assert status == 200, answer
    output = MODEL.operation_model(action).output_shape
    assert set(answer) <= set(output.members)
    assert set(output.required_members) <= set(answer)


# Broken requests

NUMBERS = {"integer", "long", "float"}


def example(shape):
    """A value of a shape that breaks none of its bounds."""
    if shape.type_name == "structure":
        # Texts stand there also where the model does not ask for them: a tag without a key is none.
        named = {name for name, member in shape.members.items() if member.type_name == "string"}
        return {name: example(shape.members[name]) for name in [*shape.required_members, *sorted(named)]}
    if shape.type_name == "list":
        return [example(shape.member)] * shape.metadata.get("min", 1)
    if shape.type_name in NUMBERS:
        return shape.metadata.get("min", 1)
    if shape.type_name == "boolean":
        return True
    if shape.enum:
        return shape.enum[0]
    return "a" * max(1, shape.metadata.get("min", 1))


def broken(shape, path):
    """What a value of this shape must not be: (what for, the value, the path, the constraint) of each."""
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if shape.type_name == "structure":
        for name, member in shape.members.items():
            inside = f"{path}.{name}"
            base = example(shape)
            if name in shape.required_members:
                yield "absent", {key: value for key, value in base.items() if key != name}, inside, "not be null"
            for what, value, place, constraint in broken(member, inside):
                yield what, {**base, name: value}, place, constraint
    elif shape.type_name == "list":
        if low:
            yield "few", [], path, f"length greater than or equal to {low}"
        if high:
            yield "many", [example(shape.member)] * (high + 1), path, f"length less than or equal to {high}"
        for what, value, place, constraint in broken(shape.member, f"{path}.1.member"):
            yield what, [value], place, constraint
        yield "type", {"a": "b"}, path, None
    elif shape.type_name in NUMBERS:
        if low is not None:
            yield "low", low - 1, path, f"value greater than or equal to {low}"
        if high is not None:
            yield "high", high + 1, path, f"value less than or equal to {high}"
        yield "type", "1", path, None
    elif shape.type_name == "boolean":
        yield "type", "true", path, None
    elif shape.enum:
        yield "word", "nonsense", path, "satisfy enum value set: ["
    elif shape.type_name == "string":
        if low:
            yield "short", "a" * (low - 1), path, f"length greater than or equal to {low}"
        if high:
            yield "long", "a" * (high + 1), path, f"length less than or equal to {high}"
        if shape.metadata.get("pattern"):
            yield "pattern", "é ", path, "satisfy regular expression pattern: "
        yield "type", 1, path, None


def cases():
    for action in MODEL.operation_names:
        shape = MODEL.operation_model(action).input_shape
        for name in shape.required_members:
            yield action, name, "absent", None, name, "not be null"
        for name, member in shape.members.items():
            for what, value, place, constraint in broken(member, name):
                yield action, name, what, value, place, constraint


CASES = list(cases())


@pytest.mark.parametrize(
    ("action", "name", "what", "value", "place", "constraint"), CASES, ids=[f"{c[0]}-{c[4]}-{c[2]}" for c in CASES]
)
def test_what_the_model_forbids_is_refused(client, world, action, name, what, value, place, constraint):
    members = {
        member: "token" if callable(given) else given
        for member, given in valid(action, client, world).items() if member != name
    }  # fmt: skip
    if value is not None:
        members[name] = value
    status, answer = client.call(action, members)
    assert status == 400, answer
    code, message = answer["__type"], answer["message"]
    modelled = {error.name for error in MODEL.operation_model(action).error_shapes}
    assert code in modelled | PROTOCOL_ERRORS, answer
    if constraint is None:
        assert code == "SerializationException", answer
        assert f"'{place}'" in message
    else:
        assert code == "ValidationException", answer
        assert f"at '{place}' failed to satisfy constraint: Member must {constraint}".replace("have satisfy", "satisfy") in (
            message.replace("Member must have ", "Member must ")
        )
        # One text may break more than one constraint; nothing else is broken.
        count = message.count(" failed to satisfy constraint: ")
        assert message.startswith(f"{count} validation error{'s' if count > 1 else ''} detected: ")
        assert message.count(f"at '{place}' failed") == count
