"""A trace of system calls shows that no StartExecution is answered before its rows are on the disk."""

import re
import shutil
import subprocess

import pytest

from definitions import wait
from server import ROLE, Server

STARTS = 100

LINE = re.compile(
    r"^(?P<pid>\d+) +(?:(?P<call>\w+)\((?P<arguments>.*)|<\.\.\. (?P<resumed>\w+) resumed>(?P<rest>.*))$"
)


def traced(folder):
    """A server under strace; skips the test where that is not possible."""
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed")
    probe = subprocess.run(["strace", "-f", "-qq", "-o", "/dev/null", "true"], capture_output=True, text=True)
    if probe.returncode:
        pytest.skip(f"strace does not work here: {probe.stderr.strip()}")
    calls = "read,recvfrom,recvmsg,write,writev,pwrite64,pwritev,sendto,sendmsg,fsync,fdatasync,msync"
    # -D leaves the server as our own child, -y names the file behind each descriptor.
    options = ["-D", "-f", "-qq", "-y", "-s", "2048", "-o", str(folder / "trace"), "-e", f"trace={calls}"]
    return Server(folder, wrapper=["strace", *options])


def marks(trace, data):
    """The trace as marks: request, row (a write to the data folder), sync-begun, synced, answer."""
    open_calls = {}
    for line in trace.splitlines():
        match = LINE.match(line)
        if not match:
            continue
        if match["call"]:
            call, text = match["call"], match["arguments"]
            if text.endswith("<unfinished ...>"):
                open_calls[match["pid"]] = text
        else:
            call, text = match["resumed"], open_calls.pop(match["pid"], "") + match["rest"]
        done = not text.endswith("<unfinished ...>")
        in_data = f"<{data}" in text.split(",")[0]
        if call in ("fsync", "fdatasync", "msync") and in_data:
            if match["call"]:
                yield "sync-begun"
            if done and text.rstrip().endswith("= 0"):
                yield "synced"
        elif call.startswith(("write", "pwrite")) and in_data and done:
            yield "row"
        elif call in ("read", "recvfrom", "recvmsg") and done and "AWSStepFunctions.StartExecution" in text:
            yield "request"
        elif call in ("write", "writev", "sendto", "sendmsg") and match["call"] and not in_data:
            if "executionArn" in text:
                yield "answer"


def test_a_start_is_answered_after_its_sync(tmp_path):
    server = traced(tmp_path)
    try:
        sfn = server.start().connect()
        machine = sfn.create_state_machine(name="sleeper", definition=wait(3600), roleArn=ROLE)["stateMachineArn"]
        for number in range(STARTS):
            sfn.start_execution(stateMachineArn=machine, name=f"e{number}")
        assert server.stop() == 0
    finally:
        server.kill()
    trace = (tmp_path / "trace").read_text(encoding="utf-8", errors="replace")

    # Requests come one after another, so each answer must follow: request, row, a sync begun after the row, its end.
    answers, reached = 0, []
    order = ["request", "row", "sync-begun", "synced"]
    for mark in marks(trace, server.data):
        if mark == "request":
            reached = ["request"]
        elif mark == "answer":
            assert reached == order, f"answer {answers + 1} came after {reached} only"
            answers, reached = answers + 1, []
        elif reached and len(reached) < len(order) and mark == order[len(reached)]:
            reached.append(mark)
    assert answers == STARTS
