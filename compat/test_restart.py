"""What was acknowledged is still there after kill -9, and goes on to its end; a data folder is guarded."""

import concurrent.futures
import pathlib
import signal
import subprocess

from definitions import PASS, activity, wait
from server import DEADLINE_SECONDS, ROLE, Server, await_event, closed, events, wait_until


def create(sfn, name, definition):
    return sfn.create_state_machine(name=name, definition=definition, roleArn=ROLE)["stateMachineArn"]


def test_every_acknowledged_start_survives_kill_9(own_server):
    sfn = own_server.start().connect()
    machine = create(sfn, "sleeper", wait(3))
    acknowledged = {}

    def start(number):
        try:
            answer = sfn.start_execution(stateMachineArn=machine, name=f"e{number}", input=f'{{"n": {number}}}')
        except Exception:  # noqa: BLE001: whatever the blow does to a request, it was not acknowledged
            return
        acknowledged[answer["executionArn"]] = number

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        starts = [pool.submit(start, number) for number in range(400)]
        wait_until("a hundred starts were answered", lambda: len(acknowledged) >= 100)
        own_server.kill()
        concurrent.futures.wait(starts)

    sfn = own_server.start().connect()
    assert len(acknowledged) >= 100
    for execution, number in acknowledged.items():
        state = closed(sfn, execution)
        assert (state["status"], state["output"]) == ("SUCCEEDED", f'{{"n": {number}}}')
        found = events(sfn, execution)
        assert [event["id"] for event in found] == list(range(1, len(found) + 1))
        assert [event["type"] for event in found] == [
            "ExecutionStarted",
            "WaitStateEntered",
            "WaitStateExited",
            "ExecutionSucceeded",
        ]
    assert own_server.stop() == 0


def test_history_tokens_and_tags_survive_kill_9(own_server):
    sfn = own_server.start().connect()
    arn = sfn.create_activity(name="bell")["activityArn"]
    machine = create(sfn, "ringer", activity(arn))
    sfn.tag_resource(resourceArn=machine, tags=[{"key": "kept", "value": "yes"}])
    done = sfn.start_execution(stateMachineArn=create(sfn, "passer", PASS), name="done")["executionArn"]
    before = (closed(sfn, done), events(sfn, done))
    taken = sfn.start_execution(stateMachineArn=machine, name="taken")["executionArn"]
    token = sfn.get_activity_task(activityArn=arn)["taskToken"]
    waiting = sfn.start_execution(stateMachineArn=machine, name="waiting", input='{"n": 2}')["executionArn"]
    await_event(sfn, waiting, "ActivityScheduled")
    own_server.kill()

    sfn = own_server.start().connect()
    after = (closed(sfn, done), events(sfn, done))
    assert {**after[0], "ResponseMetadata": 0} == {**before[0], "ResponseMetadata": 0}
    assert after[1] == before[1]
    assert sfn.list_tags_for_resource(resourceArn=machine)["tags"] == [{"key": "kept", "value": "yes"}]
    # The token that a worker holds is still good, and the task that nobody took is still to be had.
    sfn.send_task_success(taskToken=token, output='"rung"')
    assert closed(sfn, taken)["output"] == '"rung"'
    task = sfn.get_activity_task(activityArn=arn)
    assert task["input"] == '{"n": 2}'
    sfn.send_task_success(taskToken=task["taskToken"], output='"rung"')
    assert closed(sfn, waiting)["status"] == "SUCCEEDED"
    # Names stay taken and idempotence holds over the restart.
    assert own_server.stop() == 0


def test_timers_that_came_due_while_the_server_was_down_fire(own_server):
    sfn = own_server.start().connect()
    execution = sfn.start_execution(stateMachineArn=create(sfn, "sleeper", wait(1)))["executionArn"]
    assert own_server.stop() == 0
    sfn = own_server.start().connect()
    assert closed(sfn, execution)["status"] == "SUCCEEDED"


def test_a_data_folder_has_one_server(own_server, tmp_path):
    own_server.start()
    second_folder = tmp_path / "second"
    second_folder.mkdir()
    second = Server(second_folder, data=own_server.data)
    done = subprocess.run(second.command(), capture_output=True, text=True, timeout=DEADLINE_SECONDS)
    assert done.returncode not in (0, -signal.SIGABRT)
    assert "in use" in done.stderr + done.stdout
    assert "panicked" not in done.stderr
    own_server.connect().list_state_machines()


def test_memory_keeps_nothing(tmp_path):
    server = Server(tmp_path, data=":memory:")
    try:
        sfn = server.start().connect()
        machine = create(sfn, "passer", PASS)
        assert closed(sfn, sfn.start_execution(stateMachineArn=machine)["executionArn"])["status"] == "SUCCEEDED"
        assert server.stop() == 0
        sfn = server.start().connect()
        assert sfn.list_state_machines()["stateMachines"] == []
        assert not pathlib.Path(tmp_path, ":memory:").exists()
    finally:
        server.kill()
