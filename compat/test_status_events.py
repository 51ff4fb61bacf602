"""What EventBridge and CloudWatch Logs, played by moto, are told and asked: status changes, and log groups."""

import json

import boto3
import pytest

from definitions import PASS, text
from server import ACCOUNT, REGION, ROLE, Server, closed, wait_until

FAIL = text({"StartAt": "F", "States": {"F": {"Type": "Fail", "Error": "E", "Cause": "C"}}})
KEYS = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"}


@pytest.fixture(scope="module")
def queue(aws):
    """A queue that gets all events whose source is Step Functions."""
    sqs, events = aws("sqs"), aws("events")
    url = sqs.create_queue(QueueName="status")["QueueUrl"]
    events.put_rule(Name="status", EventPattern=json.dumps({"source": ["aws.states"]}))
    events.put_targets(Rule="status", Targets=[{"Id": "1", "Arn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:status"}])
    return url


def received(aws, queue, count):
    sqs, found = aws("sqs"), []

    def come():
        answer = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)
        for message in answer.get("Messages", []):
            found.append(json.loads(message["Body"]))
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
        return len(found) >= count

    wait_until(f"{count} events have come", come)
    return found


def machine(sfn, name, definition, **more):
    return sfn.create_state_machine(name=name, definition=definition, roleArn=ROLE, **more)["stateMachineArn"]


def test_status_changes_are_told_also_after_a_crash(moto, aws, queue, tmp_path, name):
    """Source of the form: recorded events (base/test_base, test_event_bridge_events_base)."""
    nowhere = {**KEYS, "AWS_ENDPOINT_URL_EVENTBRIDGE": "http://127.0.0.1:9"}
    server = Server(tmp_path, options=["--status-events"], environment=nowhere).start()
    sfn = server.connect()
    fine = sfn.start_execution(stateMachineArn=machine(sfn, name, PASS), name="fine", input='{"a": 1}')["executionArn"]
    failing = sfn.start_execution(stateMachineArn=machine(sfn, f"{name}-f", FAIL), name="failing")["executionArn"]
    closed(sfn, fine), closed(sfn, failing)
    server.kill()
    server.environment = {**KEYS, "AWS_ENDPOINT_URL": moto}
    server.start()
    told = received(aws, queue, 4)
    server.kill()
    assert sorted((event["detail"]["name"], event["detail"]["status"]) for event in told) == [
        ("failing", "FAILED"), ("failing", "RUNNING"), ("fine", "RUNNING"), ("fine", "SUCCEEDED"),
    ]  # fmt: skip
    (event,) = [event for event in told if event["detail"]["status"] == "SUCCEEDED"]
    assert event["detail-type"] == "Step Functions Execution Status Change"
    assert (event["source"], event["resources"]) == ("aws.states", [fine])
    detail = event["detail"]
    assert (detail["input"], detail["output"]) == ('{"a": 1}', '{"a": 1}')
    assert (detail["error"], detail["stateMachineAliasArn"], detail["redriveDate"]) == (None, None, None)
    assert detail["stopDate"] >= detail["startDate"] > 1_700_000_000_000


def test_a_log_group_must_be_there(moto, aws, tmp_path, name):
    """Source of the sentence: recorded answers."""
    options = ["--execution-logs", "cloudwatch"]
    server = Server(tmp_path, options=options, environment={**KEYS, "AWS_ENDPOINT_URL": moto}).start()
    sfn, logs = server.connect(), aws("logs")

    def logging(group):
        arn = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{group}:*"
        return {"level": "ALL", "destinations": [{"cloudWatchLogsLogGroup": {"logGroupArn": arn}}]}

    logs.create_log_group(logGroupName="/there/and-longer")
    with pytest.raises(sfn.exceptions.InvalidLoggingConfiguration) as refused:
        machine(sfn, name, PASS, loggingConfiguration=logging("/there"))
    message = "Invalid Logging Configuration: Log Destination not found."
    assert refused.value.response["Error"]["Message"] == message
    logs.create_log_group(logGroupName="/there")
    arn = machine(sfn, name, PASS, loggingConfiguration=logging("/there"))
    with pytest.raises(sfn.exceptions.InvalidLoggingConfiguration):
        sfn.update_state_machine(stateMachineArn=arn, loggingConfiguration=logging("/gone"))
    sfn.update_state_machine(stateMachineArn=arn, loggingConfiguration=logging("/there/and-longer"))
    server.kill()


def test_other_regions_have_their_own_services(moto, tmp_path, name):
    """Status changes and execution logs go to EventBridge and CloudWatch Logs in the region of the machine."""
    elsewhere = "eu-west-1"

    def client(service):
        keys = {"aws_access_key_id": "key", "aws_secret_access_key": "secret"}
        return boto3.client(service, region_name=elsewhere, endpoint_url=moto, **keys)

    url = client("sqs").create_queue(QueueName="status")["QueueUrl"]
    client("events").put_rule(Name="status", EventPattern=json.dumps({"source": ["aws.states"]}))
    target = {"Id": "1", "Arn": f"arn:aws:sqs:{elsewhere}:{ACCOUNT}:status"}
    client("events").put_targets(Rule="status", Targets=[target])
    client("logs").create_log_group(logGroupName="/states")
    options = ["--status-events", "--execution-logs", "cloudwatch"]
    server = Server(tmp_path, options=options, environment={**KEYS, "AWS_ENDPOINT_URL": moto}).start()
    try:
        sfn = server.connect(elsewhere)
        destination = {"cloudWatchLogsLogGroup": {"logGroupArn": f"arn:aws:logs:{elsewhere}:{ACCOUNT}:log-group:/states:*"}}
        logging = {"level": "ALL", "includeExecutionData": False, "destinations": [destination]}
        arn = machine(sfn, name, PASS, loggingConfiguration=logging)
        execution = sfn.start_execution(stateMachineArn=arn, name="x")["executionArn"]
        told = received(client, url, 2)
        assert {event["region"] for event in told} == {elsewhere}
        assert {event["detail"]["executionArn"] for event in told} == {execution}
        wait_until(
            "the log group has a stream",
            lambda: client("logs").describe_log_streams(logGroupName="/states")["logStreams"],
        )
    finally:
        server.kill()
