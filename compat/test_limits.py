"""[limits] of stepwell.toml: AWS's quotas raised, lowered and lifted, throttles, and `stepwell limits`."""

import json
import subprocess

import pytest
from botocore.exceptions import ClientError
from definitions import PASS, text
from server import ROLE, Server, binary, closed, events

# Goes round 6,500 times: 26,000 events and some.
LOOP = text(
    {
        "QueryLanguage": "JSONata",
        "StartAt": "Begin",
        "States": {
            "Begin": {"Type": "Pass", "Assign": {"n": 0}, "Next": "Count"},
            "Count": {"Type": "Pass", "Assign": {"n": "{% $n + 1 %}"}, "Next": "Again"},
            "Again": {
                "Type": "Choice",
                "Choices": [{"Condition": "{% $n < 6500 %}", "Next": "Count"}],
                "Default": "End",
            },
            "End": {"Type": "Succeed", "Output": "{% $n %}"},
        },
    }
)


@pytest.fixture
def limited(tmp_path):
    """A server with this `[limits]`."""
    servers = []

    def limited(limits):
        (tmp_path / "stepwell.toml").write_text(f"[limits]\n{limits}\n")
        server = Server(tmp_path, data=":memory:", options=["--config", str(tmp_path / "stepwell.toml")])
        servers.append(server)
        return server.start().connect()

    yield limited
    for server in servers:
        assert server.stop() == 0, server.log


def machine(sfn, definition, name="m"):
    return sfn.create_state_machine(name=name, definition=definition, roleArn=ROLE)["stateMachineArn"]


def refused(call, **parameters):
    with pytest.raises(ClientError) as error:
        call(**parameters)
    return error.value.response["Error"]["Code"], error.value.response["Error"]["Message"]


def test_raised(limited):
    """A payload of 1 MiB, which doubles in a request since it is all quotes, and 26,000 events."""
    sfn = limited('payload_bytes = 2_097_152\nhistory_events = "off"\ntags = 60')
    large = json.dumps('"' * (512 * 1024 - 1))
    assert len(large) == 1024 * 1024
    ended = closed(sfn, sfn.start_execution(stateMachineArn=machine(sfn, PASS), input=large)["executionArn"])
    assert ended["status"] == "SUCCEEDED" and ended["output"] == large
    activity = sfn.create_activity(name="a", tags=[{"key": str(n), "value": ""} for n in range(60)])["activityArn"]
    task = text({"StartAt": "T", "States": {"T": {"Type": "Task", "Resource": activity, "End": True}}})
    waiting = sfn.start_execution(stateMachineArn=machine(sfn, task, "t"), input=large)["executionArn"]
    token = sfn.get_activity_task(activityArn=activity)["taskToken"]
    sfn.send_task_success(taskToken=token, output=large)
    assert closed(sfn, waiting)["output"] == large
    too_large = refused(sfn.start_execution, stateMachineArn=machine(sfn, PASS), input=" " * 2_097_153)
    assert too_large[0] == "ValidationException" and "less than or equal to 2097152" in too_large[1]
    looped = sfn.start_execution(stateMachineArn=machine(sfn, LOOP, "loop"))["executionArn"]
    assert closed(sfn, looped)["output"] == "6500"
    assert len(events(sfn, looped, maxResults=1000)) == 4 * 6500 + 6


def test_lowered(limited):
    sfn = limited("payload_bytes = 2048\nhistory_events = 100\nstate_machines = 2\ntags = 1")
    arn = machine(sfn, PASS)
    code, message = refused(sfn.start_execution, stateMachineArn=arn, input=json.dumps("x" * 2047))
    assert code == "ValidationException"
    assert message.endswith("Member must have length less than or equal to 2048")
    grown = text({"StartAt": "G", "States": {"G": {"Type": "Pass", "Result": "x" * 3000, "End": True}}})
    ended = closed(sfn, sfn.start_execution(stateMachineArn=machine(sfn, grown, "grown"))["executionArn"])
    assert ended["error"] == "States.DataLimitExceeded"
    assert refused(sfn.create_state_machine, name="third", definition=PASS, roleArn=ROLE)[0] == "StateMachineLimitExceeded"
    sfn.update_state_machine(stateMachineArn=arn, definition=LOOP)
    looped = sfn.start_execution(stateMachineArn=arn)["executionArn"]
    ended = closed(sfn, looped)
    assert ended["cause"] == "The execution reached the maximum number of history events (100)."
    assert len(events(sfn, looped)) == 100
    tags = [{"key": key, "value": ""} for key in "ab"]
    assert refused(sfn.tag_resource, resourceArn=arn, tags=tags)[0] == "TooManyTags"


