"""Fixtures: a server for a whole file of tests, and names that no other test uses."""

import itertools
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "samples"))

from server import Server  # noqa: E402


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("server")).start()
    yield server
    assert server.alive(), f"the server ended while it was tested:\n{server.log}"
    assert server.stop() == 0, server.log


@pytest.fixture(scope="module")
def sfn(server):
    return server.connect()


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
