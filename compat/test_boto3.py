"""The API as boto3 sees it: machines, executions, histories, activities, tags, and how errors are named and worded."""

import json
import threading
import uuid

import pytest
from botocore.exceptions import ClientError

from definitions import PASS, activity, chain, text, wait
from server import ACCOUNT, REGION, ROLE, await_event, closed, events, wait_until

PREFIX = f"arn:aws:states:{REGION}:{ACCOUNT}"


def refused(call, code, message=None, **arguments):
    """Calls, and checks that AWS's error comes back."""
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    error = caught.value.response["Error"]
    assert error["Code"] == code, error
    if message is not None:
        assert error["Message"] == message
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    return error["Message"]


def create(sfn, name, definition=PASS, **more):
    return sfn.create_state_machine(name=name, definition=definition, roleArn=ROLE, **more)["stateMachineArn"]


# State machines


def test_create_and_describe(sfn, name):
    made = sfn.create_state_machine(name=name, definition=PASS, roleArn=ROLE)
    assert made["stateMachineArn"] == f"{PREFIX}:stateMachine:{name}"
    assert "stateMachineVersionArn" not in made
    seen = sfn.describe_state_machine(stateMachineArn=made["stateMachineArn"])
    del seen["ResponseMetadata"]
    assert seen.pop("creationDate") == made["creationDate"]
    assert seen == {
        "stateMachineArn": made["stateMachineArn"],
        "name": name,
        "status": "ACTIVE",
        "definition": PASS,
        "roleArn": ROLE,
        "type": "STANDARD",
        "loggingConfiguration": {"level": "OFF", "includeExecutionData": False},
        "tracingConfiguration": {"enabled": False},
        "encryptionConfiguration": {"type": "AWS_OWNED_KEY"},
    }


def test_create_is_idempotent_by_text(sfn, name):
    first = sfn.create_state_machine(name=name, definition=PASS, roleArn=ROLE)
    again = sfn.create_state_machine(name=name, definition=PASS, roleArn=ROLE + "-other")
    assert (again["stateMachineArn"], again["creationDate"]) == (first["stateMachineArn"], first["creationDate"])
    refused(
        sfn.create_state_machine,
        "StateMachineAlreadyExists",
        f"State Machine Already Exists: '{first['stateMachineArn']}'",
        name=name,
        definition=PASS.replace(" ", ""),
        roleArn=ROLE,
    )


def test_update_makes_a_revision(sfn, name):
    machine = create(sfn, name)
    updated = sfn.update_state_machine(stateMachineArn=machine, definition=chain(2))
    uuid.UUID(updated["revisionId"])
    seen = sfn.describe_state_machine(stateMachineArn=machine)
    assert (seen["definition"], seen["revisionId"]) == (chain(2), updated["revisionId"])
    same = sfn.update_state_machine(stateMachineArn=machine, definition=chain(2))
    assert same["revisionId"] == updated["revisionId"]
    refused(
        sfn.update_state_machine,
        "MissingRequiredParameter",
        "Either the definition, the role ARN, the LoggingConfiguration, or the TracingConfiguration must be specified",
        stateMachineArn=machine,
    )


def test_running_executions_keep_their_definition(sfn, name):
    machine = create(sfn, name, wait(1))
    execution = sfn.start_execution(stateMachineArn=machine, input='{"n": 1}')["executionArn"]
    sfn.update_state_machine(stateMachineArn=machine, definition=chain(3))
    assert sfn.describe_state_machine_for_execution(executionArn=execution)["definition"] == wait(1)
    assert closed(sfn, execution)["status"] == "SUCCEEDED"
    assert any(event["type"] == "WaitStateEntered" for event in events(sfn, execution))


def test_list_state_machines_in_pages(sfn, name):
    made = {create(sfn, f"{name}-{number}") for number in range(5)}
    found, token = [], {}
    while True:
        page = sfn.list_state_machines(maxResults=2, **token)
        assert len(page["stateMachines"]) <= 2
        found += [machine["stateMachineArn"] for machine in page["stateMachines"]]
        if "nextToken" not in page:
            break
        token = {"nextToken": page["nextToken"]}
    assert len(found) == len(set(found))
    assert made <= set(found)
    refused(sfn.list_state_machines, "InvalidToken", "Invalid Token: 'Invalid token'", nextToken="nonsense")


