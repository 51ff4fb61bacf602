"""TestState through boto3: what recorded cases do not show, or only once."""

import json

import pytest
from botocore.exceptions import ClientError

from definitions import text
from server import ROLE


def state(**fields):
    return text({"End": True, **fields})


TASK = {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "Parameters": {"FunctionName": "f"}}
RETRY = [{"ErrorEquals": ["E"], "IntervalSeconds": 3, "MaxAttempts": 2, "BackoffRate": 2}]
CATCH = [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": "Handle"}]


def test_stages_of_a_task(sfn):
    answer = sfn.test_state(
        definition=state(**TASK, InputPath="$.a", ResultSelector={"x.$": "$.StatusCode"}, ResultPath="$.r"),
        input='{"a": {"b": 1}}',
        inspectionLevel="DEBUG",
        mock={"result": '{"StatusCode": 200}'},
    )
    assert (answer["status"], json.loads(answer["output"])) == ("SUCCEEDED", {"a": {"b": 1}, "r": {"x": 200}})
    data = {name: json.loads(stage) for name, stage in answer["inspectionData"].items()}
    assert data == {
        "input": {"a": {"b": 1}},
        "afterInputPath": {"b": 1},
        "afterParameters": {"FunctionName": "f"},
        "result": {"StatusCode": 200},
        "afterResultSelector": {"x": 200},
        "afterResultPath": {"a": {"b": 1}, "r": {"x": 200}},
    }


@pytest.mark.parametrize(
    ("retries", "status", "details"),
    [
        (0, "RETRIABLE", {"retryIndex": 0, "retryBackoffIntervalSeconds": 3}),
        (1, "RETRIABLE", {"retryIndex": 0, "retryBackoffIntervalSeconds": 6}),
        (2, "CAUGHT_ERROR", {"catchIndex": 0}),
    ],
)
def test_retriers_come_before_catchers(sfn, retries, status, details):
    answer = sfn.test_state(
        definition=state(**TASK, Retry=RETRY, Catch=CATCH),
        mock={"errorOutput": {"error": "E", "cause": "C"}},
        stateConfiguration={"retrierRetryCount": retries},
        inspectionLevel="TRACE",
    )
    assert (answer["status"], answer["error"], answer["cause"]) == (status, "E", "C")
    assert answer["inspectionData"]["errorDetails"] == details
    if status == "CAUGHT_ERROR":
        assert answer["nextState"] == "Handle"
        assert json.loads(answer["output"]) == {"error": {"Error": "E", "Cause": "C"}}


def test_failures_of_expressions_keep_the_stages_before(sfn):
    answer = sfn.test_state(
        definition=state(Type="Pass", InputPath="$.a", Parameters={"x.$": "$.missing"}),
        input='{"a": {}}',
        inspectionLevel="DEBUG",
    )
    assert (answer["status"], answer["error"]) == ("FAILED", "States.Runtime")
    assert "'$.missing' specified for the field 'x.$' could not be found" in answer["cause"]
    assert answer["inspectionData"] == {"input": '{"a": {}}', "afterInputPath": "{}"}


def test_variables_that_were_given_and_assigned(sfn):
    answer = sfn.test_state(
        definition=state(Type="Pass", QueryLanguage="JSONata", Assign={"b": "{% $a + 1 %}"}, Output="{% $a %}"),
        variables='{"a": 1}',
        inspectionLevel="DEBUG",
    )
    assert (answer["output"], json.loads(answer["inspectionData"]["variables"])) == ("1", {"a": 1, "b": 2})


def test_a_map_with_a_selector(sfn):
    processor = {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}
    answer = sfn.test_state(
        definition=state(
            Type="Map", ItemsPath="$.items", ItemProcessor=processor, MaxConcurrency=2,
            ItemSelector={"at.$": "$$.Map.Item.Index", "of.$": "$.name"},
        ),
        input='{"name": "n", "items": [7, 8]}',
        inspectionLevel="DEBUG",
        mock={"result": "[1, 2]"},
    )  # fmt: skip
    data = answer["inspectionData"]
    assert (answer["output"], data["maxConcurrency"], data["afterItemsPath"]) == ("[1, 2]", 2, "[7, 8]")
    assert json.loads(data["afterItemSelector"]) == [{"at": 0, "of": "n"}, {"at": 1, "of": "n"}]


def test_a_map_with_what_its_reader_is_taken_to_have_read(sfn):
    processor = {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
        "StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}},
    }
    reader = {
        "Resource": "arn:aws:states:::s3:getObject", "Parameters": {"Bucket": "b", "Key.$": "$.key"},
        "ReaderConfig": {"InputType": "JSON", "ItemsPointer": "/items"},
    }
    test = {
        "definition": state(
            Type="Map", ItemProcessor=processor, ItemReader=reader, ItemBatcher={"MaxItemsPerBatch": 2},
            ItemSelector={"of.$": "$$.Map.Item.Source", "v.$": "$$.Map.Item.Value"}, ToleratedFailureCount=1,
        ),
        "input": '{"key": "k"}', "mock": {"result": "[]"}, "inspectionLevel": "DEBUG",
    }
    data = '{"items": [1, 2, 3]}'
    answer = sfn.test_state(**test, stateConfiguration={"mapItemReaderData": data, "mapIterationFailureCount": 2})
    assert answer["error"] == "States.ExceedToleratedFailureThreshold"
    stages = answer["inspectionData"]
    items = [{"of": "S3://b/k", "v": v} for v in (1, 2, 3)]
    assert json.loads(stages["afterItemsPointer"]) == [1, 2, 3]
    assert json.loads(stages["afterItemSelector"]) == items
    assert json.loads(stages["afterItemBatcher"]) == [{"Items": items[:2]}, {"Items": items[2:]}]
    with pytest.raises(ClientError, match="less than or equal to the number of Map iterations"):
        sfn.test_state(**test, stateConfiguration={"mapItemReaderData": data, "mapIterationFailureCount": 4})


def test_a_wait_is_waited_for(sfn):
    answer = sfn.test_state(definition=text({"Type": "Wait", "Seconds": 1, "Next": "N"}), input='{"a": 1}')
    assert (answer["status"], answer["output"], answer["nextState"]) == ("SUCCEEDED", '{"a": 1}', "N")


def test_parameters_that_cannot_be_sent(sfn):
    """As in an execution (test_aws_services.py)."""
    task = {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "Parameters": {"FunctionName": "f", "Foo": 1}}
    answer = sfn.test_state(definition=state(**task), roleArn=ROLE, inspectionLevel="DEBUG")
    assert (answer["status"], answer["error"]) == ("FAILED", "States.Runtime")
    assert answer["cause"] == (
        "An error occurred while executing the state 'StateName' (entered at the event id #2). The Parameters "
        '\'{"FunctionName":"f","Foo":1}\' could not be used to start the Task: [The field "Foo" is not supported by Step Functions]'
    )


def test_a_task_without_a_mock_is_run(sfn):
    # Nothing answers for Lambda here: that the call was made shows in how it failed.
    answer = sfn.test_state(definition=state(**TASK), roleArn=ROLE)
    assert answer["status"] == "FAILED" and answer["error"]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ({"definition": "{}"}, "InvalidDefinition", "These fields are required: [Type]"),
        ({"definition": "nonsense"}, "InvalidDefinition", "INVALID_JSON_DESCRIPTION: Unrecognized token 'nonsense'"),
        ({"definition": state(Type="Pass"), "input": "{"}, "InvalidExecutionInput", "Unexpected end-of-input"),
        ({"definition": state(Type="Pass"), "variables": "[]"}, "ValidationException", "Variables must be a JSON object"),
        (
            {"definition": state(Type="Task", Resource="arn:aws:states:us-east-1:1:activity:a"), "roleArn": ROLE},
            "InvalidDefinition",
            "does not support Activity tasks",
        ),
        (
            {"definition": state(Type="Task", Resource="arn:aws:states:::aws-sdk:sqs:noSuchAction"), "roleArn": ROLE},
            "InvalidDefinition",
            "aws-sdk:sqs:noSuchAction is not recognized",
        ),
        (
            {"definition": state(Type="Pass"), "context": "{}"},
            "ValidationException",
            "TestState does not support Context when a mock is not specified.",
        ),
    ],
)
def test_refusals(sfn, arguments, code, message):
    with pytest.raises(ClientError) as caught:
        sfn.test_state(**arguments)
    error = caught.value.response["Error"]
    assert error["Code"] == code and message in error["Message"], error
