"""Mocked tasks: the mock configuration file of Step Functions Local, `#TestCase` behind the machine's ARN."""

import json
import subprocess

import pytest
from botocore.exceptions import ClientError
from definitions import text
from server import ROLE, Server, binary, await_event, closed, events

RETRIED = text(
    {
        "StartAt": "Charge",
        "States": {
            "Charge": {
                "Type": "Task",
                "Resource": "arn:aws:states:::lambda:invoke",
                "Parameters": {"FunctionName": "charge"},
                "ResultSelector": {"id.$": "$.Payload.id"},
                "Retry": [{"ErrorEquals": ["Busy"], "IntervalSeconds": 2, "BackoffRate": 1}],
                "End": True,
            }
        },
    }
)


def config(**cases):
    return {
        "StateMachines": {"shop": {"TestCases": cases}},
        "MockedResponses": {
            "BusyThenPaid": {
                "0-1": {"Throw": {"Error": "Busy", "Cause": "not now"}},
                "2": {"Return": {"StatusCode": 200, "Payload": {"id": "c-1"}}},
            },
            "Paid": {"0": {"Return": {"StatusCode": 200, "Payload": {"id": "c-2"}}}},
        },
    }


@pytest.fixture
def mocks(tmp_path):
    file = tmp_path / "mocks.json"
    server = Server(tmp_path, environment={"SFN_MOCK_CONFIG": str(file)})
    yield server, file
    server.kill()


def test_a_test_case_survives_kill_9_and_the_file_is_read_at_each_start(mocks):
    server, file = mocks
    file.write_text(json.dumps(config(Slow={"Charge": "BusyThenPaid"})))
    sfn = server.start().connect()
    machine = sfn.create_state_machine(name="shop", definition=RETRIED, roleArn=ROLE)["stateMachineArn"]
    slow = sfn.start_execution(stateMachineArn=f"{machine}#Slow", name="slow")["executionArn"]
    assert sfn.describe_execution(executionArn=slow)["stateMachineArn"] == machine
    await_event(sfn, slow, "TaskFailed")

    file.write_text(json.dumps(config(Quick={"Charge": "Paid"})))
    server.kill()
    sfn = server.start().connect()
    quick = sfn.start_execution(stateMachineArn=f"{machine}#Quick", name="quick")["executionArn"]
    assert closed(sfn, quick)["output"] == '{"id":"c-2"}'
    assert closed(sfn, slow)["output"] == '{"id":"c-1"}'
    kinds = [event["type"] for event in events(sfn, slow)]
    assert kinds.count("TaskFailed") == 2 and kinds.count("TaskSucceeded") == 1


@pytest.mark.parametrize(
    "content, case, message",
    [
        (config(Slow={"Charge": "Paid"}), "Other", "no test case `Other` for the state machine `shop`"),
        (config(Slow={"Charge": "Nothing"}), "Slow", "there is no mocked response `Nothing`"),
        (config(Slow={"Pay": "Paid"}), "Slow", "mocks `Pay`, which is no Task state"),
        ({"StateMachines": {}}, "Slow", "the member `MockedResponses` is missing"),
        (None, "Slow", "cannot be read"),
    ],
)
def test_what_is_wrong_is_told_at_the_start(mocks, content, case, message):
    server, file = mocks
    if content is not None:
        file.write_text(json.dumps(content))
    sfn = server.start().connect()
    machine = sfn.create_state_machine(name="shop", definition=RETRIED, roleArn=ROLE)["stateMachineArn"]
    with pytest.raises(ClientError) as refused:
        sfn.start_execution(stateMachineArn=f"{machine}#{case}")
    assert refused.value.response["Error"]["Code"] == "ValidationException"
    assert message in refused.value.response["Error"]["Message"]
    assert sfn.list_executions(stateMachineArn=machine)["executions"] == []


def test_versions_and_aliases_take_test_cases(mocks):
    server, file = mocks
    file.write_text(json.dumps(config(Quick={"Charge": "Paid"})))
    sfn = server.start().connect()
    created = sfn.create_state_machine(name="shop", definition=RETRIED, roleArn=ROLE, publish=True)
    machine, version = created["stateMachineArn"], created["stateMachineVersionArn"]
    routes = [{"stateMachineVersionArn": version, "weight": 100}]
    alias = sfn.create_state_machine_alias(name="live", routingConfiguration=routes)["stateMachineAliasArn"]
    for qualified in [version, alias]:
        started = sfn.start_execution(stateMachineArn=f"{qualified}#Quick")["executionArn"]
        ended = closed(sfn, started)
        assert (ended["output"], ended["stateMachineArn"]) == ('{"id":"c-2"}', machine)
        assert ended["stateMachineVersionArn"] == version
        assert ended.get("stateMachineAliasArn") == (alias if qualified == alias else None)
        with pytest.raises(ClientError) as refused:
            sfn.start_execution(stateMachineArn=f"{qualified}#Other")
        assert "no test case `Other`" in refused.value.response["Error"]["Message"]


def test_stepwell_run_takes_a_test_case(tmp_path):
    (tmp_path / "shop.asl.json").write_text(RETRIED)
    (tmp_path / "mocks.json").write_text(json.dumps(config(Quick={"Charge": "Paid"})))
    command = [str(binary()), "run", "shop.asl.json", "--json", "--mock"]
    ran = subprocess.run([*command, "mocks.json#Quick"], cwd=tmp_path, capture_output=True, text=True)
    assert (ran.returncode, json.loads(ran.stdout)["output"]) == (0, {"id": "c-2"}), ran.stderr
    ran = subprocess.run([*command, "mocks.json#Other"], cwd=tmp_path, capture_output=True, text=True)
    assert ran.returncode == 2 and "no state machine has a test case `Other`" in ran.stderr