def test_delete_state_machine(sfn, name):
    machine = create(sfn, name)
    sfn.delete_state_machine(stateMachineArn=machine)
    sfn.delete_state_machine(stateMachineArn=machine)
    gone = f"State Machine Does Not Exist: '{machine}'"
    refused(sfn.start_execution, "StateMachineDoesNotExist", gone, stateMachineArn=machine)

    def described():
        try:
            return sfn.describe_state_machine(stateMachineArn=machine)["status"] != "DELETING"
        except sfn.exceptions.StateMachineDoesNotExist:
            return True

    wait_until("the machine is gone", described)
    refused(sfn.describe_state_machine, "StateMachineDoesNotExist", gone, stateMachineArn=machine)


def test_validate_reports_every_problem(sfn):
    assert sfn.validate_state_machine_definition(definition=PASS)["result"] == "OK"
    states = {"A": {"Type": "Pass", "Next": "B"}, "C": {"Type": "Succeed", "Nonsense": 1}}
    broken = {"StartAt": "A", "States": states}
    answer = sfn.validate_state_machine_definition(definition=text(broken))
    assert answer["result"] == "FAIL"
    found = {(problem["code"], problem["message"], problem.get("location")) for problem in answer["diagnostics"]}
    assert ("MISSING_TRANSITION_TARGET", "Missing 'Next' target: B", "/States/A/Next") in found
    assert any(code == "SCHEMA_VALIDATION_FAILED" and place.startswith("/States/C") for code, _, place in found)


RULE = {"Variable": "$.a", "IsPresent": True, "Next": "Q"}
END = {"E": {"Type": "Succeed"}}


@pytest.mark.parametrize(
    ("definition", "message"),
    [
        (
            "{}",
            "Invalid State Machine Definition: "
            "'SCHEMA_VALIDATION_FAILED: These fields are required: [States, StartAt] at /'",
        ),
        (
            text({"StartAt": "P", "States": {"P": {"Type": "Choice", "Choices": [RULE], "Default": "E"}, **END}}),
            "Invalid State Machine Definition: "
            "'MISSING_TRANSITION_TARGET: Missing 'Next' target: Q at /States/P/Choices[0]/Next'",
        ),
    ],
)
def test_invalid_definitions(sfn, name, definition, message):
    said = refused(sfn.create_state_machine, "InvalidDefinition", name=name, definition=definition, roleArn=ROLE)
    assert said == message


def test_invalid_names_and_arns(sfn):
    refused(
        sfn.create_state_machine,
        "InvalidName",
        "Invalid Name: 'no blanks'",
        name="no blanks",
        definition=PASS,
        roleArn=ROLE,
    )
    refused(
        sfn.describe_state_machine,
        "InvalidArn",
        "Invalid Arn: 'Invalid ARN prefix: nonsense'",
        stateMachineArn="nonsense",
    )
    unknown = f"{PREFIX}:stateMachine:unknown"
    refused(
        sfn.describe_state_machine,
        "StateMachineDoesNotExist",
        f"State Machine Does Not Exist: '{unknown}'",
        stateMachineArn=unknown,
    )


def test_constraints_are_worded_as_on_aws(sfn, name):
    machine = create(sfn, name)
    refused(
        sfn.list_executions,
        "ValidationException",
        "1 validation error detected: Value '1001' at 'maxResults' failed to satisfy constraint: "
        "Member must have value less than or equal to 1000",
        stateMachineArn=machine,
        maxResults=1001,
    )


# Executions


def test_start_describe_and_history(sfn, name):
    machine = create(sfn, name)
    given = '{"answer": [1, 2.50, "ü"]}'
    started = sfn.start_execution(stateMachineArn=machine, name="first", input=given)
    assert started["executionArn"] == f"{PREFIX}:execution:{name}:first"
    state = closed(sfn, started["executionArn"])
    assert state["status"] == "SUCCEEDED"
    assert state["startDate"] == started["startDate"] <= state["stopDate"]
    assert (state["name"], state["stateMachineArn"]) == ("first", machine)
    assert (state["input"], state["output"]) == (given, given)
    assert state["inputDetails"] == state["outputDetails"] == {"included": True}
    assert state["redriveCount"] == 0
    assert state["redriveStatus"] == "NOT_REDRIVABLE"

    found = events(sfn, started["executionArn"])
    assert [(event["id"], event["previousEventId"], event["type"]) for event in found] == [
        (1, 0, "ExecutionStarted"),
        (2, 0, "PassStateEntered"),
        (3, 2, "PassStateExited"),
        (4, 3, "ExecutionSucceeded"),
    ]
    not_truncated = {"truncated": False}
    assert found[0]["executionStartedEventDetails"] == {
        "input": given,
        "inputDetails": not_truncated,
        "roleArn": ROLE,
    }
    assert found[2]["stateExitedEventDetails"] == {"name": "P", "output": given, "outputDetails": not_truncated}
    assert found[3]["executionSucceededEventDetails"] == {"output": given, "outputDetails": not_truncated}


