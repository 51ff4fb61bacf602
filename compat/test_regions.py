"""Several regions and accounts on one server: what is made where, who sees it, and who reaches it.

A call is of the region that it is signed for; an access key id of twelve digits names the account.
"""

import json
import subprocess
import urllib.error
import urllib.request

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from definitions import PASS, activity, text, wait
from server import ACCOUNT, DEADLINE_SECONDS, REGION, ROLE, Server, await_event, closed, events, wait_until
from test_cli import aws as cli
from test_data import data

OTHER_ACCOUNT = "111122223333"
# Region and access key id, and whose that is.
PLACES = {
    (REGION, "compat"): (REGION, ACCOUNT),
    ("eu-west-1", "compat"): ("eu-west-1", ACCOUNT),
    (REGION, OTHER_ACCOUNT): (REGION, OTHER_ACCOUNT),
    ("eu-west-1", OTHER_ACCOUNT): ("eu-west-1", OTHER_ACCOUNT),
}


def prefix(place):
    region, account = place
    return f"arn:aws:states:{region}:{account}"


def create(sfn, name, definition, **more):
    return sfn.create_state_machine(name=name, definition=definition, roleArn=ROLE, **more)["stateMachineArn"]


def machines(sfn):
    return [each["stateMachineArn"] for each in sfn.list_state_machines()["stateMachines"]]


def activities(sfn):
    return [each["activityArn"] for each in sfn.list_activities()["activities"]]


@pytest.fixture
def clients(own_server):
    own_server.start()
    return {place: own_server.connect(*how) for how, place in PLACES.items()}


def again(server):
    server.kill()
    server.start()
    return {place: server.connect(*how) for how, place in PLACES.items()}


def test_the_same_names_everywhere(own_server, clients):
    for place, sfn in clients.items():
        arn = create(sfn, "m", wait(2))
        assert arn == f"{prefix(place)}:stateMachine:m"
        bell = sfn.create_activity(name="bell")["activityArn"]
        assert bell == f"{prefix(place)}:activity:bell"
        create(sfn, "ringer", activity(bell))
        started = sfn.start_execution(stateMachineArn=arn, name="x", input=json.dumps(place))["executionArn"]
        assert started == f"{prefix(place)}:execution:m:x"
        sfn.start_execution(stateMachineArn=f"{prefix(place)}:stateMachine:ringer", name="x", input=json.dumps(place))

    clients = again(own_server)
    for place, sfn in clients.items():
        assert machines(sfn) == [f"{prefix(place)}:stateMachine:m", f"{prefix(place)}:stateMachine:ringer"]
        assert activities(sfn) == [f"{prefix(place)}:activity:bell"]
        assert json.loads(closed(sfn, f"{prefix(place)}:execution:m:x")["output"]) == list(place)
        task = sfn.get_activity_task(activityArn=f"{prefix(place)}:activity:bell")
        assert json.loads(task["input"]) == list(place)
        sfn.send_task_success(taskToken=task["taskToken"], output='"rung"')
        assert closed(sfn, f"{prefix(place)}:execution:ringer:x")["output"] == '"rung"'

    # What one deletes, the others keep.
    (gone, sfn), *rest = clients.items()
    sfn.delete_state_machine(stateMachineArn=f"{prefix(gone)}:stateMachine:m")
    sfn.delete_activity(activityArn=f"{prefix(gone)}:activity:bell")
    clients = again(own_server)
    assert f"{prefix(gone)}:stateMachine:m" not in machines(clients[gone]) and activities(clients[gone]) == []
    for place, _ in rest:
        assert f"{prefix(place)}:stateMachine:m" in machines(clients[place])
        assert activities(clients[place]) == [f"{prefix(place)}:activity:bell"]


