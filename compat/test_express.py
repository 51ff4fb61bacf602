"""Express state machines through boto3: started and waited for or not, and what they do not support."""

import json

import pytest
from botocore.exceptions import ClientError

from definitions import PASS, text
from server import ROLE


def create(sfn, name, definition=PASS):
    return sfn.create_state_machine(name=name, definition=definition, roleArn=ROLE, type="EXPRESS")["stateMachineArn"]


def test_waited_for(sfn, name):
    arn = create(sfn, name)
    answer = sfn.start_sync_execution(stateMachineArn=arn, name="n", input='{"a": 1}')
    assert answer["status"] == "SUCCEEDED"
    assert answer["executionArn"].startswith(arn.replace(":stateMachine:", ":express:") + ":n:")
    assert answer["input"] == '{"a": 1}'
    assert answer["billingDetails"] == {"billedMemoryUsedInMB": 64, "billedDurationInMilliseconds": 100}
    bare = sfn.start_sync_execution(stateMachineArn=arn, includedData="METADATA_ONLY")
    assert "output" not in bare and bare["outputDetails"] == {"included": False}


def test_a_failure_is_an_answer(sfn, name):
    failing = text({"StartAt": "F", "States": {"F": {"Type": "Fail", "Error": "E", "Cause": "C"}}})
    answer = sfn.start_sync_execution(stateMachineArn=create(sfn, name, failing))
    assert (answer["status"], answer["error"], answer["cause"]) == ("FAILED", "E", "C")
    assert "output" not in answer and answer["outputDetails"] == {"included": True}


def test_not_waited_for(sfn, name):
    arn = create(sfn, name)
    first = sfn.start_execution(stateMachineArn=arn, name="same")["executionArn"]
    second = sfn.start_execution(stateMachineArn=arn, name="same")["executionArn"]
    assert first != second
    for call in (sfn.describe_execution, sfn.get_execution_history, sfn.stop_execution, sfn.redrive_execution):
        with pytest.raises(ClientError) as caught:
            call(executionArn=first)
        assert caught.value.response["Error"]["Code"] == "InvalidArn"
        assert caught.value.response["Error"]["Message"].endswith("Resource type not valid in this context: express'")


def test_what_express_forbids(sfn, name):
    distributed = {
        "StartAt": "M",
        "States": {
            "M": {
                "Type": "Map",
                "ItemProcessor": {
                    "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "EXPRESS"},
                    **json.loads(PASS),
                },
                "End": True,
            }
        },
    }
    with pytest.raises(ClientError) as caught:
        create(sfn, name, text(distributed))
    assert caught.value.response["Error"]["Code"] == "InvalidDefinition"
