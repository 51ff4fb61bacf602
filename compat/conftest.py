"""Fixtures: a server for a whole file of tests, moto in the part of AWS, and names that no other test uses."""

import contextlib
import itertools
import pathlib
import socket
import subprocess
import sys

import boto3
import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "samples"))

from server import REGION, Server, wait_until  # noqa: E402


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("server")).start()
    yield server
    assert server.alive(), f"the server ended while it was tested:\n{server.log}"
    assert server.stop() == 0, server.log


@pytest.fixture(scope="module")
def sfn(server):
    return server.connect()


@pytest.fixture(scope="module")
def moto(tmp_path_factory):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = open(tmp_path_factory.mktemp("moto") / "log", "wb")
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    process = subprocess.Popen(command, stdout=log, stderr=log)

    def answers():
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return True

    wait_until("moto listens", answers)
    yield f"http://127.0.0.1:{port}"
    process.terminate()
    process.wait(timeout=30)


@pytest.fixture(scope="module")
def aws(moto):
    def client(service, **credentials):
        keys = {"aws_access_key_id": "key", "aws_secret_access_key": "secret", **credentials}
        return boto3.client(service, region_name=REGION, endpoint_url=moto, **keys)

    return client


@pytest.fixture
def own_server(tmp_path):
    """A server that the test may end and start as it likes."""
    server = Server(tmp_path)
    yield server
    server.kill()


@pytest.fixture
def name(request, counter=itertools.count(1)):
    """A name of the test's own for what it creates."""
    return f"{request.node.originalname.removeprefix('test_').replace('_', '-')[:60]}-{next(counter)}"
