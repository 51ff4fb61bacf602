"""Execution logs in files: AWS's records, at least once over kill -9."""

import collections
import json
import threading

from botocore.exceptions import BotoCoreError, ClientError

from definitions import PASS
from server import ROLE, closed, events, wait_until

GROUP = "arn:aws:logs:us-east-1:123456789012:log-group:/aws/vendedlogs/states/compat:*"


def create(sfn, name, level, definition=PASS, **more):
    logging = {
        "level": level,
        "includeExecutionData": True,
        "destinations": [{"cloudWatchLogsLogGroup": {"logGroupArn": GROUP}}],
    }
    given = {"name": name, "definition": definition, "roleArn": ROLE, "loggingConfiguration": logging}
    return sfn.create_state_machine(**given, **more)["stateMachineArn"]


def logged(server):
    """Ids of logged events by execution, in the order of the file."""
    file = server.folder / "data" / "logs" / "aws.vendedlogs.states.compat.log"
    found = collections.defaultdict(list)
    if file.exists():
        for line in file.read_text().splitlines():
            record = json.loads(line)
            found[record["execution_arn"]].append(record)
    return found


def test_each_event_is_a_record(own_server, name):
    sfn = own_server.start().connect()
    execution = sfn.start_execution(stateMachineArn=create(sfn, name, "ALL"), input='{"a": 1}')["executionArn"]
    closed(sfn, execution)
    records = wait_until("all is logged", lambda: (found := logged(own_server)[execution]) and len(found) == 4 and found)
    assert [record["type"] for record in records] == [event["type"] for event in events(sfn, execution)]
    assert records[0] == {
        "id": "1",
        "type": "ExecutionStarted",
        "details": {"input": '{"a": 1}', "inputDetails": {"truncated": False}, "roleArn": ROLE},
        "previous_event_id": "0",
        "event_timestamp": records[0]["event_timestamp"],
        "execution_arn": execution,
        "redrive_count": "0",
    }


def test_an_express_execution_names_the_version_it_was_started_through(own_server, name):
    sfn = own_server.start().connect()
    version = create(sfn, name, "ALL", type="EXPRESS", publish=True) + ":1"
    execution = sfn.start_execution(stateMachineArn=version)["executionArn"]
    records = wait_until("the start is logged", lambda: logged(own_server)[execution])
    assert records[0]["details"]["stateMachineVersionArn"] == version


def test_nothing_is_lost_over_kill_9(own_server, name):
    sfn = own_server.start().connect()
    arn = create(sfn, name, "ALL")
    answered = []

    def start():
        client = own_server.connect()
        try:
            while True:
                answered.append(client.start_execution(stateMachineArn=arn)["executionArn"])
        except (BotoCoreError, ClientError):
            return  # The server is gone.

    for _ in range(3):
        workers = [threading.Thread(target=start) for _ in range(4)]
        before = len(answered)
        for worker in workers:
            worker.start()
        wait_until("some have started", lambda: len(answered) > before + 200)
        own_server.kill()
        for worker in workers:
            worker.join()
        own_server.start()

    def missing():
        found = logged(own_server)
        return [one for one in answered if {record["id"] for record in found[one]} != {"1", "2", "3", "4"}]

    wait_until("every event of every answered execution is logged", lambda: not missing())
    assert len(answered) > 600
    # What comes twice is what was under way when the server was killed, not everything.
    twice = sum(len(records) > 4 for records in logged(own_server).values())
    assert twice < len(answered) / 2, twice
