"""Starts and ends the server under test, by its process id, on a port of its own choice."""

import json
import os
import pathlib
import signal
import socket
import subprocess
import time

import boto3
from botocore.config import Config

ROOT = pathlib.Path(__file__).resolve().parent.parent

ACCOUNT, REGION = "123456789012", "us-east-1"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/compat"

# No step of a test waits longer than this, whatever the machine's load.
DEADLINE_SECONDS = 60.0
POLL_SECONDS = 0.02


def wait_until(what, condition):
    """Calls `condition` until it gives something true, and gives that; fails after DEADLINE_SECONDS."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"waited {DEADLINE_SECONDS:.0f} s until {what}"
        time.sleep(POLL_SECONDS)


def binary():
    """The server to test: $STEPWELL_BIN, else the debug build."""
    if "STEPWELL_BIN" in os.environ:
        return pathlib.Path(os.environ["STEPWELL_BIN"]).resolve()
    metadata = subprocess.run(
        ["cargo", "metadata", "--format-version", "1", "--no-deps"], cwd=ROOT, check=True, capture_output=True
    )
    return pathlib.Path(json.loads(metadata.stdout)["target_directory"]) / "debug" / "stepwell"


class Server:
    """A server process over one data folder; it can be ended in either way and started again."""

    def __init__(self, folder, data=None, options=(), environment=None, wrapper=()):
        self.folder = pathlib.Path(folder)
        self.data = str(data or self.folder / "data")
        self.options = list(options)
        self.environment = dict(environment or {})
        # A program that runs the server, as in `strace -o FILE stepwell serve …`.
        self.wrapper = list(wrapper)
        self.process = None
        self.port = None

    @property
    def endpoint(self):
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self):
        return (self.folder / "server.log").read_text(encoding="utf-8", errors="replace")

    def command(self):
        return [
            *self.wrapper, str(binary()), "serve", "--data", self.data, "--port", "0",
            "--port-file", str(self.folder / "port"), "--account", ACCOUNT, "--region", REGION, *self.options,
        ]  # fmt: skip

    def start(self):
        port_file = self.folder / "port"
        port_file.unlink(missing_ok=True)
        with open(self.folder / "server.log", "ab") as log:
            self.process = subprocess.Popen(
                self.command(), stdout=log, stderr=log, cwd=self.folder, env={**os.environ, **self.environment}
            )

        def port():
            assert self.process.poll() is None, f"the server ended before it listened:\n{self.log}"
            return port_file.exists() and port_file.read_text().strip()

        self.port = int(wait_until("the server listens", port))
        return self

    def stop(self):
        """Ends the server as an operator does, and gives its exit code."""
        return self._end(signal.SIGTERM)

    def kill(self):
        """Ends the server as a power cut does."""
        return self._end(signal.SIGKILL)

    def _end(self, number):
        if self.process is None:
            return None
        self.process.send_signal(number)
        code = self.process.wait(timeout=DEADLINE_SECONDS)
        self.process = None
        return code

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def connect(self, region=REGION, key="compat"):
        """A boto3 client that tries nothing twice, so that a test sees every answer.

        A `key` of twelve digits is an account.
        """
        return boto3.client(
            "stepfunctions",
            endpoint_url=self.endpoint,
            region_name=region,
            aws_access_key_id=key,
            aws_secret_access_key="compat",
            config=Config(
                read_timeout=75, retries={"total_max_attempts": 1}, max_pool_connections=64, inject_host_prefix=False
            ),
        )

    def socket(self):
        """A bare connection, for requests that no client would send."""
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=DEADLINE_SECONDS)
        return connection


def closed(client, execution):
    """Waits until the execution is closed, and gives what DescribeExecution then says."""

    def description():
        state = client.describe_execution(executionArn=execution)
        return state if state["status"] != "RUNNING" else None

    return wait_until(f"{execution} is closed", description)


def events(client, execution, **options):
    """The whole history, page by page."""
    found, token = [], {}
    while True:
        page = client.get_execution_history(executionArn=execution, **options, **token)
        found += page["events"]
        if "nextToken" not in page:
            return found
        token = {"nextToken": page["nextToken"]}


def await_event(client, execution, kind):
    """Waits until an event of this type is in the history, and gives it."""
    return wait_until(
        f"{execution} has {kind}",
        lambda: next((event for event in events(client, execution) if event["type"] == kind), None),
    )