def test_versions_aliases_map_runs_and_tags(own_server, clients):
    mode = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}}
    identity = {"StartAt": "P", "States": {"P": {"Type": "Pass", "Parameters": {"at.$": "$$.StateMachine.Id"}, "End": True}}}
    state = {"Type": "Map", "Label": "Rows", "ItemProcessor": {**mode, **identity}, "End": True}
    definition = text({"StartAt": "M", "States": {"M": state}})
    for place, sfn in clients.items():
        arn = create(sfn, "m", definition, publish=True, tags=[{"key": "at", "value": place[0]}])
        routes = [{"stateMachineVersionArn": f"{arn}:1", "weight": 100}]
        alias = sfn.create_state_machine_alias(name="PROD", routingConfiguration=routes)["stateMachineAliasArn"]
        assert alias == f"{prefix(place)}:stateMachine:m:PROD"
        sfn.start_execution(stateMachineArn=alias, name="x", input="[1, 2]")

    clients = again(own_server)
    for place, sfn in clients.items():
        machine, execution = f"{prefix(place)}:stateMachine:m", f"{prefix(place)}:execution:m:x"
        state = closed(sfn, execution)
        assert (state["stateMachineAliasArn"], state["stateMachineVersionArn"]) == (f"{machine}:PROD", f"{machine}:1")
        assert json.loads(state["output"]) == [{"at": f"{machine}/Rows"}] * 2
        (run,) = sfn.list_map_runs(executionArn=execution)["mapRuns"]
        assert run["mapRunArn"].startswith(f"{prefix(place)}:mapRun:m/Rows:")
        children = sfn.list_executions(mapRunArn=run["mapRunArn"])["executions"]
        assert {child["executionArn"].rsplit(":", 1)[0] for child in children} == {f"{prefix(place)}:execution:m/Rows"}
        assert len(sfn.list_state_machine_versions(stateMachineArn=machine)["stateMachineVersions"]) == 1
        assert len(sfn.list_state_machine_aliases(stateMachineArn=machine)["stateMachineAliases"]) == 1
        assert sfn.list_tags_for_resource(resourceArn=machine)["tags"] == [{"key": "at", "value": place[0]}]


def test_express_children_and_executions(clients):
    sfn = clients["eu-west-1", OTHER_ACCOUNT]
    express = create(sfn, "e", PASS, type="EXPRESS")
    done = sfn.start_sync_execution(stateMachineArn=express, name="x")
    assert done["executionArn"].startswith(f"arn:aws:states:eu-west-1:{OTHER_ACCOUNT}:express:e:x:")
    mode = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "EXPRESS"}}
    state = {"Type": "Map", "Label": "Rows", "ItemProcessor": {**mode, **json.loads(PASS)}, "End": True}
    machine = create(sfn, "m", text({"StartAt": "M", "States": {"M": state}}))
    execution = sfn.start_execution(stateMachineArn=machine, name="x", input="[1]")["executionArn"]
    assert closed(sfn, execution)["output"] == "[1]"


def test_an_arn_is_found_from_everywhere(clients):
    there, here = clients["eu-west-1", OTHER_ACCOUNT], clients[REGION, ACCOUNT]
    arn = create(there, "m", PASS)
    assert machines(here) == []
    assert here.describe_state_machine(stateMachineArn=arn)["name"] == "m"
    execution = here.start_execution(stateMachineArn=arn)["executionArn"]
    assert execution.startswith(f"arn:aws:states:eu-west-1:{OTHER_ACCOUNT}:execution:m:")
    assert closed(here, execution)["status"] == "SUCCEEDED"
    assert [each["executionArn"] for each in there.list_executions(stateMachineArn=arn)["executions"]] == [execution]
    # But not by a part of it.
    with pytest.raises(ClientError) as refused:
        here.start_execution(stateMachineArn=f"{prefix((REGION, ACCOUNT))}:stateMachine:m")
    assert refused.value.response["Error"]["Code"] == "StateMachineDoesNotExist"


def nested(how, **parameters):
    task = {"Type": "Task", "Resource": f"arn:aws:states:::{how}", "Parameters": parameters, "End": True}
    return task


