"""A mixed load that keeps a journal of everything the server acknowledged, and checks it after each restart."""

import collections
import http.client
import http.server
import json
import random
import threading
import time

from definitions import PASS, activity, text, wait
from server import ACCOUNT, REGION, ROLE, wait_until

ARN = f"arn:aws:states:{REGION}:{ACCOUNT}"
ACTIVITY = f"{ARN}:activity:workers"
FOREVER_SECONDS = 30 * 86_400

# A task whose worker the crash took away is given out again after this.
TASK_SECONDS = 2
RETRY = [{"ErrorEquals": ["States.Timeout"], "IntervalSeconds": 1, "MaxAttempts": 1000, "BackoffRate": 1}]

MACHINES = {
    "pass": PASS,
    "nap": wait(1),
    "sleep": wait(FOREVER_SECONDS),
    "work": activity(ACTIVITY, TimeoutSeconds=TASK_SECONDS, Retry=RETRY),
    "call": text(
        {
            "StartAt": "T",
            "States": {
                "T": {
                    "Type": "Task",
                    "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken",
                    "Parameters": {"FunctionName": "f", "Payload": {"token.$": "$$.Task.Token", "n.$": "$.n"}},
                    "TimeoutSeconds": TASK_SECONDS,
                    "Retry": RETRY,
                    "End": True,
                }
            },
        }
    ),
    "fan": text(
        {
            "StartAt": "P",
            "States": {
                "P": {
                    "Type": "Parallel",
                    "End": True,
                    "Branches": [
                        {"StartAt": "T", "States": {"T": {"Type": "Task", "Resource": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:f", "End": True}}},
                        {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 1, "End": True}}},
                        {"StartAt": "A", "States": {"A": {"Type": "Task", "Resource": ACTIVITY, "TimeoutSeconds": TASK_SECONDS, "Retry": RETRY, "End": True}}},
                    ],
                }
            },
        }
    ),
}  # fmt: skip

ENDS = {"ExecutionSucceeded", "ExecutionFailed", "ExecutionAborted", "ExecutionTimedOut"}


class Refused(Exception):
    """An answer of the server that is not 200."""


class Caller:
    """One connection; raises whatever the death of the server does to it."""

    def __init__(self, port, seconds=75):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=seconds)

    def call(self, action, **request):
        headers = {"X-Amz-Target": f"AWSStepFunctions.{action}", "Content-Type": "application/x-amz-json-1.0"}
        self.connection.request("POST", "/", json.dumps(request), headers)
        response = self.connection.getresponse()
        body = json.loads(response.read())
        if response.status != 200:
            raise Refused(f"{action}: {response.status} {body}")
        return body


class Functions:
    """Plays Lambda: answers every call, and hands the tokens of callbacks on. Outlives the servers."""

    def __init__(self):
        self.tokens = collections.deque(maxlen=10_000)
        tokens = self.tokens

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                payload = json.loads(self.rfile.read(int(self.headers["Content-Length"])) or "{}")
                if isinstance(payload, dict) and "token" in payload:
                    tokens.append((payload["token"], payload["n"]))
                body = json.dumps({"called": True}).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            def handle_error(self, *_):
                """The caller was killed."""

        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def endpoint(self):
        return f"http://127.0.0.1:{self.server.server_port}"

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Journal:
    """What was acknowledged, and how far it was checked. Written by many threads, each entry at once."""

    def __init__(self):
        self.started = {}  # ARN -> number
        self.stopped = {}  # ARN -> stop date
        self.answered = {}  # number -> output
        self.closed = {}  # ARN -> (status, output, stop date), once seen
        self.unchecked = collections.deque()

    def note(self, book, key, value):
        book[key] = value
        self.unchecked.append((book, key))

    def check(self, caller, everything=False):
        """Holds the server to what it acknowledged: since the last check, or all of it."""
        entries = []
        while self.unchecked:
            entries.append(self.unchecked.popleft())
        arns = {key for book, key in entries if book in (self.started, self.stopped)}
        for arn in list(self.started) if everything else arns:
            self.check_execution(caller, arn, with_history=everything)
        return len(self.started) if everything else len(arns)

    def check_execution(self, caller, arn, with_history):
        state = caller.call("DescribeExecution", executionArn=arn)
        number = self.started.get(arn)
        if number is not None:
            assert json.loads(state["input"]) == {"n": number}, f"{arn}: {state}"
        if arn in self.stopped:
            assert state["status"] != "RUNNING", f"{arn} runs after an acknowledged stop"
            if state["status"] == "ABORTED":
                assert state["stopDate"] == self.stopped[arn], f"{arn}: {state}"
        if state["status"] == "RUNNING":
            assert arn not in self.closed, f"{arn} runs again, it was {self.closed[arn]}"
        else:
            end = (state["status"], state.get("output"), state["stopDate"])
            assert self.closed.setdefault(arn, end) == end, f"{arn} has ended twice: {self.closed[arn]}, {end}"
        if with_history:
            check_history(caller, arn, state["status"])


def history(caller, arn):
    found, token = [], {}
    while True:
        page = caller.call("GetExecutionHistory", executionArn=arn, maxResults=1000, **token)
        found += page["events"]
        if "nextToken" not in page:
            return found
        token = {"nextToken": page["nextToken"]}


