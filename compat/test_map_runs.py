"""Map Runs through boto3: what the API shows of them, and kill -9 at random moments of one.

STEPWELL_CRASH_ROUNDS says how often it is killed (`make crash`: 20), STEPWELL_CRASH_SEED repeats the moments of a run.
"""

import json
import os
import random
import time

import botocore.exceptions
import pytest

from definitions import text
from server import ROLE, Server, closed, events, wait_until

ROUNDS = min(int(os.environ.get("STEPWELL_CRASH_ROUNDS", "4")), 20)
SEED = os.environ.get("STEPWELL_CRASH_SEED") or str(random.SystemRandom().randrange(1_000_000))

PASS = {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}
WAIT = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 1, "End": True}}}
LONG = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 3600, "End": True}}}


def distributed(processor, kind="STANDARD", **fields):
    mode = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": kind}}
    state = {"Type": "Map", "Label": "Rows", "ItemProcessor": {**mode, **processor}, "End": True, **fields}
    return text({"StartAt": "M", "States": {"M": state}})


def start(client, name, definition, value):
    machine = client.create_state_machine(name=name, definition=definition, roleArn=ROLE)["stateMachineArn"]
    return client.start_execution(stateMachineArn=machine, name="x", input=json.dumps(value))["executionArn"]


def map_run(client, execution):
    runs = wait_until("there is a Map Run", lambda: client.list_map_runs(executionArn=execution)["mapRuns"])
    return runs[0]["mapRunArn"]


def children(client, run, **filters):
    pages = client.get_paginator("list_executions").paginate(mapRunArn=run, **filters)
    return [child for page in pages for child in page["executions"]]


def test_what_the_api_shows(sfn):
    client = sfn
    execution = start(client, "map-run-shown", distributed(PASS, ItemBatcher={"MaxItemsPerBatch": 2}), [1, 2, 3])
    assert json.loads(closed(client, execution)["output"]) == [{"Items": [1, 2]}, {"Items": [3]}]
    run = map_run(client, execution)
    described = client.describe_map_run(mapRunArn=run)
    assert described["status"] == "SUCCEEDED" and described["executionArn"] == execution
    assert (described["itemCounts"]["succeeded"], described["executionCounts"]["succeeded"]) == (3, 2)
    found = children(client, run)
    assert sorted(child["itemCount"] for child in found) == [1, 2]
    assert {child["mapRunArn"] for child in found} == {run}
    child = client.describe_execution(executionArn=found[0]["executionArn"])
    assert child["mapRunArn"] == run and child["stateMachineArn"].endswith("stateMachine:map-run-shown/Rows")
    machine = client.describe_state_machine_for_execution(executionArn=child["executionArn"])
    assert (machine["mapRunArn"], machine["label"]) == (run, "Rows")
    labelled = client.describe_state_machine(stateMachineArn=machine["stateMachineArn"], includedData="METADATA_ONLY")
    for member in ["stateMachineArn", "name", "label", "definition", "roleArn"]:
        assert labelled[member] == machine[member], member
    assert (labelled["type"], labelled["status"]) == ("STANDARD", "ACTIVE")
    with pytest.raises(client.exceptions.StateMachineDoesNotExist):
        client.describe_state_machine(stateMachineArn=machine["stateMachineArn"] + "x")
    assert [event["type"] for event in events(client, child["executionArn"])] == [
        "ExecutionStarted", "PassStateEntered", "PassStateExited", "ExecutionSucceeded",
    ]  # fmt: skip
    assert children(client, run, statusFilter="FAILED") == []
    assert len(children(client, run, redriveFilter="NOT_REDRIVEN")) == 2
    assert children(client, run, statusFilter="PENDING_REDRIVE") == []