def test_one_starts_another_elsewhere(own_server, clients):
    """As recorded from AWS across accounts (credentials/test_credentials_base): the execution is the other account's."""
    there, here = clients["eu-west-1", OTHER_ACCOUNT], clients[REGION, ACCOUNT]
    inner = create(there, "inner", wait(1))
    start = nested("states:startExecution.sync:2", StateMachineArn=inner, Name="x", Input={"a": 1})
    start["Credentials"] = {"RoleArn": f"arn:aws:iam::{OTHER_ACCOUNT}:role/r"}
    outer = create(here, "outer", text({"StartAt": "T", "States": {"T": start}}))
    execution = here.start_execution(stateMachineArn=outer, name="x")["executionArn"]
    await_event(here, execution, "TaskSubmitted")
    clients = again(own_server)
    here = clients[REGION, ACCOUNT]
    output = json.loads(closed(here, execution)["output"])
    assert (output["ExecutionArn"], output["Output"]) == (
        f"arn:aws:states:eu-west-1:{OTHER_ACCOUNT}:execution:inner:x",
        {"a": 1},
    )
    (scheduled,) = [event for event in events(here, execution) if event["type"] == "TaskScheduled"]
    assert scheduled["taskScheduledEventDetails"]["region"] == REGION


def test_tasks_that_call_the_api_are_of_their_machine(clients):
    """`aws-sdk:sfn` stays in the server, in the machine's region and account; a role in `Credentials` brings its own."""
    listing = text({"StartAt": "T", "States": {"T": nested("aws-sdk:sfn:listStateMachines")}})
    for place, sfn in clients.items():
        execution = sfn.start_execution(stateMachineArn=create(sfn, "lister", listing))["executionArn"]
        state = closed(sfn, execution)
        assert state["status"] == "SUCCEEDED", state
        found = [each["StateMachineArn"] for each in json.loads(state["output"])["StateMachines"]]
        assert found == [f"{prefix(place)}:stateMachine:lister"]


def test_unsigned_calls_and_odd_regions(own_server, clients):
    unsigned = boto3.client(
        "stepfunctions",
        endpoint_url=own_server.endpoint,
        region_name="eu-west-1",
        config=Config(signature_version=UNSIGNED, inject_host_prefix=False),
    )
    assert create(unsigned, "m", PASS) == f"{prefix((REGION, ACCOUNT))}:stateMachine:m"
    assert machines(clients[REGION, ACCOUNT]) == machines(unsigned)
    assert create(own_server.connect("local"), "m", PASS) == f"{prefix(('local', ACCOUNT))}:stateMachine:m"
    china = create(own_server.connect("cn-north-1"), "m", PASS)
    assert china == f"arn:aws-cn:states:cn-north-1:{ACCOUNT}:stateMachine:m"
    # What no SDK would send.
    request = urllib.request.Request(own_server.endpoint, data=b"{}", method="POST")
    request.add_header("X-Amz-Target", "AWSStepFunctions.ListStateMachines")
    scope = "AKID/20260314/eu_west/states/aws4_request"
    request.add_header("Authorization", f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=00")
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=30)
    assert json.load(refused.value) == {
        "__type": "InvalidSignatureException",
        "message": "Credential should be scoped to a valid region, not 'eu_west'.",
    }


def test_a_server_may_keep_to_its_own_region(tmp_path):
    server = Server(tmp_path, options=["--single-region"]).start()
    try:
        for region, key in PLACES:
            sfn = server.connect(region, key)
            assert create(sfn, "m", PASS) == f"{prefix((REGION, ACCOUNT))}:stateMachine:m"
            assert machines(sfn) == [f"{prefix((REGION, ACCOUNT))}:stateMachine:m"]
    finally:
        server.kill()