def check_history(caller, arn, status):
    found = history(caller, arn)
    assert [event["id"] for event in found] == list(range(1, len(found) + 1)), f"{arn}: gaps or doubles"
    ends = [event for event in found if event["type"] in ENDS]
    if status == "RUNNING":
        assert not ends, f"{arn} runs, and has ended: {ends}"
    else:
        assert len(ends) == 1 and found[-1] is ends[0], f"{arn}: {ends}"
    exits = [event["previousEventId"] for event in found if event["type"] == "WaitStateExited"]
    assert len(exits) == len(set(exits)), f"{arn}: a timer fired twice"


class Load:
    """Clients of one life of the server; each ends with the first call that the server's death breaks off."""

    ALL = ("start", "start", "start", "stop", "work", "work", "call_back")
    # Those that end what was begun.
    ENDING = ("work", "work", "call_back", "call_back")

    def __init__(self, port, journal, functions, seed, number, roles=ALL):
        self.port, self.journal, self.functions = port, journal, functions
        self.number = number  # an iterator of numbers for executions
        self.ended = threading.Event()
        self.threads = []
        for place, name in enumerate(roles):
            role, dice = getattr(self, name), random.Random(f"{seed} {place}")
            self.threads.append(threading.Thread(target=self.play, args=(role, dice), daemon=True))
        for thread in self.threads:
            thread.start()

    def play(self, role, dice):
        caller = Caller(self.port)
        while not self.ended.is_set():
            try:
                role(caller, dice)
            except Refused as refusal:
                if "TaskTimedOut" in str(refusal):
                    continue
                # A server that dies may say so before it does.
                return
            except (OSError, http.client.HTTPException, ValueError):
                return

    def start(self, caller, dice):
        machine, number = dice.choice(list(MACHINES)), next(self.number)
        arn = f"{ARN}:execution:{machine}:x{number}"
        answer = caller.call(
            "StartExecution",
            stateMachineArn=f"{ARN}:stateMachine:{machine}",
            name=f"x{number}",
            input=json.dumps({"n": number}),
        )
        assert answer["executionArn"] == arn
        self.journal.note(self.journal.started, arn, number)

    def stop(self, caller, dice):
        arns = [arn for arn in list(self.journal.started)[-200:] if arn not in self.journal.stopped]
        if not arns:
            time.sleep(0.01)
            return
        arn = dice.choice(arns)
        stopped = caller.call("StopExecution", executionArn=arn, error="Stop", cause="by the client")
        self.journal.note(self.journal.stopped, arn, stopped["stopDate"])
        time.sleep(0.02)

    def work(self, caller, dice):
        task = caller.call("GetActivityTask", activityArn=ACTIVITY, workerName="w")
        if not task.get("taskToken"):
            return
        if dice.random() < 0.2:
            caller.call("SendTaskHeartbeat", taskToken=task["taskToken"])
        number, output = json.loads(task["input"])["n"], json.dumps({"worked": dice.random()})
        caller.call("SendTaskSuccess", taskToken=task["taskToken"], output=output)
        self.journal.note(self.journal.answered, number, output)

    def call_back(self, caller, dice):
        if not self.functions.tokens:
            time.sleep(0.01)
            return
        token, number = self.functions.tokens.popleft()
        output = json.dumps({"called": dice.random()})
        caller.call("SendTaskSuccess", taskToken=token, output=output)
        self.journal.note(self.journal.answered, number, output)

    def end(self):
        self.ended.set()
        for thread in self.threads:
            thread.join(timeout=30)
            assert not thread.is_alive(), "a client hangs"


def set_up(caller):
    caller.call("CreateActivity", name="workers")
    for name, definition in MACHINES.items():
        caller.call("CreateStateMachine", name=name, definition=definition, roleArn=ROLE)


def check_answers(caller, journal):
    """Once all is over: an acknowledged answer is in the history of its execution."""
    for arn, number in journal.started.items():
        if number not in journal.answered:
            continue
        events = history(caller, arn)
        kinds = collections.Counter(event["type"] for event in events)
        if kinds["TaskStarted"] > kinds["TaskSubmitted"]:
            # An answer that comes before the call with its token has come back ends the task when that does. If it
            # never does, because of a time-out or a stop, the answer has come to nothing, as on AWS.
            continue
        outputs = [
            details.get("output")
            for event in events
            for details in (event.get("activitySucceededEventDetails"), event.get("taskSucceededEventDetails"))
            if details
        ]
        assert journal.answered[number] in outputs, f"{arn}: the acknowledged answer {journal.answered[number]} is lost"


def drain(port, journal, functions, number):
    """Ends everything that is open: naps end, tasks are answered, sleepers are stopped."""
    caller = Caller(port)
    load = Load(port, journal, functions, "drain", number, Load.ENDING)
    # Also those whose start nobody was told of.
    sleep = f"{ARN}:stateMachine:sleep"
    while sleepers := caller.call("ListExecutions", stateMachineArn=sleep, statusFilter="RUNNING")["executions"]:
        for sleeper in sleepers:
            arn = sleeper["executionArn"]
            stopped = caller.call("StopExecution", executionArn=arn, error="Stop", cause="by the client")
            journal.note(journal.stopped, arn, stopped["stopDate"])

    def open_executions():
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        connection.request("GET", "/health")
        return json.loads(connection.getresponse().read())["openExecutions"]

    wait_until("everything has ended", lambda: open_executions() == 0)
    load.ended.set()
