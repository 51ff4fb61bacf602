"""Requests that no SDK would send: each gets a clear error, and the server goes on serving."""

import json
import socket

import pytest
from botocore.exceptions import ClientError

from definitions import PASS, text
from server import ACCOUNT, REGION, ROLE, wait_until

TARGET = "AWSStepFunctions.ListStateMachines"
BODY_BYTES_MAX = 4 * 1024 * 1024
DEFINITION_BYTES_MAX = 1024 * 1024


def request(body, target=TARGET, headers=(), length=None):
    """The bytes of one request; `length` is what Content-Length says, whatever is true."""
    lines = [
        "POST / HTTP/1.1",
        "Host: localhost",
        "Content-Type: application/x-amz-json-1.0",
        f"Content-Length: {len(body) if length is None else length}",
        "Connection: close",
    ]
    if target is not None:
        lines.append(f"X-Amz-Target: {target}")
    return "\r\n".join([*lines, *headers, "", ""]).encode() + body


def answer(server, data):
    """Sends the bytes and reads the answer: its status and its body as JSON; None if the server just hung up."""
    with server.socket() as connection:
        try:
            connection.sendall(data)
        except OSError:
            pass  # The server may refuse before it has read everything.
        received = b""
        try:
            while chunk := connection.recv(65536):
                received += chunk
        except ConnectionResetError:
            pass
    if not received:
        return None, None
    head, _, body = received.partition(b"\r\n\r\n")
    status = int(head.split(b" ", 2)[1])
    try:
        return status, json.loads(body)
    except ValueError:
        return status, body


def healthy(server):
    status, listed = answer(server, request(b"{}"))
    assert status == 200 and "stateMachines" in listed
    assert server.alive()


@pytest.fixture(autouse=True)
def the_server_goes_on(server):
    yield
    healthy(server)


def error_of(body):
    assert isinstance(body, dict) and body.get("__type"), body
    assert body.get("message") or body.get("Message"), body
    return body["__type"].rsplit("#", 1)[-1]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"nonsense",
        b'{"maxResults": }',
        b'{"maxResults": 1} trailing',
        b'{"maxResults": 1e999}',
        b'{"nextToken": "\xff\xfe"}',
        b'{"nextToken": "\\ud800"}',
        b'\xef\xbb\xbf{"maxResults": "x"}',
        b"\x00\x01\x02",
        b"[]",
        b"null",
        b'"text"',
        b"17",
    ],
    ids=repr,
)
def test_bodies_that_are_not_the_json_object_they_should_be(server, body):
    status, said = answer(server, request(body))
    if status == 200:
        # An SDK may leave out the body where nothing is required.
        assert body in (b"", b"null")
    else:
        assert status == 400
        assert error_of(said) in ("SerializationException", "ValidationException", "InvalidToken")