def test_quotas_are_of_each(tmp_path):
    limits = tmp_path / "stepwell.toml"
    limits.write_text("[limits]\nstate_machines = 1\n[limits.throttle]\nListActivities = { bucket = 1, refill = 1 }\n")
    server = Server(tmp_path, options=["--config", str(limits)]).start()
    try:
        for region, key in PLACES:
            sfn = server.connect(region, key)
            create(sfn, "m", PASS)
            with pytest.raises(ClientError) as refused:
                create(sfn, "n", PASS)
            assert refused.value.response["Error"]["Code"] == "StateMachineLimitExceeded"
            activities(sfn)
    finally:
        server.kill()


def test_the_cli(own_server, clients):
    for region in (REGION, "eu-west-1"):
        arn = cli(
            own_server, "create-state-machine", "--name", "m", "--definition", PASS, "--role-arn", ROLE, region=region
        )["stateMachineArn"]
        assert arn == f"{prefix((region, ACCOUNT))}:stateMachine:m"
    listed = cli(own_server, "list-state-machines", region="eu-west-1")["stateMachines"]
    assert [each["stateMachineArn"] for each in listed] == [arn]
    assert cli(own_server, "list-state-machines", region="eu-west-1", key=OTHER_ACCOUNT)["stateMachines"] == []
    started = cli(own_server, "start-execution", "--state-machine-arn", arn, region=REGION)
    assert closed(clients["eu-west-1", ACCOUNT], started["executionArn"])["status"] == "SUCCEEDED"


def test_logs_of_others_have_files_of_their_own(own_server, clients):
    for place, sfn in clients.items():
        destination = {"cloudWatchLogsLogGroup": {"logGroupArn": "arn:aws:logs:{}:{}:log-group:/states:*".format(*place)}}
        logging = {"level": "ALL", "includeExecutionData": False, "destinations": [destination]}
        machine = create(sfn, "m", PASS, loggingConfiguration=logging)
        closed(sfn, sfn.start_execution(stateMachineArn=machine, name="x")["executionArn"])
    folder = own_server.folder / "data" / "logs"
    names = {"states.log", *(f"{region}.{account}.states.log" for region, account in list(clients)[1:])}
    wait_until("all have logged", lambda: folder.exists() and {file.name for file in folder.iterdir()} == names)


def test_data_commands_know_the_rows_of_others(own_server, clients, tmp_path):
    for sfn in clients.values():
        machine = create(sfn, "m", PASS, publish=True)
        sfn.create_activity(name="bell")
        closed(sfn, sfn.start_execution(stateMachineArn=machine, name="x")["executionArn"])
    assert own_server.stop() == 0
    code, report = data("check", "--data", own_server.data, "--json")
    assert code == 0 and report["sound"] and report["executions"] == len(clients), report
    rows, imported = tmp_path / "rows.jsonl", tmp_path / "imported"
    assert data("export", rows, "--data", own_server.data)[0] == 0
    assert data("import", rows, "--data", imported)[0] == 0
    other = Server(tmp_path / "other", data=imported)
    other.folder.mkdir()
    other.start()
    try:
        for how, place in PLACES.items():
            sfn = other.connect(*how)
            assert machines(sfn) == [f"{prefix(place)}:stateMachine:m"]
            assert activities(sfn) == [f"{prefix(place)}:activity:bell"]
            assert sfn.describe_execution(executionArn=f"{prefix(place)}:execution:m:x")["status"] == "SUCCEEDED"
    finally:
        other.kill()


def test_the_own_region_is_fixed(own_server, clients):
    create(clients["eu-west-1", ACCOUNT], "m", PASS)
    assert own_server.stop() == 0
    own_server.options = ["--region", "eu-west-1"]
    command = own_server.command()
    # The later option would be refused as a repetition.
    command.remove("--region"), command.remove(REGION)
    done = subprocess.run(command, cwd=own_server.folder, capture_output=True, text=True, timeout=DEADLINE_SECONDS)
    assert done.returncode != 0
    assert f"the data belongs to account {ACCOUNT} in region {REGION}, not to account {ACCOUNT} in region eu-west-1" in (
        done.stderr
    )
