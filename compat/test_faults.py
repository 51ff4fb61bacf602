"""A disk that is full, that fails, or that may not be written to: the server says so, loses nothing, and recovers."""

import json
import os
import pathlib
import shutil
import subprocess
import urllib.error
import urllib.request

import pytest

from crash_load import Caller, Refused, check_history
from definitions import PASS, wait
from server import ACCOUNT, DEADLINE_SECONDS, REGION, ROLE, Server, wait_until

MACHINE = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine"


def health(server):
    """The status of the answer, and what it says."""
    try:
        with urllib.request.urlopen(f"{server.endpoint}/health", timeout=10) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as refusal:
        return refusal.code, json.load(refusal)


def start_until_refused(server, payload_bytes, limit=20_000):
    """Starts executions until the server refuses one; gives the ARNs of those that it acknowledged."""
    caller = Caller(server.port)
    caller.call("CreateStateMachine", name="passer", definition=PASS, roleArn=ROLE)
    caller.call("CreateStateMachine", name="sleeper", definition=wait(86_400), roleArn=ROLE)
    acknowledged = {}
    for number in range(limit):
        text = json.dumps({"n": number, "x": os.urandom(payload_bytes // 2).hex()})
        name = "passer" if number % 2 else "sleeper"
        try:
            answer = caller.call("StartExecution", stateMachineArn=f"{MACHINE}:{name}", name=f"x{number}", input=text)
        except Refused as refusal:
            assert "503" in str(refusal), refusal
            return acknowledged
        acknowledged[answer["executionArn"]] = (name, text)
    raise AssertionError(f"the server took {limit} starts")


def check_refusing(server, acknowledged, *reasons):
    """It refuses writes and says why, in one of these ways; what it acknowledged can still be read."""
    status, state = health(server)
    assert (status, state["status"]) == (503, "poisoned"), state
    assert any(reason in state["reason"] and reason in server.log for reason in reasons), state
    assert "nothing is written any more" in server.log
    caller = Caller(server.port)
    for action, request in [
        ("StartExecution", {"stateMachineArn": f"{MACHINE}:passer"}),
        ("CreateActivity", {"name": "late"}),
        ("StopExecution", {"executionArn": f"arn:aws:states:{REGION}:{ACCOUNT}:execution:sleeper:x0"}),
    ]:
        with pytest.raises(Refused, match="503"):
            caller.call(action, **request)
    check_kept(server, acknowledged)
    assert "panicked" not in server.log


def check_kept(server, acknowledged):
    caller = Caller(server.port)
    for arn, (name, text) in acknowledged.items():
        state = caller.call("DescribeExecution", executionArn=arn)
        assert state["input"] == text, arn
        assert state["status"] == ("SUCCEEDED" if name == "passer" else "RUNNING"), state
        check_history(caller, arn, state["status"])


def check_recovered(server, acknowledged):
    """All is there, and writes are taken again."""
    server.start()
    assert health(server)[0] == 200
    check_kept(server, acknowledged)
    caller = Caller(server.port)
    for arn, (name, _) in list(acknowledged.items())[:4]:
        if name == "sleeper":
            caller.call("StopExecution", executionArn=arn)
            assert caller.call("DescribeExecution", executionArn=arn)["status"] == "ABORTED"
    assert server.stop() == 0


def test_a_full_disk(tmp_path):
    mount = tmp_path / "disk"
    mount.mkdir()
    small = ["mount", "-t", "tmpfs", "-o", "size=96m", "none", str(mount)]
    if subprocess.run(small, capture_output=True).returncode:
        full_file(tmp_path)
        return
    try:
        server = Server(tmp_path, data=mount / "data")
        try:
            acknowledged = start_until_refused(server.start(), 200_000)
            assert acknowledged
            # Found by the journal, or by what writes tables in the background.
            check_refusing(server, acknowledged, "No space left on device", "is the disk full?")
            server.stop()
            subprocess.run(["mount", "-o", "remount,size=512m", str(mount)], check=True)
            check_recovered(server, acknowledged)
        finally:
            server.kill()
    finally:
        subprocess.run(["umount", str(mount)], check=True)


def full_file(tmp_path):
    """Where nobody may mount: the journal, which is made 64 MiB long, may not grow beyond 16 MiB once it is opened again."""
    server = Server(tmp_path)
    try:
        for _ in range(2):
            server.start()
            assert server.stop() == 0
        server.wrapper = ["sh", "-c", "trap '' XFSZ; ulimit -f 32768; exec \"$0\" \"$@\""]
        acknowledged = start_until_refused(server.start(), 100_000)
        check_refusing(server, acknowledged, "File too large", "is the disk full?")
        server.stop()
        server.wrapper = []
        check_recovered(server, acknowledged)
    finally:
        server.kill()


def test_a_limit_on_the_size_of_files(tmp_path):
    full_file(tmp_path)


@pytest.mark.parametrize("call", ["fdatasync", "write"])
def test_a_disk_that_fails(tmp_path, call):
    """EIO, from the 40th sync of the data folder on, or from the 60th write to it."""
    server = Server(tmp_path)
    assert shutil.which("strace"), "scripts/setup installs strace"
    subprocess.run(["strace", "-qq", "-o", "/dev/null", "true"], capture_output=True, check=True)
    try:
        server.start()
        assert server.stop() == 0
        journal = sorted((pathlib.Path(server.data) / "rows").glob("*.jnl"))[-1]
        first = {"fdatasync": 40, "write": 60}[call]
        server.wrapper = [
            "strace", "-D", "-f", "-qq", "-o", "/dev/null", "-P", str(journal),
            "-e", f"trace={call}", "-e", f"inject={call}:error=EIO:when={first}+",
        ]  # fmt: skip
        acknowledged = start_until_refused(server.start(), 1_000)
        assert acknowledged
        check_refusing(server, acknowledged, "Input/output error")
        server.kill()
        server.wrapper = []
        check_recovered(server, acknowledged)
    finally:
        server.kill()


def test_a_folder_that_may_not_be_written(tmp_path):
    server = Server(tmp_path)
    try:
        server.start()
        caller = Caller(server.port)
        caller.call("CreateStateMachine", name="passer", definition=PASS, roleArn=ROLE)
        arn = caller.call("StartExecution", stateMachineArn=f"{MACHINE}:passer", name="x1")["executionArn"]
        assert server.stop() == 0
        with read_only(server.data) as wrapper:
            server.wrapper = wrapper
            done = subprocess.run(server.command(), capture_output=True, text=True, timeout=DEADLINE_SECONDS)
            assert done.returncode == 1
            assert "cannot write to the data folder" in done.stderr, done.stderr
            assert "Permission denied" in done.stderr or "Read-only file system" in done.stderr, done.stderr
            assert "panicked" not in done.stderr
        server.wrapper = []
        server.start()
        state = Caller(server.port).call("DescribeExecution", executionArn=arn)
        assert state["status"] == "SUCCEEDED"
        assert server.stop() == 0
    finally:
        server.kill()


class read_only:
    """The folder without the right to write; gives the wrapper under which a server must meet it."""

    def __init__(self, folder):
        self.folder = folder

    def __enter__(self):
        if os.geteuid():
            os.chmod(self.folder, 0o555)
            return []
        # Rights do not bind root: a mount does, or another user.
        bind = ["mount", "--bind", "-o", "ro", self.folder, self.folder]
        self.mounted = subprocess.run(bind, capture_output=True).returncode == 0
        if self.mounted:
            return []
        return ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]

    def __exit__(self, *_):
        if os.geteuid():
            os.chmod(self.folder, 0o755)
        elif self.mounted:
            subprocess.run(["umount", self.folder], check=True)
            wait_until("the mount has gone", lambda: not os.path.ismount(self.folder))
