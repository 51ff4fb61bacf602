"""Functions on this machine: as tasks and through Lambda's API, and what becomes of their processes."""

import base64
import json
import os
import pathlib
import subprocess

import boto3
import functions
import pytest
from botocore.config import Config
from definitions import text
from server import REGION, ROLE, Server, binary, closed, events, wait_until

ARN = "arn:aws:lambda:us-east-1:123456789012:function"


def lambda_client(server):
    return boto3.client(
        "lambda",
        endpoint_url=server.endpoint,
        region_name=REGION,
        aws_access_key_id="compat",
        aws_secret_access_key="compat",
        config=Config(retries={"total_max_attempts": 1}),
    )


@pytest.fixture(scope="module")
def functions_server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("functions")
    server = Server(folder, options=["--config", str(functions.write(folder))]).start()
    yield server
    assert server.stop() == 0, server.log


@pytest.fixture(scope="module")
def call(functions_server):
    client = lambda_client(functions_server)

    def call(name, payload=None, **options):
        answer = client.invoke(FunctionName=name, Payload=json.dumps(payload or {}), **options)
        body = answer["Payload"].read()
        return answer, json.loads(body) if body else None

    return call


def runs(folder):
    file = pathlib.Path(folder) / "runs"
    return [int(line) for line in file.read_text().split()] if file.exists() else []


