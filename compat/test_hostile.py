"""Executions that ask for more than any evaluation may have: each ends as on AWS, and the server goes on."""

import pytest

from definitions import PASS, text
from hostile_cases import ENDED, JSONATA, JSONATA_ANSWERED, JSONATA_REFUSED, JSONPATH, jsonata, payload
from server import ROLE, closed


def run(sfn, name, definition, input="{}"):
    machine = sfn.create_state_machine(name=name, definition=definition, roleArn=ROLE)["stateMachineArn"]
    return closed(sfn, sfn.start_execution(stateMachineArn=machine, input=input)["executionArn"])


@pytest.fixture(autouse=True)
def others_go_on(server, sfn, name):
    yield
    assert run(sfn, f"{name}-after", PASS)["status"] == "SUCCEEDED"
    assert server.alive()


@pytest.mark.parametrize("case", JSONATA)
def test_jsonata_is_ended(sfn, name, case):
    ended = run(sfn, name, text(jsonata(JSONATA[case])), payload())
    assert (ended["status"], ended.get("error")) == ("FAILED", "States.QueryEvaluationError"), ended
    assert any(reason in ended["cause"] for reason in ENDED), ended["cause"]


@pytest.mark.parametrize("case", JSONATA_ANSWERED)
def test_jsonata_is_answered(sfn, name, case):
    expression, output = JSONATA_ANSWERED[case]
    ended = run(sfn, name, text(jsonata(expression)), payload())
    assert (ended["status"], ended.get("output")) == ("SUCCEEDED", output), ended


@pytest.mark.parametrize("case", JSONATA_REFUSED)
def test_jsonata_is_refused_by_the_function(sfn, name, case):
    ended = run(sfn, name, text(jsonata(JSONATA_REFUSED[case])))
    assert (ended["status"], ended.get("error")) == ("FAILED", "States.QueryEvaluationError"), ended


@pytest.mark.parametrize("case", JSONPATH)
def test_jsonpath_ends(sfn, name, case):
    ended = run(sfn, name, text(JSONPATH[case]), payload())
    assert ended["status"] in ("SUCCEEDED", "FAILED"), ended


def test_eight_at_once_and_others_beside_them(sfn, name):
    definition = text(jsonata(JSONATA["tail-recursion"]))
    machine = sfn.create_state_machine(name=name, definition=definition, roleArn=ROLE)["stateMachineArn"]
    hostile = [sfn.start_execution(stateMachineArn=machine)["executionArn"] for _ in range(8)]
    for number in range(20):
        assert run(sfn, f"{name}-{number}", PASS)["status"] == "SUCCEEDED"
    for execution in hostile:
        assert "Expression evaluation timeout" in closed(sfn, execution)["cause"]
