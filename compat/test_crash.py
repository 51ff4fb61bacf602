"""kill -9 at random moments under a mixed load: everything that was acknowledged is there afterwards.

STEPWELL_CRASH_ROUNDS says how often (`make crash`: 100), STEPWELL_CRASH_SEED repeats the moments of a run.
"""

import itertools
import os
import random
import subprocess
import time

import pytest

from crash_load import Caller, Functions, Journal, Load, check_answers, drain, set_up
from server import Server

ROUNDS = int(os.environ.get("STEPWELL_CRASH_ROUNDS", "4"))
SEED = os.environ.get("STEPWELL_CRASH_SEED") or str(random.SystemRandom().randrange(1_000_000))


@pytest.fixture
def functions():
    functions = Functions()
    yield functions
    functions.close()


def test_kill_9_under_load(tmp_path, functions, capsys):
    dice = random.Random(SEED)
    journal, numbers = Journal(), itertools.count(1)
    server = Server(tmp_path, options=["--lambda-endpoint", functions.endpoint])
    checked = killed_at_start = 0
    with capsys.disabled():
        print(f"\nSTEPWELL_CRASH_SEED={SEED}, {ROUNDS} rounds")
    try:
        set_up(Caller(server.start().port))
        for number in range(1, ROUNDS + 1):
            load = Load(server.port, journal, functions, f"{SEED} {number}", numbers)
            time.sleep(dice.uniform(0.05, 1.5))
            server.kill()
            load.end()
            if dice.random() < 0.2:
                # Once more, while it still reads what it has.
                server.process = subprocess.Popen(server.command(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                time.sleep(dice.uniform(0.0, 0.4))
                server.kill()
                killed_at_start += 1
            checked += journal.check(Caller(server.start().port))
            if number % 10 == 0:
                with capsys.disabled():
                    print(f"{number} rounds: {len(journal.started)} starts, {len(journal.answered)} answers")
        drain(server.port, journal, functions, numbers)
        caller = Caller(server.port)
        journal.check(caller, everything=True)
        check_answers(caller, journal)
        assert server.stop() == 0, server.log
        assert "panicked" not in server.log
    finally:
        server.kill()
    assert len(journal.started) > 10 * ROUNDS and journal.answered and journal.stopped
    with capsys.disabled():
        print(
            f"{ROUNDS} rounds and {killed_at_start} kills while starting: {len(journal.started)} starts, "
            f"{len(journal.stopped)} stops, {len(journal.answered)} answers acknowledged, none lost"
        )