def test_start_is_idempotent_by_name_and_input(sfn, name):
    machine = create(sfn, name, wait(3600))
    first = sfn.start_execution(stateMachineArn=machine, name="one", input='{"n": 1}')
    again = sfn.start_execution(stateMachineArn=machine, name="one", input='{"n": 1}')
    assert (again["executionArn"], again["startDate"]) == (first["executionArn"], first["startDate"])
    taken = f"Execution Already Exists: '{first['executionArn']}'"
    other = {"stateMachineArn": machine, "name": "one", "input": '{"n": 2}'}
    refused(sfn.start_execution, "ExecutionAlreadyExists", taken, **other)
    sfn.stop_execution(executionArn=first["executionArn"])
    same = {"stateMachineArn": machine, "name": "one", "input": '{"n": 1}'}
    refused(sfn.start_execution, "ExecutionAlreadyExists", taken, **same)


def test_start_without_a_name_takes_a_uuid(sfn, name):
    execution = sfn.start_execution(stateMachineArn=create(sfn, name))["executionArn"]
    assert uuid.UUID(execution.rsplit(":", 1)[1]).version == 4
    assert closed(sfn, execution)["input"] == "{}"


def test_start_refuses_broken_input(sfn, name):
    machine = create(sfn, name)
    message = refused(sfn.start_execution, "InvalidExecutionInput", stateMachineArn=machine, input="not json")
    assert message.startswith("Invalid State Machine Execution Input: 'Unrecognized token 'not': was expecting")


def test_stop(sfn, name):
    machine = create(sfn, name, wait(3600))
    execution = sfn.start_execution(stateMachineArn=machine)["executionArn"]
    stopped = sfn.stop_execution(executionArn=execution, error="Enough", cause="a test ends it")
    state = sfn.describe_execution(executionArn=execution)
    assert (state["status"], state["error"], state["cause"]) == ("ABORTED", "Enough", "a test ends it")
    assert state["stopDate"] == stopped["stopDate"]
    last = events(sfn, execution)[-1]
    assert last["type"] == "ExecutionAborted"
    assert last["executionAbortedEventDetails"] == {"error": "Enough", "cause": "a test ends it"}

    silent = sfn.start_execution(stateMachineArn=machine)["executionArn"]
    sfn.stop_execution(executionArn=silent)
    state = sfn.describe_execution(executionArn=silent)
    assert state["status"] == "ABORTED"
    assert "error" not in state and "cause" not in state


def test_failures_carry_error_and_cause(sfn, name):
    fail = {"StartAt": "F", "States": {"F": {"Type": "Fail", "Error": "Bad.Luck", "Cause": "as planned"}}}
    state = closed(sfn, sfn.start_execution(stateMachineArn=create(sfn, name, text(fail)))["executionArn"])
    assert (state["status"], state["error"], state["cause"]) == ("FAILED", "Bad.Luck", "as planned")
    assert "output" not in state


def test_history_in_pages_reversed_and_without_data(sfn, name):
    execution = sfn.start_execution(stateMachineArn=create(sfn, name, chain(20)), input='{"n": 1}')["executionArn"]
    closed(sfn, execution)
    whole = events(sfn, execution)
    assert [event["id"] for event in whole] == list(range(1, 43))
    assert events(sfn, execution, maxResults=5) == whole
    assert events(sfn, execution, maxResults=5, reverseOrder=True) == whole[::-1]
    bare = events(sfn, execution, includeExecutionData=False)
    assert [event["type"] for event in bare] == [event["type"] for event in whole]
    assert bare[1]["stateEnteredEventDetails"] == {"name": "S1"}
    assert bare[0]["executionStartedEventDetails"] == {"roleArn": ROLE}
    refused(
        sfn.get_execution_history,
        "InvalidToken",
        "Invalid Token: 'Invalid token'",
        executionArn=execution,
        nextToken="nonsense",
    )