def is_alive(pid):
    """Whether it runs; one that has ended and whose parent has not looked yet does not."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.mark.parametrize("name, language", [("py", "python"), ("node", "node")])
def test_a_function_gets_its_event_and_context(call, name, language):
    context = base64.b64encode(b'{"custom": {"a": 1}}').decode()
    answer, payload = call(name, {"n": 1.5, "s": "ü"}, ClientContext=context)
    assert answer["StatusCode"] == 200 and answer["ExecutedVersion"] == "$LATEST"
    assert "FunctionError" not in answer
    assert payload.pop("pid") > 0
    assert payload == {
        "by": language,
        "event": {"n": 1.5, "s": "ü"},
        "name": name,
        "arn": f"{ARN}:{name}",
        "client": {"custom": {"a": 1}},
        "time_left": True,
    }


def test_other_ways_to_be_a_function(call):
    assert call("callback", {"n": 1})[1] == 2
    assert call("custom", {"n": 1})[1] == {"custom": {"n": 1}}
    for name in ["py", f"{ARN}:py", f"{ARN}:py:live", "123456789012:function:py", "py:1"]:
        assert call(name)[1]["by"] == "python"
    assert call("py", Qualifier="7")[1]["by"] == "python"


@pytest.mark.parametrize(
    "name, payload, kind, message",
    [
        ("py", {"do": "fail"}, "KeyError", "'no such order'"),
        ("node", {"do": "fail"}, "RangeError", "no such order"),
        ("py", {"do": "exit", "code": 3}, "Runtime.ExitError", "Runtime exited with error: exit status 3"),
        ("node", {"do": "exit", "code": 0}, "Runtime.ExitError", "Runtime exited without providing a reason"),
        ("py", {"do": "text"}, "Runtime.MarshalError", "Unable to marshal response"),
        ("quick", {"do": "wait", "folder": "/nowhere"}, "FileNotFoundError", "/nowhere/runs"),
        ("small", {"do": "memory", "bytes": 300_000_000}, "MemoryError", ""),
        ("broken", {}, "Runtime.ImportModuleError", "No module named 'no_such_module'"),
        ("nameless", {}, "Runtime.HandlerNotFound", "exports no function nothing"),
        ("missing", {}, "Runtime.ExitError", "exit status 127"),
    ],
)
def test_a_function_that_fails(call, name, payload, kind, message):
    answer, body = call(name, payload)
    assert (answer["StatusCode"], answer["FunctionError"]) == (200, "Unhandled")
    assert body["errorType"] == kind and message in body["errorMessage"]
    if kind == "KeyError":
        assert "lambda_handler" in body["stackTrace"][0] and set(body) == {
            "errorMessage", "errorType", "requestId", "stackTrace",
        }  # fmt: skip


def test_the_time_limit_kills_what_a_function_started(call, tmp_path):
    answer, body = call("quick", {"do": "wait", "child": True, "folder": str(tmp_path)})
    assert body["errorType"] == "Sandbox.Timedout" and "Task timed out after 1.00 seconds" in body["errorMessage"]
    processes = [*runs(tmp_path), int((tmp_path / "child").read_text())]
    wait_until("its processes have ended", lambda: not any(map(is_alive, processes)))


def test_processes_are_used_again_and_no_more_than_allowed(call, functions_server):
    pids = {call("single", {"n": n})[1]["pid"] for n in range(3)}
    assert len(pids) == 1
    sfn = functions_server.connect()
    machine = sfn.create_state_machine(
        name="fan",
        roleArn=ROLE,
        definition=text(
            {
                "StartAt": "M",
                "States": {
                    "M": {"Type": "Map", "End": True, "ItemProcessor": json.loads(functions.invoke("single"))}
                },
            }
        ),
    )["stateMachineArn"]
    run = sfn.start_execution(stateMachineArn=machine, input=json.dumps([{"n": n} for n in range(8)]))["executionArn"]
    output = json.loads(closed(sfn, run)["output"])
    assert [result["event"]["n"] for result in output] == list(range(8))
    assert {result["pid"] for result in output} == pids


def test_lambda_api(functions_server, call):
    client = lambda_client(functions_server)
    listed = {function["FunctionName"]: function for function in client.list_functions()["Functions"]}
    assert {"py", "node", "custom"} <= set(listed)
    assert listed["py"]["FunctionArn"] == f"{ARN}:py" and listed["quick"]["Timeout"] == 1
    assert client.get_function(FunctionName=f"{ARN}:node")["Configuration"]["Handler"] == "handler"
    assert client.get_function_configuration(FunctionName="small")["MemorySize"] == 128
    for refused in [
        lambda: client.get_function(FunctionName="nothing"),
        lambda: client.invoke(FunctionName="nothing"),
    ]:
        with pytest.raises(client.exceptions.ResourceNotFoundException, match=f"{ARN}:nothing"):
            refused()
    with pytest.raises(client.exceptions.InvalidRequestContentException, match="Could not parse request body"):
        client.invoke(FunctionName="py", Payload=b"{")
    assert client.invoke(FunctionName="py", InvocationType="DryRun")["StatusCode"] == 204
    answer, _ = call("py", {"do": "print", "text": "what it said"}, LogType="Tail")
    assert "END RequestId" in base64.b64decode(answer["LogResult"]).decode()
    assert client.invoke(FunctionName="py", InvocationType="Event", Payload=b'{"do": "print", "text": "later"}')[
        "StatusCode"
    ] == 202
    command = [str(binary()), "function", "logs", "py", "--endpoint", functions_server.endpoint]

    def said(what):
        return what in subprocess.run(command, capture_output=True, text=True, check=True).stdout

    wait_until("its log has what it printed", lambda: said("what it said") and said("later"))


@pytest.mark.parametrize("resource", ["arn", "invoke"])
def test_errors_of_a_task_are_those_of_the_function(functions_server, name, resource):
    sfn = functions_server.connect()
    definition = functions.invoke("py:live")
    if resource == "arn":
        definition = text({"StartAt": "T", "States": {"T": {"Type": "Task", "Resource": f"{ARN}:py", "End": True}}})
    machine = sfn.create_state_machine(name=f"{name}-{resource}", definition=definition, roleArn=ROLE)["stateMachineArn"]
    failed = closed(sfn, sfn.start_execution(stateMachineArn=machine, input='{"do": "fail"}')["executionArn"])
    assert (failed["status"], failed["error"]) == ("FAILED", "KeyError")
    assert json.loads(failed["cause"])["errorMessage"] == "'no such order'"
    done = closed(sfn, sfn.start_execution(stateMachineArn=machine, input='{"n": 1}')["executionArn"])
    assert json.loads(done["output"])["event"] == {"n": 1}


def test_a_function_that_is_nowhere(functions_server, name):
    sfn = functions_server.connect()
    machine = sfn.create_state_machine(name=name, definition=functions.invoke("nothing"), roleArn=ROLE)["stateMachineArn"]
    failed = closed(sfn, sfn.start_execution(stateMachineArn=machine)["executionArn"])
    assert failed["error"] == "Lambda.SdkClientException" and "not on this machine" in failed["cause"]


@pytest.mark.parametrize("function", ["py", "node"])
def test_kill_9_in_mid_call(tmp_path, function):
    """The function's processes end with the server; the restarted one calls the function again, and ends."""
    server = Server(tmp_path, options=["--config", str(functions.write(tmp_path))]).start()
    sfn = server.connect()
    machine = sfn.create_state_machine(name="caller", definition=functions.invoke(function), roleArn=ROLE)
    event = {"do": "wait", "child": True, "folder": str(tmp_path)}
    run = sfn.start_execution(stateMachineArn=machine["stateMachineArn"], input=json.dumps(event))["executionArn"]
    wait_until("the function runs", lambda: runs(tmp_path) and (tmp_path / "child").exists())
    processes = [*runs(tmp_path), int((tmp_path / "child").read_text())]
    assert all(map(is_alive, processes))
    server.kill()
    wait_until("no process outlives the server", lambda: not any(map(is_alive, processes)))

    sfn = server.start().connect()
    wait_until("the function runs again", lambda: len(runs(tmp_path)) == 2)
    (tmp_path / "go").touch()
    state = closed(sfn, run)
    assert state["status"] == "SUCCEEDED", state
    assert json.loads(state["output"])["event"] == event
    kinds = [event["type"] for event in events(sfn, run)]
    assert kinds.count("TaskScheduled") == 1 and kinds.count("TaskSucceeded") == 1
    second = runs(tmp_path)[1]
    assert server.stop() == 0
    wait_until("idle processes end with the server", lambda: not is_alive(second))