@pytest.mark.parametrize(
    ("action", "body"),
    [
        ("ListStateMachines", {"maxResults": "ten"}),
        ("ListStateMachines", {"maxResults": 1.5}),
        ("ListStateMachines", {"maxResults": -1}),
        ("ListStateMachines", {"maxResults": 10**30}),
        ("ListStateMachines", {"nextToken": 7}),
        ("ListStateMachines", {"nextToken": ""}),
        ("CreateStateMachine", {}),
        ("CreateStateMachine", {"name": 1, "definition": PASS, "roleArn": ROLE}),
        ("CreateStateMachine", {"name": "x", "definition": {"StartAt": "P"}, "roleArn": ROLE}),
        ("CreateStateMachine", {"name": "x", "definition": PASS, "roleArn": None}),
        ("CreateStateMachine", {"name": "x", "definition": PASS, "roleArn": ROLE, "tags": {"a": "b"}}),
        ("CreateStateMachine", {"name": "x", "definition": PASS, "roleArn": ROLE, "type": "SLOW"}),
        ("StartExecution", {"stateMachineArn": ["a"]}),
        ("StartExecution", {"stateMachineArn": "arn:" + "x" * 5000}),
        ("StartExecution", {"stateMachineArn": "arn:aws:states"}),
        ("GetExecutionHistory", {"executionArn": "arn:aws:states:::", "reverseOrder": "yes"}),
        ("GetActivityTask", {}),
        ("SendTaskSuccess", {"taskToken": "x" * 5000, "output": "{}"}),
        ("SendTaskSuccess", {"taskToken": "", "output": "{}"}),
        ("TagResource", {"resourceArn": f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:x", "tags": [1]}),
    ],
    ids=lambda value: value if isinstance(value, str) else json.dumps(value)[:60],
)
def test_members_of_the_wrong_type_or_size(server, action, body):
    status, said = answer(server, request(json.dumps(body).encode(), f"AWSStepFunctions.{action}"))
    assert status == 400, said
    error_of(said)


@pytest.mark.parametrize(
    "target",
    [
        "AWSStepFunctions.NoSuchAction",
        "AWSStepFunctions.",
        "AWSStepFunctions",
        "NoSuchService.ListStateMachines",
        ".",
        "",
        "AWSStepFunctions." + "x" * 4000,
        None,
    ],
    ids=lambda target: repr(target)[:40],
)
def test_unknown_targets(server, target):
    status, said = answer(server, request(b"{}", target))
    assert status in (400, 404), said
    assert error_of(said)


def test_a_body_over_the_limit(server):
    body = b'{"nextToken": "' + b"x" * BODY_BYTES_MAX + b'"}'
    status, said = answer(server, request(body))
    # A server that hangs up on a body that it will not read is also clear.
    assert status in (400, 413, None), said


def test_a_length_that_promises_too_much(server):
    status, _ = answer(server, request(b"{}", length=10**12))
    assert status in (400, 413, None)


@pytest.mark.parametrize("depth", [200, 5_000, 1_000_000])
def test_deep_nesting_in_the_body(server, depth):
    status, said = answer(server, request(b'{"nextToken": ' + b"[" * depth + b"]" * depth + b"}"))
    assert status == 400
    error_of(said)


@pytest.mark.parametrize("depth", [200, 5_000, 100_000])
def test_deep_nesting_in_a_definition(sfn, name, depth):
    with pytest.raises(ClientError) as caught:
        sfn.create_state_machine(name=name, definition='{"a":' * depth + "1" + "}" * depth, roleArn=ROLE)
    assert caught.value.response["Error"]["Code"] in ("InvalidDefinition", "SerializationException")


@pytest.mark.parametrize("depth", [50, 100_000])
def test_deep_nesting_in_an_input(sfn, name, depth):
    machine = sfn.create_state_machine(name=name, definition=PASS, roleArn=ROLE)["stateMachineArn"]
    given = "[" * depth + "]" * depth
    try:
        execution = sfn.start_execution(stateMachineArn=machine, input=given)["executionArn"]
    except ClientError as refusal:
        assert refusal.response["Error"]["Code"] == "InvalidExecutionInput"
        assert depth > 50
    else:
        wait_until("it ends", lambda: sfn.describe_execution(executionArn=execution)["status"] != "RUNNING")


def test_a_request_that_stops_half_way(server):
    whole = request(b'{"maxResults": 1}')
    for cut in (1, 10, len(whole) // 2, len(whole) - 1):
        with server.socket() as connection:
            connection.sendall(whole[:cut])
            connection.shutdown(socket.SHUT_WR)
            connection.recv(65536)
    # And connections that say nothing at all hold nobody up.
    silent = [server.socket() for _ in range(50)]
    healthy(server)
    for connection in silent:
        connection.close()


@pytest.mark.parametrize(
    "data",
    [
        b"\r\n\r\n\r\n\r\n",
        b"garbage\r\n\r\n",
        b"POST / HTTP/9.9\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost localhost\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -5\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: many\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nX-Amz-Target: \xff\xfe\x00\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nX-Long: " + b"x" * 1_000_000 + b"\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 64,
        bytes(range(256)) * 16,
    ],
    ids=lambda data: repr(data[:40]),
)
def test_bytes_that_are_not_http(server, data):
    with server.socket() as connection:
        try:
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
            received = connection.recv(65536)
        except OSError:
            received = b""  # It hung up before it had read everything.
    assert not received or received.startswith((b"HTTP/1.1 4", b"HTTP/1.0 4")), received[:200]


def test_other_methods_and_paths(server):
    for line in (b"GET / HTTP/1.1", b"DELETE / HTTP/1.1", b"GET /no/such/page HTTP/1.1", b"PUT /%00 HTTP/1.1"):
        status, _ = answer(server, line + b"\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        assert 300 <= status < 500, (line, status)
    status, _ = answer(server, b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    assert status == 200


def definition_of(size):
    """A valid definition of exactly `size` bytes."""
    empty = {"Comment": "", "StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}
    return text({**empty, "Comment": "x" * (size - len(text(empty)))})


def test_a_definition_just_within_the_limit(sfn, name):
    definition = definition_of(DEFINITION_BYTES_MAX)
    assert len(definition) == DEFINITION_BYTES_MAX
    machine = sfn.create_state_machine(name=name, definition=definition, roleArn=ROLE)["stateMachineArn"]
    assert sfn.describe_state_machine(stateMachineArn=machine)["definition"] == definition


def test_a_definition_just_over_the_limit(server, name):
    body = {"name": name, "definition": definition_of(DEFINITION_BYTES_MAX + 1), "roleArn": ROLE}
    status, said = answer(server, request(json.dumps(body).encode(), "AWSStepFunctions.CreateStateMachine"))
    assert status == 400
    assert error_of(said) == "ValidationException"
    message = said.get("message") or said["Message"]
    assert "'definition' failed to satisfy constraint: Member must have length less than or equal to 1048576" in message


def test_an_input_over_the_limit(server, sfn, name):
    machine = sfn.create_state_machine(name=name, definition=PASS, roleArn=ROLE)["stateMachineArn"]
    within = json.dumps("x" * (262_144 - 2))
    execution = sfn.start_execution(stateMachineArn=machine, input=within)["executionArn"]
    wait_until("it ends", lambda: sfn.describe_execution(executionArn=execution)["status"] == "SUCCEEDED")
    body = {"stateMachineArn": machine, "input": json.dumps("x" * (262_144 - 1))}
    status, said = answer(server, request(json.dumps(body).encode(), "AWSStepFunctions.StartExecution"))
    assert status == 400
    error_of(said)


def test_names_that_are_hard_to_print(server, name):
    for bad in ("", "x" * 81, "a b", "a/b", "<a>", "a\u0000b", "a\u009fb", "a\ufffeb", '"', "%"):
        body = {"name": bad, "definition": PASS, "roleArn": ROLE}
        status, said = answer(server, request(json.dumps(body).encode(), "AWSStepFunctions.CreateStateMachine"))
        assert status == 400, bad
        assert error_of(said) in ("InvalidName", "ValidationException"), (bad, said)