def test_list_executions(sfn, name):
    machine = create(sfn, name, wait(3600))
    started = [sfn.start_execution(stateMachineArn=machine, name=f"e{n}")["executionArn"] for n in range(5)]
    for execution in started[:2]:
        sfn.stop_execution(executionArn=execution)

    def listed(**filters):
        pages = sfn.get_paginator("list_executions").paginate(
            stateMachineArn=machine, **filters, PaginationConfig={"PageSize": 2}
        )
        return [execution for page in pages for execution in page["executions"]]

    running = listed(statusFilter="RUNNING")
    assert [execution["executionArn"] for execution in running] == started[:1:-1]
    assert {execution["executionArn"] for execution in listed(statusFilter="ABORTED")} == set(started[:2])
    assert {execution["executionArn"] for execution in listed()} == set(started)
    assert listed(statusFilter="SUCCEEDED") == []
    for execution in running:
        assert execution["stateMachineArn"] == machine
        assert "stopDate" not in execution
        sfn.stop_execution(executionArn=execution["executionArn"])


def test_unknown_executions(sfn):
    unknown = f"{PREFIX}:execution:unknown:unknown"
    message = f"Execution Does Not Exist: '{unknown}'"
    for call in (sfn.describe_execution, sfn.get_execution_history, sfn.stop_execution):
        refused(call, "ExecutionDoesNotExist", message, executionArn=unknown)
    unknown = f"{PREFIX}:stateMachine:unknown"
    message = f"State Machine Does Not Exist: '{unknown}'"
    for call in (sfn.start_execution, sfn.list_executions):
        refused(call, "StateMachineDoesNotExist", message, stateMachineArn=unknown)


# Activities


def take(sfn, arn, worker=None):
    """One long poll that must give a task."""
    task = sfn.get_activity_task(activityArn=arn, **({"workerName": worker} if worker else {}))
    assert task.get("taskToken"), task
    return task


def test_activities_are_listed_and_described(sfn, name):
    made = sfn.create_activity(name=name)
    arn = f"{PREFIX}:activity:{name}"
    assert made["activityArn"] == arn
    assert sfn.create_activity(name=name)["creationDate"] == made["creationDate"]
    seen = sfn.describe_activity(activityArn=arn)
    assert (seen["name"], seen["creationDate"]) == (name, made["creationDate"])
    pages = sfn.get_paginator("list_activities").paginate()
    assert arn in [each["activityArn"] for page in pages for each in page["activities"]]
    sfn.delete_activity(activityArn=arn)
    sfn.delete_activity(activityArn=arn)
    refused(sfn.describe_activity, "ActivityDoesNotExist", f"Activity Does Not Exist: '{arn}'", activityArn=arn)
    refused(sfn.get_activity_task, "ActivityDoesNotExist", f"Activity Does Not Exist: '{arn}'", activityArn=arn)


def test_task_success(sfn, name):
    arn = sfn.create_activity(name=name)["activityArn"]
    machine = create(sfn, name, activity(arn))
    execution = sfn.start_execution(stateMachineArn=machine, input='{"n": 1}')["executionArn"]
    task = take(sfn, arn, "tester")
    assert task["input"] == '{"n": 1}'
    sfn.send_task_heartbeat(taskToken=task["taskToken"])
    sfn.send_task_success(taskToken=task["taskToken"], output='{"n": 2}')
    state = closed(sfn, execution)
    assert (state["status"], state["output"]) == ("SUCCEEDED", '{"n": 2}')
    assert [event["type"] for event in events(sfn, execution)] == [
        "ExecutionStarted",
        "TaskStateEntered",
        "ActivityScheduled",
        "ActivityStarted",
        "ActivitySucceeded",
        "TaskStateExited",
        "ExecutionSucceeded",
    ]
    assert await_event(sfn, execution, "ActivityStarted")["activityStartedEventDetails"] == {"workerName": "tester"}
    refused(
        sfn.send_task_success,
        "TaskTimedOut",
        "Task Timed Out: 'Provided task does not exist anymore'",
        taskToken=task["taskToken"],
        output="{}",
    )