def test_stopping_an_execution_ends_its_function(functions_server, tmp_path, name):
    sfn = functions_server.connect()
    machine = sfn.create_state_machine(name=name, definition=functions.invoke("node"), roleArn=ROLE)["stateMachineArn"]
    event = {"do": "wait", "folder": str(tmp_path)}
    run = sfn.start_execution(stateMachineArn=machine, input=json.dumps(event))["executionArn"]
    wait_until("the function runs", lambda: runs(tmp_path))
    sfn.stop_execution(executionArn=run)
    wait_until("its process has ended", lambda: not any(map(is_alive, runs(tmp_path))))


def test_new_code_is_taken(tmp_path):
    config = functions.write(tmp_path)
    server = Server(tmp_path, options=["--config", str(config)]).start()
    client = lambda_client(server)
    try:
        assert json.loads(client.invoke(FunctionName="py")["Payload"].read())["by"] == "python"
        (tmp_path / "code" / "py.py").write_text("def lambda_handler(event, context):\n    return 'new'\n")
        assert json.loads(client.invoke(FunctionName="py")["Payload"].read()) == "new"
    finally:
        server.kill()


def test_a_function_behind_a_url(functions_server, tmp_path):
    """Another Stepwell's Invoke is a URL like any other."""
    url = f"{functions_server.endpoint}/2015-03-31/functions/py/invocations"
    (tmp_path / "stepwell.toml").write_text(
        f'[functions.there]\nurl = "{url}"\n[functions.nobody]\nurl = "http://127.0.0.1:1/"\n'
    )

    def invoked(function, payload):
        command = [str(binary()), "function", "invoke", function, "--payload", payload]
        ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
        return ran.returncode, json.loads(ran.stdout)

    code, payload = invoked("there", '{"n": 1}')
    assert code == 0 and payload["event"] == {"n": 1}
    code, payload = invoked("there", '{"do": "fail"}')
    assert code == 1 and payload["errorType"] == "KeyError"
    code, payload = invoked("nobody", "{}")
    assert code == 1 and payload["errorType"] == "Runtime.Unreachable"


def test_the_commands_keep_the_file(tmp_path):
    before = "# ours\n[server]\nport = 0 # free\n"
    file = tmp_path / "stepwell.toml"
    file.write_text(before)
    (tmp_path / "f.py").write_text("def go(event, context):\n    return event\n")

    def stepwell(*words):
        environment = {name: value for name, value in os.environ.items() if not name.startswith("STEPWELL_")}
        return subprocess.run(
            [str(binary()), "function", *words], cwd=tmp_path, capture_output=True, text=True, env=environment
        )

    added = stepwell("add", "f", "--python", "f.py", "--handler", "go", "--env", "A=b c", "--timeout-seconds", "5")
    assert added.returncode == 0, added.stderr
    assert file.read_text() == (
        before + '\n[functions.f]\npython = "f.py"\nhandler = "go"\ntimeout_seconds = 5\nenvironment = { A = "b c" }\n'
    )
    assert stepwell("add", "f", "--python", "f.py").returncode == 2
    refused = stepwell("add", "g", "--python", "f.py", "--memory-mb", "1")
    assert refused.returncode == 2 and "function `g`: `memory_mb` must be from 64 to 10240" in refused.stderr
    assert "writing" not in refused.stderr
    assert "f.py go" in stepwell("list").stdout
    invoked = stepwell("invoke", "f", "--payload", '{"a": 1}')
    assert (invoked.returncode, json.loads(invoked.stdout)) == (0, {"a": 1}) and "START RequestId" in invoked.stderr
    assert stepwell("remove", "f").returncode == 0
    assert file.read_text() == before
    assert stepwell("invoke", "f").returncode == 2
    assert stepwell("remove", "f").returncode == 2