def test_express_children_are_described(sfn):
    """Source: API reference, DescribeExecution: of Express executions those that a Map Run has started."""
    config = {"WriterConfig": {"Transformation": "NONE", "OutputType": "JSON"}}
    definition = distributed(PASS, kind="EXPRESS", ResultWriter=config)
    execution = start(sfn, "map-run-express", definition, [1, {"a": 2}])
    found = json.loads(closed(sfn, execution)["output"])
    for entry in found:
        child = sfn.describe_execution(executionArn=entry["ExecutionArn"])
        assert (child["status"], child["input"], child["output"]) == ("SUCCEEDED", entry["Input"], entry["Output"])
        assert (child["mapRunArn"], child["name"]) == (map_run(sfn, execution), entry["Name"])
        assert child["redriveStatus"] == "NOT_REDRIVABLE"
        for refused in [sfn.get_execution_history, sfn.stop_execution, sfn.redrive_execution]:
            with pytest.raises(sfn.exceptions.InvalidArn, match="Resource type not valid in this context: express"):
                refused(executionArn=entry["ExecutionArn"])
    run = map_run(sfn, execution)
    listed = children(sfn, run, maxResults=1)
    assert [child["executionArn"] for child in listed] == [entry["ExecutionArn"] for entry in reversed(found)]
    for child in listed:
        described = sfn.describe_execution(executionArn=child["executionArn"])
        for key in ["name", "status", "startDate", "stopDate", "stateMachineArn", "mapRunArn"]:
            assert child[key] == described[key]
        assert (child["itemCount"], child["redriveCount"]) == (1, 0)
    assert children(sfn, run, statusFilter="SUCCEEDED") == listed
    assert children(sfn, run, statusFilter="RUNNING") == children(sfn, run, redriveFilter="REDRIVEN") == []
    with pytest.raises(sfn.exceptions.ExecutionDoesNotExist):
        sfn.describe_execution(executionArn=found[0]["ExecutionArn"][:-1] + "x")


def test_one_that_runs_is_updated_and_stopped(sfn):
    client = sfn
    execution = start(client, "map-run-updated", distributed(LONG, MaxConcurrency=1), [1, 2, 3])
    run = map_run(client, execution)

    def running(count):
        return lambda: client.describe_map_run(mapRunArn=run)["itemCounts"]["running"] == count

    wait_until("one runs", running(1))
    client.update_map_run(mapRunArn=run, maxConcurrency=2, toleratedFailurePercentage=12.5, toleratedFailureCount=1)
    wait_until("two run", running(2))
    described = client.describe_map_run(mapRunArn=run)
    assert (described["maxConcurrency"], described["toleratedFailurePercentage"]) == (2, 12.5)
    assert described["itemCounts"]["pending"] == 1
    client.stop_execution(executionArn=execution)
    wait_until("it has ended", lambda: client.describe_map_run(mapRunArn=run)["status"] == "ABORTED")
    assert {child["status"] for child in children(client, run)} == {"ABORTED"}
    with pytest.raises(botocore.exceptions.ClientError) as refused:
        client.update_map_run(mapRunArn=run, maxConcurrency=3)
    assert refused.value.response["reason"] == "CANNOT_UPDATE_COMPLETED_MAP_RUN"
    with pytest.raises(botocore.exceptions.ClientError) as refused:
        client.redrive_execution(executionArn=children(client, run)[0]["executionArn"])
    assert refused.value.response["Error"]["Code"] == "ExecutionNotRedrivable"


@pytest.mark.parametrize("kind", ["STANDARD", "EXPRESS"])
def test_kill_9_in_the_middle(tmp_path, capsys, kind):
    dice = random.Random(f"{SEED} {kind}")
    rows = 100 * ROUNDS
    bucket = tmp_path / "bucket"
    bucket.mkdir()
    (bucket / "rows.csv").write_text("n\n" + "".join(f"{number}\n" for number in range(rows)))
    (tmp_path / "stepwell.toml").write_text(f'[map]\nfile_roots = ["{tmp_path}"]\n')
    server = Server(tmp_path, options=["--config", str(tmp_path / "stepwell.toml")])
    reader = {
        "Resource": "arn:aws:states:::s3:getObject",
        "Parameters": {"Bucket": f"file://{bucket}", "Key": "rows.csv"},
        "ReaderConfig": {"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW"},
    }
    with capsys.disabled():
        print(f"\nSTEPWELL_CRASH_SEED={SEED}, {ROUNDS} rounds, {kind}")
    try:
        client = server.start().connect()
        definition = distributed(WAIT, kind, MaxConcurrency=50, ItemReader=reader)
        execution = start(client, "map-run-killed", definition, {})
        for _ in range(ROUNDS):
            time.sleep(dice.uniform(0.0, 1.2))
            server.kill()
            client = server.start().connect()
        ended = closed(client, execution)
        assert ended["status"] == "SUCCEEDED", ended
        assert [int(row["n"]) for row in json.loads(ended["output"])] == list(range(rows))
        run = map_run(client, execution)
        counts = client.describe_map_run(mapRunArn=run)["itemCounts"]
        assert (counts["succeeded"], counts["total"], counts["running"]) == (rows, rows, 0)
        if kind == "STANDARD":
            inputs = []
            for child in children(client, run):
                inputs.append(json.loads(client.describe_execution(executionArn=child["executionArn"])["input"])["n"])
            assert sorted(map(int, inputs)) == list(range(rows)), "each was started once"
        assert server.stop() == 0, server.log
        assert "panicked" not in server.log
    finally:
        server.kill()
