"""RedriveExecution over kill -9: what had succeeded is kept, what had not is done once more, and nothing is redriven twice."""

import json

import pytest
from botocore.exceptions import ClientError

from definitions import text
from server import ROLE, closed, events, wait_until


def machine(sfn, name):
    """A branch that is done at once beside one that a worker does."""
    worker = sfn.create_activity(name=name)["activityArn"]
    branches = [
        {"StartAt": "A", "States": {"A": {"Type": "Pass", "Result": "a", "End": True}}},
        {"StartAt": "B", "States": {"B": {"Type": "Task", "Resource": worker, "End": True}}},
    ]
    definition = text({"StartAt": "L", "States": {"L": {"Type": "Parallel", "Branches": branches, "End": True}}})
    made = sfn.create_state_machine(name=name, definition=definition, roleArn=ROLE)
    return made["stateMachineArn"], worker


def token(sfn, worker):
    return wait_until("a task waits", lambda: sfn.get_activity_task(activityArn=worker).get("taskToken"))


def test_only_what_failed_is_done_once_more(own_server, name):
    sfn = own_server.start().connect()
    arn, worker = machine(sfn, name)
    execution = sfn.start_execution(stateMachineArn=arn)["executionArn"]
    sfn.send_task_failure(taskToken=token(sfn, worker), error="E")
    assert closed(sfn, execution)["redriveStatus"] == "REDRIVABLE"
    own_server.kill()
    sfn = own_server.start().connect()
    redriven = sfn.redrive_execution(executionArn=execution, clientToken="one")["redriveDate"]
    own_server.kill()
    sfn = own_server.start().connect()
    assert sfn.redrive_execution(executionArn=execution, clientToken="one")["redriveDate"] == redriven
    state = sfn.describe_execution(executionArn=execution)
    assert (state["status"], state["redriveCount"], state["redriveDate"]) == ("RUNNING", 1, redriven)
    with pytest.raises(ClientError) as caught:
        sfn.redrive_execution(executionArn=execution, clientToken="two")
    assert caught.value.response["Error"]["Code"] == "ExecutionNotRedrivable"
    sfn.send_task_success(taskToken=token(sfn, worker), output='"b"')
    assert json.loads(closed(sfn, execution)["output"]) == ["a", "b"]
    history = events(sfn, execution)
    assert [event["id"] for event in history] == list(range(1, len(history) + 1))
    types = [event["type"] for event in history]
    assert (types.count("PassStateEntered"), types.count("ActivityScheduled")) == (1, 2)
    assert (types.count("ExecutionFailed"), types.count("ExecutionRedriven")) == (1, 1)
    row = sfn.list_executions(stateMachineArn=arn)["executions"]
    assert [(item["status"], item["redriveCount"]) for item in row] == [("SUCCEEDED", 1)]


def test_what_was_stopped_goes_on(own_server, name):
    sfn = own_server.start().connect()
    arn, worker = machine(sfn, name)
    execution = sfn.start_execution(stateMachineArn=arn)["executionArn"]
    old = token(sfn, worker)
    sfn.stop_execution(executionArn=execution)
    sfn.redrive_execution(executionArn=execution)
    with pytest.raises(ClientError) as caught:
        sfn.send_task_success(taskToken=old, output="1")
    assert caught.value.response["Error"]["Code"] == "TaskTimedOut"
    sfn.send_task_success(taskToken=token(sfn, worker), output="2")
    assert closed(sfn, execution)["status"] == "SUCCEEDED"