def test_task_failure(sfn, name):
    arn = sfn.create_activity(name=name)["activityArn"]
    execution = sfn.start_execution(stateMachineArn=create(sfn, name, activity(arn)))["executionArn"]
    task = take(sfn, arn)
    sfn.send_task_failure(taskToken=task["taskToken"], error="Oven.Cold", cause="no gas")
    state = closed(sfn, execution)
    assert (state["status"], state["error"], state["cause"]) == ("FAILED", "Oven.Cold", "no gas")


def test_a_waiting_poll_gets_the_task(sfn, server, name):
    arn = sfn.create_activity(name=name)["activityArn"]
    machine = create(sfn, name, activity(arn))
    tasks = []
    poll = threading.Thread(target=lambda: tasks.append(take(server.connect(), arn)))
    poll.start()
    execution = sfn.start_execution(stateMachineArn=machine)["executionArn"]
    poll.join(timeout=60)
    sfn.send_task_success(taskToken=tasks[0]["taskToken"], output='"done"')
    assert closed(sfn, execution)["output"] == '"done"'


def test_heartbeats_keep_a_task_and_silence_ends_it(sfn, name):
    arn = sfn.create_activity(name=name)["activityArn"]
    machine = create(sfn, name, activity(arn, HeartbeatSeconds=2, TimeoutSeconds=600))
    execution = sfn.start_execution(stateMachineArn=machine)["executionArn"]
    task = take(sfn, arn)
    sfn.send_task_heartbeat(taskToken=task["taskToken"])
    state = closed(sfn, execution)
    assert (state["status"], state["error"]) == ("FAILED", "States.Timeout")
    assert await_event(sfn, execution, "ActivityTimedOut")["activityTimedOutEventDetails"]["error"] == "States.Timeout"
    refused(sfn.send_task_heartbeat, "TaskTimedOut", taskToken=task["taskToken"])


def test_retry_and_catch(sfn, name):
    arn = sfn.create_activity(name=name)["activityArn"]
    definition = {
        "StartAt": "T",
        "States": {
            "T": {
                "Type": "Task",
                "Resource": arn,
                "Retry": [{"ErrorEquals": ["Again"], "IntervalSeconds": 1, "MaxAttempts": 1}],
                "Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.problem", "Next": "Caught"}],
                "End": True,
            },
            "Caught": {"Type": "Pass", "End": True},
        },
    }
    execution = sfn.start_execution(stateMachineArn=create(sfn, name, text(definition)))["executionArn"]
    tokens = set()
    for _ in range(2):
        token = take(sfn, arn)["taskToken"]
        tokens.add(token)
        sfn.send_task_failure(taskToken=token, error="Again", cause="not yet")
    assert len(tokens) == 2
    state = closed(sfn, execution)
    assert state["status"] == "SUCCEEDED"
    assert json.loads(state["output"]) == {"problem": {"Error": "Again", "Cause": "not yet"}}


def test_broken_tokens_and_outputs(sfn, name):
    invalid = "Invalid Token: 'Invalid token'"
    refused(sfn.send_task_success, "InvalidToken", invalid, taskToken="nonsense", output="{}")
    refused(sfn.send_task_failure, "InvalidToken", invalid, taskToken="nonsense")
    refused(sfn.send_task_heartbeat, "InvalidToken", invalid, taskToken="nonsense")
    arn = sfn.create_activity(name=name)["activityArn"]
    sfn.start_execution(stateMachineArn=create(sfn, name, activity(arn)))
    token = take(sfn, arn)["taskToken"]
    refused(sfn.send_task_success, "InvalidOutput", taskToken=token, output="not json")
    sfn.send_task_success(taskToken=token, output="{}")


# Tags


def test_tags(sfn, name):
    machine = create(sfn, name, tags=[{"key": "team", "value": "shop"}])

    def tags():
        return {tag["key"]: tag["value"] for tag in sfn.list_tags_for_resource(resourceArn=machine)["tags"]}

    assert tags() == {"team": "shop"}
    sfn.tag_resource(resourceArn=machine, tags=[{"key": "stage", "value": "test"}, {"key": "team", "value": "till"}])
    assert tags() == {"team": "till", "stage": "test"}
    sfn.untag_resource(resourceArn=machine, tagKeys=["team", "never-there"])
    assert tags() == {"stage": "test"}
    many = [{"key": f"k{number}", "value": ""} for number in range(50)]
    refused(sfn.tag_resource, "TooManyTags", resourceArn=machine, tags=many)
    refused(sfn.list_tags_for_resource, "ResourceNotFound", resourceArn=f"{PREFIX}:stateMachine:unknown")