def test_throttles(limited):
    sfn = limited("[limits.throttle]\nStartExecution = { bucket = 2, refill = 0 }")
    arn = machine(sfn, PASS)
    for _ in range(2):
        sfn.start_execution(stateMachineArn=arn)
    assert refused(sfn.start_execution, stateMachineArn=arn) == ("ThrottlingException", "Rate exceeded")
    assert len(sfn.list_executions(stateMachineArn=arn)["executions"]) == 2


def test_state_transitions_are_delayed(tmp_path):
    """Executions wait for tokens; none fails, none is lost by a kill, and Express is not throttled."""
    config = tmp_path / "stepwell.toml"
    config.write_text("[limits.throttle]\nStateTransition = { bucket = 2, refill = 1 }\n")
    server = Server(tmp_path, options=["--config", str(config)])
    sfn = server.start().connect()
    states = {f"S{n}": {"Type": "Pass", "Next": f"S{n + 1}"} for n in range(39)} | {"S39": {"Type": "Pass", "End": True}}
    arn = machine(sfn, text({"StartAt": "S0", "States": states}))
    started = sfn.start_execution(stateMachineArn=arn, input='{"n":1}')["executionArn"]
    first = events(sfn, started)
    assert sfn.describe_execution(executionArn=started)["status"] == "RUNNING"
    stopped = sfn.start_execution(stateMachineArn=arn)["executionArn"]
    sfn.stop_execution(executionArn=stopped)
    assert closed(sfn, stopped)["status"] == "ABORTED"
    express = sfn.create_state_machine(
        name="e", definition=text({"StartAt": "S0", "States": states}), roleArn=ROLE, type="EXPRESS"
    )["stateMachineArn"]
    assert sfn.start_sync_execution(stateMachineArn=express)["status"] == "SUCCEEDED"
    server.kill()
    config.write_text("[limits.throttle]\nStateTransition = { bucket = 20, refill = 50 }\n")
    sfn = server.start().connect()
    assert closed(sfn, started)["output"] == '{"n":1}'
    whole = events(sfn, started)
    assert whole[: len(first)] == first and len(whole) == 2 * 40 + 2
    assert server.stop() == 0, server.log


def printed(folder, limits, *options):
    (folder / "stepwell.toml").write_text(f"[limits]\n{limits}\n")
    command = [str(binary()), "limits", *options]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_what_holds_is_printed(tmp_path):
    told = printed(tmp_path, 'history_events = "off"\ntags = 60', "--json")
    told = json.loads(told.stdout)
    assert told["history_events"] == {"limit": None, "aws": 25000}
    assert told["tags"] == {"limit": 60, "aws": 50}
    assert told["payload_bytes"] == {"limit": 262144, "aws": 262144} and told["throttle"] == {}
    shown = printed(tmp_path, "tags = 60").stdout
    assert "tags                         60  of a state machine or activity (AWS: 50)" in shown


@pytest.mark.parametrize(
    "limits, why",
    [
        ("payload_bytes = 99_999_999", "stepwell.toml:1:1: `payload_bytes` must be from 1024 to 16777216"),
        ("history_events = 0", 'must be at least 1, or "off"'),
        ('tags = "many"', 'expected a number from 1 on, or "off"'),
        ("payloads = 1", "unknown field `payloads`"),
        ("throttle = { StateTransition = { bucket = 1, refill = 0 } }", "`refill` must be at least 1"),
        ("throttle = { StartExecutions = { bucket = 1, refill = 1 } }", "there is no such action"),
    ],
)
def test_what_is_wrong_is_told(tmp_path, limits, why):
    told = printed(tmp_path, limits)
    assert told.returncode == 2 and why in told.stderr, told.stderr
