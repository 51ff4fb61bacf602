"""The AWS SDK for JavaScript takes the same walk: machines, versions, executions, activities, paginators, errors."""

import pathlib
import shutil
import subprocess

WALK = pathlib.Path(__file__).resolve().parent / "javascript" / "walk.mjs"


def test_a_walk_through(server):
    node = shutil.which("node")
    assert node, "the walk needs Node"
    done = subprocess.run([node, str(WALK), server.endpoint], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "the walk is done" in done.stdout
