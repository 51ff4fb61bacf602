"""EKS: jobs and calls of a cluster's Kubernetes API, by the cluster's own authority and a token of STS."""

import base64
import http.server
import json
import ssl
import threading
import urllib.parse

import pytest

from server import REGION, ROLE, Server, await_event, closed
from test_http_task import certificate

KEYS = {"AWS_ACCESS_KEY_ID": "AKIDCOMPAT", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_SESSION_TOKEN": "session"}


class Cluster(http.server.BaseHTTPRequestHandler):
    """As much of a Kubernetes API server as jobs need: one pod of two containers for each job."""

    protocol_version = "HTTP/1.1"
    jobs, asked = {}, []

    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        path, _, query = self.path.partition("?")
        query = urllib.parse.parse_qs(query)
        Cluster.asked.append((self.command, path, query, dict(self.headers), body))
        parts = path.strip("/").split("/")
        if path == "/api/v1/namespaces/default/pods":
            name = query["labelSelector"][0].removeprefix("job-name=")
            containers = [{"name": "one"}, {"name": "two"}, {"name": "broken"}]
            return self.send(200, {"items": [{"metadata": {"name": f"{name}-pod"}, "spec": {"containers": containers}}]})
        if parts[-1] == "log":
            log = {"one": b'{"pi": 3.14}', "two": b"plain\n"}.get(query["container"][0])
            return self.send(200, log, "text/plain") if log else self.send(400, {"message": "no such log"})
        if parts[:4] == ["apis", "batch", "v1", "namespaces"] and self.command == "POST":
            job = json.loads(body)
            name = job["metadata"]["name"]
            if name in Cluster.jobs:
                return self.send(409, {"reason": "AlreadyExists"})
            Cluster.jobs[name] = {**job, "status": {}}
            return self.send(201, Cluster.jobs[name])
        if parts[:4] == ["apis", "batch", "v1", "namespaces"] and parts[-1] in Cluster.jobs:
            return self.send(200, Cluster.jobs[parts[-1]])
        return self.send(404, {"kind": "Status", "reason": "NotFound"})

    def send(self, status, body, kind="application/json"):
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_DELETE = do_PATCH = answer

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("eks")
    cert, key = certificate(folder)
    cluster = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Cluster)
    cluster.daemon_threads = True
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    cluster.socket = context.wrap_socket(cluster.socket, server_side=True)
    threading.Thread(target=cluster.serve_forever, daemon=True).start()
    server = Server(folder, environment=KEYS).start()
    of_cluster = {
        "ClusterName": "the cluster",
        "CertificateAuthority": base64.b64encode(cert.read_bytes()).decode(),
        "Endpoint": f"https://127.0.0.1:{cluster.server_address[1]}",
    }
    yield server, of_cluster
    assert server.stop() == 0, server.log
    cluster.shutdown()


@pytest.fixture
def begin(world, name):
    server, of_cluster = world

    def begin(action, **parameters):
        sfn = server.connect()
        task = {"Type": "Task", "Resource": f"arn:aws:states:::eks:{action}", "End": True}
        task["Parameters"] = {**of_cluster, **parameters}
        definition = json.dumps({"StartAt": "T", "States": {"T": task}})
        begin.count += 1
        machine = sfn.create_state_machine(name=f"{name}-{begin.count}", definition=definition, roleArn=ROLE)
        return sfn, sfn.start_execution(stateMachineArn=machine["stateMachineArn"])["executionArn"]

    begin.count = 0
    return begin


def job(name):
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name}, "spec": {}}


def end(name, kind):
    Cluster.jobs[name]["status"]["conditions"] = [{"type": kind, "status": "True"}]


def test_a_call_and_who_makes_it(begin):
    Cluster.jobs["asked-for"] = job("asked-for")
    path = "/apis/batch/v1/namespaces/default/jobs/asked-for"
    ended = closed(*begin("call", Method="GET", Path=path, QueryParameters={"pretty": ["false"]}))
    output = json.loads(ended["output"])
    assert list(output) == ["Headers", "ResponseBody", "StatusCode", "StatusText"]
    assert output["ResponseBody"] == job("asked-for") and output["StatusCode"] == 200
    _, _, query, headers, _ = next(asked for asked in Cluster.asked if asked[1] == path)
    assert query == {"pretty": ["false"]}
    scheme, token = headers["authorization"].split(" ")
    kind, _, url = token.partition(".")
    assert (scheme, kind) == ("Bearer", "k8s-aws-v1")
    url = urllib.parse.urlsplit(base64.urlsafe_b64decode(url + "=" * (-len(url) % 4)).decode())
    assert url.netloc == f"sts.{REGION}.amazonaws.com"
    signed = urllib.parse.parse_qs(url.query)
    assert signed["Action"] == ["GetCallerIdentity"] and signed["X-Amz-Expires"] == ["60"]
    assert signed["X-Amz-SignedHeaders"] == ["host;x-k8s-aws-id"]
    assert signed["X-Amz-Credential"][0].startswith("AKIDCOMPAT/") and signed["X-Amz-Security-Token"] == ["session"]


def test_what_the_cluster_refuses(begin, world):
    ended = closed(*begin("call", Method="GET", Path="/none"))
    assert (ended["status"], ended["error"]) == ("FAILED", "EKS.404") and "NotFound" in ended["cause"]
    ended = closed(*begin("call", Method="GET", Path="/none", CertificateAuthority="bm9uZQ=="))
    assert ended["error"] == "States.Runtime" and "CertificateAuthority" in ended["cause"]
    ended = closed(*begin("call", Method="GET", Path="/none", Unknown=1))
    assert ended["error"] == "States.Runtime"
    assert "session" not in world[0].log and "k8s-aws-v1" not in world[0].log


def test_a_job_is_watched_over_kill_9_and_its_logs_fetched(begin, world):
    sfn, execution = begin("runJob.sync", Job=job("good"), LogOptions={"RetrieveLogs": True})
    submitted = await_event(sfn, execution, "TaskSubmitted")["taskSubmittedEventDetails"]
    assert json.loads(submitted["output"])["ResponseBody"]["metadata"] == {"name": "good"}
    world[0].kill()
    end("good", "Complete")
    world[0].start()
    output = json.loads(closed(world[0].connect(), execution)["output"])
    assert output["status"]["conditions"][0]["type"] == "Complete"
    containers = output["logs"]["pods"]["good-pod"]["containers"]
    assert containers["one"] == {"log": {"pi": 3.14}} and containers["two"] == {"log": "plain\n"}
    assert containers["broken"]["error"] == "EKS.400"
    assert sum(asked[0] == "POST" and '"good"' in asked[4] for asked in Cluster.asked) == 1


def test_a_job_that_fails(begin):
    sfn, execution = begin("runJob.sync", Job=json.dumps(job("bad")))
    await_event(sfn, execution, "TaskSubmitted")
    end("bad", "Failed")
    ended = closed(sfn, execution)
    assert ended["error"] == "States.TaskFailed" and json.loads(ended["cause"])["metadata"]["name"] == "bad"
    # Its name is taken now.
    assert closed(*begin("runJob", Job=job("bad")))["error"] == "EKS.409"
