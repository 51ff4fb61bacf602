"""HTTP Tasks: what is sent, what of the answer becomes of the task, and that secrets stay secret."""

import base64
import datetime
import http.server
import ipaddress
import json
import ssl
import threading
import urllib.parse

import pytest
from definitions import text
from server import ROLE, Server, closed, events

CONNECTION = "arn:aws:events:us-east-1:123456789012:connection"

CONFIG = """
[connections.basic]
basic = {{ username = "user", password = {{ env = "COMPAT_PASSWORD" }} }}
[connections.key]
api_key = {{ name = "X-Api-Key", value = "secret-key" }}
headers = {{ X-Tenant = "secret-tenant" }}
query = {{ token = "secret-query" }}
body = {{ tenant = "secret-body" }}
[connections.plain]
api_key = {{ name = "X-Api-Key", value = "secret-plain" }}
[connections.oauth]
oauth = {{ endpoint = "{endpoint}/token", client_id = "id", client_secret = "secret-client", body = {{ scope = "read" }} }}
[connections.locked-out]
oauth = {{ endpoint = "{endpoint}/no-token", client_id = "id", client_secret = "secret-client" }}
"""

SECRETS = ["secret-password", "secret-key", "secret-tenant", "secret-query", "secret-body", "secret-plain", "secret-client", "secret-token"]


class Api(http.server.BaseHTTPRequestHandler):
    """Answers by its path, and tells what it was asked."""

    protocol_version = "HTTP/1.1"
    requests = []
    tokens = 0

    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        path, _, query = self.path.partition("?")
        asked = {"method": self.command, "path": path, "query": query, "headers": dict(self.headers), "body": body}
        Api.requests.append(asked)
        if path.startswith("/status/"):
            return self.send(int(path.rsplit("/", 1)[1]), "text/plain", b"why it is so", {"Location": "/echo"})
        if path == "/token":
            Api.tokens += 1
            answer = {"access_token": f"secret-token-{Api.tokens}", "expires_in": 3600, "token_type": "Bearer"}
            return self.send(200, "application/json", json.dumps(answer).encode())
        if path == "/no-token":
            return self.send(403, "text/plain", b"secret-client is not known")
        if path == "/text":
            return self.send(200, "text/plain; charset=utf-8", "plain ü".encode())
        if path == "/json":
            return self.send(201, "application/json", b'{"a": [1, 2.50], "b": null}', {"X-Two": "1"})
        if path == "/image":
            return self.send(200, "image/png", b"\x89PNG")
        if path == "/large":
            return self.send(200, "text/plain", b"x" * 262_145)
        if path == "/hang-up":
            self.close_connection = True
            return None
        return self.send(204, None, b"")

    def send(self, status, kind, body, headers=()):
        self.send_response(status)
        if kind:
            self.send_header("Content-Type", kind)
        for name, value in dict(headers).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        # A 304 has no body: what came behind it would be taken for the next answer.
        if self.command != "HEAD" and status != 304:
            self.wfile.write(body)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do_HEAD = answer

    def log_message(self, *_):
        pass


def certificate(folder):
    """A certificate of 127.0.0.1 that vouches for itself, and its key."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "compat")])
    now = datetime.datetime.now(datetime.timezone.utc)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    form = serialization.PrivateFormat.PKCS8
    (folder / "cert.pem").write_bytes(made.public_bytes(pem))
    (folder / "key.pem").write_bytes(key.private_bytes(pem, form, serialization.NoEncryption()))
    return folder / "cert.pem", folder / "key.pem"


def serve(tls=None):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Api)
    server.daemon_threads = True
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*tls)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server, f"{'https' if tls else 'http'}://127.0.0.1:{server.server_address[1]}"


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("http")
    cert = certificate(folder)
    plain, endpoint = serve()
    secure, secure_endpoint = serve(cert)
    (folder / "stepwell.toml").write_text(CONFIG.format(endpoint=endpoint))
    server = Server(
        folder,
        options=["--config", str(folder / "stepwell.toml")],
        environment={"COMPAT_PASSWORD": "secret-password", "SSL_CERT_FILE": str(cert[0]), "STEPWELL_LOG": "debug"},
    ).start()
    yield server, endpoint, secure_endpoint
    assert server.stop() == 0, server.log
    assert not any(secret in server.log for secret in SECRETS)
    plain.shutdown()
    secure.shutdown()


@pytest.fixture
def call(world, name):
    """Runs one HTTP Task; gives how it ended, its history, and the requests that the API saw."""
    server, endpoint, _ = world
    sfn = server.connect()

    def call(path, connection="plain", method="GET", **more):
        Api.requests.clear()
        parameters = {"ApiEndpoint": path if "://" in path else endpoint + path, "Method": method, **more}
        parameters.setdefault("Authentication", {"ConnectionArn": f"{CONNECTION}/{connection}/1-2-3"})
        task = {"Type": "Task", "Resource": "arn:aws:states:::http:invoke", "Parameters": parameters, "End": True}
        definition = text({"StartAt": "T", "States": {"T": task}})
        call.count += 1
        machine = sfn.create_state_machine(name=f"{name}-{call.count}", definition=definition, roleArn=ROLE)
        run = sfn.start_execution(stateMachineArn=machine["stateMachineArn"])["executionArn"]
        state = closed(sfn, run)
        history = events(sfn, run)
        told = json.dumps([state, history], default=str)
        assert not any(secret in told for secret in SECRETS)
        return state, history, list(Api.requests)

    call.count = 0
    return call


def test_the_result_and_its_events(call):
    state, history, requests = call("/json")
    output = json.loads(state["output"])
    assert list(output) == ["Headers", "ResponseBody", "StatusCode", "StatusText"]
    assert output["ResponseBody"] == {"a": [1, 2.5], "b": None}
    assert (output["StatusCode"], output["StatusText"]) == (201, "Created")
    assert output["Headers"]["x-two"] == ["1"] and output["Headers"]["content-type"] == ["application/json"]
    headers = requests[0]["headers"]
    assert headers["user-agent"] == "Amazon|StepFunctions|HttpInvoke|us-east-1"
    assert headers["range"] == "bytes=0-262144" and "content-type" not in headers
    assert [event["type"] for event in history][2:5] == ["TaskScheduled", "TaskStarted", "TaskSucceeded"]
    scheduled = history[2]["taskScheduledEventDetails"]
    assert (scheduled["resourceType"], scheduled["resource"]) == ("http", "invoke")
    assert json.loads(call("/text")[0]["output"])["ResponseBody"] == "plain ü"
    assert json.loads(call("/nothing")[0]["output"])["ResponseBody"] == ""
    assert json.loads(call("/json", method="HEAD")[0]["output"])["StatusCode"] == 201


def test_basic_authorisation(call):
    _, _, requests = call("/json", "basic")
    assert requests[0]["headers"]["authorization"] == "Basic " + base64.b64encode(b"user:secret-password").decode()


def test_what_a_connection_has_wins(call):
    state, _, requests = call(
        "/echo?token=mine&x=1",
        "key",
        "POST",
        Headers={"X-Tenant": "mine", "X-Own": "o"},
        QueryParameters={"token": "mine", "list": ["a b", "c&d"]},
        RequestBody={"tenant": "mine", "n": 1},
    )
    assert state["status"] == "SUCCEEDED", state
    asked = requests[0]
    assert (asked["headers"]["x-api-key"], asked["headers"]["x-tenant"]) == ("secret-key", "secret-tenant")
    assert asked["headers"]["x-own"] == "o"
    assert asked["headers"]["content-type"] == "application/json; charset=UTF-8"
    assert urllib.parse.parse_qsl(asked["query"]) == [
        ("x", "1"), ("list", "a b"), ("list", "c&d"), ("token", "secret-query"),
    ]  # fmt: skip
    assert json.loads(asked["body"]) == {"tenant": "secret-body", "n": 1}
    state, _, requests = call("/echo", "key", "POST", RequestBody="text")
    assert state["error"] == "States.Runtime" and requests == []


def test_a_form(call):
    transform = {"RequestBodyEncoding": "URL_ENCODED", "RequestEncodingOptions": {"ArrayFormat": "BRACKETS"}}
    _, _, requests = call("/echo", method="PUT", RequestBody={"a": ["x", "y z"], "o": {"k": 1}}, Transform=transform)
    assert requests[0]["headers"]["content-type"] == "application/x-www-form-urlencoded"
    assert urllib.parse.parse_qsl(requests[0]["body"]) == [("a[]", "x"), ("a[]", "y z"), ("o[k]", "1")]


def test_a_token_is_used_until_it_is_refused(call):
    assert call("/json", "oauth")[2][0]["body"] == (
        "grant_type=client_credentials&client_id=id&client_secret=secret-client&scope=read"
    )
    _, _, requests = call("/json", "oauth")
    assert [asked["headers"]["authorization"] for asked in requests] == ["Bearer secret-token-1"]
    state, _, _ = call("/status/401", "oauth")
    assert state["error"] == "States.Http.StatusCode.401"
    _, _, requests = call("/json", "oauth")
    assert [asked["path"] for asked in requests] == ["/token", "/json"]
    assert requests[1]["headers"]["authorization"] == "Bearer secret-token-2"


@pytest.mark.parametrize("status", [301, 304, 400, 404, 429, 500, 503])
def test_other_statuses_are_errors(call, status):
    state, _, requests = call(f"/status/{status}")
    assert (state["status"], state["error"]) == ("FAILED", f"States.Http.StatusCode.{status}")
    assert state.get("cause", "") == ("" if status == 304 else "why it is so")
    assert len(requests) == 1, "nothing is followed or tried again"


@pytest.mark.parametrize(
    "path, more, error, cause",
    [
        ("/hang-up", {}, "States.Http.Socket", ""),
        ("http://127.0.0.1:1/", {}, "States.Http.Socket", "onnection refused"),
        ("/image", {}, "States.Runtime", "image/png"),
        ("/large", {}, "States.DataLimitExceeded", "'http' returned a result with a size exceeding"),
        ("http://example.com/", {}, "States.Runtime", "must begin with https://"),
        ("/json", {"connection": "locked-out"}, "Events.ConnectionResource.InvalidConnectionState", "status 403"),
        ("/json", {"connection": "unknown"}, "Events.ConnectionResource.ResourceNotFound", "Connection unknown"),
        ("/json", {"Authentication": {"ConnectionArn": "arn:aws:s3:::b"}}, "States.Runtime", "ConnectionArn"),
        ("/json", {"Headers": {"Authorization": "x"}}, "States.Runtime", "'Authorization' is not supported"),
        ("/json", {"method": "TRACE"}, "States.Runtime", "TRACE"),
        ("/json", {"Unknown": 1}, "States.Runtime", '"Unknown" is not supported by Step Functions'),
    ],
)
def test_what_fails(call, path, more, error, cause):
    state, _, _ = call(path, **more)
    assert (state["status"], state["error"]) == ("FAILED", error)
    assert cause in state["cause"]


def test_tls(world, call):
    _, _, secure = world
    state, _, requests = call(f"{secure}/json", InvocationConfig={"ConnectionArn": f"{CONNECTION}/plain/1"}, Authentication=None)
    assert state["status"] == "FAILED", "null is no object"
    state, _, requests = call(f"{secure}/json")
    assert state["status"] == "SUCCEEDED", state
    assert requests[0]["headers"]["x-api-key"] == "secret-plain"


def test_retry_and_catch_name_the_error(world, name):
    server, endpoint, _ = world
    sfn = server.connect()
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::http:invoke",
        "QueryLanguage": "JSONata",
        "Arguments": {
            "ApiEndpoint": endpoint + "/status/503",
            "Method": "GET",
            "InvocationConfig": {"ConnectionArn": f"{CONNECTION}/plain/1"},
        },
        "Retry": [{"ErrorEquals": ["States.Http.StatusCode.503"], "IntervalSeconds": 1, "MaxAttempts": 1}],
        "Catch": [{"ErrorEquals": ["States.Http.StatusCode.503"], "Next": "S", "Output": "{% $states.errorOutput.Cause %}"}],
        "End": True,
    }
    definition = text({"StartAt": "T", "States": {"T": task, "S": {"Type": "Succeed"}}})
    machine = sfn.create_state_machine(name=name, definition=definition, roleArn=ROLE)["stateMachineArn"]
    Api.requests.clear()
    state = closed(sfn, sfn.start_execution(stateMachineArn=machine)["executionArn"])
    assert (state["status"], state["output"]) == ("SUCCEEDED", '"why it is so"')
    assert len(Api.requests) == 2


def test_what_is_sent_is_shown_to_who_tests_it(world):
    server, endpoint, _ = world
    sfn = server.connect()
    parameters = {
        "ApiEndpoint": f"{endpoint}/json",
        "Method": "POST",
        "Authentication": {"ConnectionArn": f"{CONNECTION}/key/1"},
        "QueryParameters": {"q": "1"},
        "RequestBody": {"n": 1},
    }
    state = {"Type": "Task", "Resource": "arn:aws:states:::http:invoke", "Parameters": parameters, "End": True}

    def tested(**options):
        return sfn.test_state(definition=json.dumps(state), roleArn=ROLE, **options)["inspectionData"]

    assert not {"request", "response"} & set(tested(inspectionLevel="DEBUG"))
    hidden = tested(inspectionLevel="TRACE")
    request, response = hidden["request"], hidden["response"]
    assert (request["protocol"], request["method"], request["url"]) == ("http", "POST", f"{endpoint}/json?q=1")
    assert request["body"] == '{"n":1}' and "user-agent: Amazon|StepFunctions" in request["headers"]
    assert (response["statusCode"], response["statusMessage"]) == ("201", "Created")
    assert json.loads(response["body"]) == {"a": [1, 2.5], "b": None} and "x-two: 1" in response["headers"]
    assert not any(secret in json.dumps(hidden) for secret in SECRETS)
    shown = tested(inspectionLevel="TRACE", revealSecrets=True)["request"]
    assert "token=secret-query" in shown["url"] and "x-api-key: secret-key" in shown["headers"]
    assert json.loads(shown["body"]) == {"n": 1, "tenant": "secret-body"}
