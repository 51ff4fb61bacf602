"""The commands that need no server: `run` and `validate`, their output and their exit codes."""

import datetime
import json
import subprocess

import pytest

import deploy
from definitions import PASS, text
from server import DEADLINE_SECONDS, ROOT, Server, binary

FAIL = text({"StartAt": "F", "States": {"F": {"Type": "Fail", "Error": "Bad.Luck", "Cause": "as planned"}}})
DANGLING = text({"StartAt": "P", "States": {"P": {"Type": "Pass", "Next": "Q"}}})


def stepwell(*words, code):
    done = subprocess.run(
        [str(binary()), *map(str, words)], capture_output=True, text=True, timeout=DEADLINE_SECONDS, cwd=ROOT
    )
    assert done.returncode == code, (done.stdout, done.stderr)
    assert "panicked" not in done.stderr
    return done


@pytest.fixture
def file(tmp_path):
    def write(content):
        path = tmp_path / "definition.asl.json"
        path.write_text(content, encoding="utf-8")
        return path

    return write


def test_run_prints_trace_and_output(file):
    done = stepwell("run", file(PASS), "--input", '{"n": 1}', code=0)
    assert "Pass" in done.stdout + done.stderr
    assert '{"n": 1}' in done.stdout
    assert "\033" not in done.stdout, "no colours where nobody looks"


def test_run_of_the_transformation_gives_its_report():
    sample = ROOT / "samples" / "order-transformation"
    machine = sample / "order-transformation.asl.json"
    done = stepwell("run", machine, "--input", f"@{sample / 'orders.json'}", "--json", code=0)
    # One JSON object, or one a line; the last one tells how it ended.
    last = json.loads(done.stdout.strip().splitlines()[-1])
    output = last["output"]
    report = json.loads(output) if isinstance(output, str) else output
    assert report == json.loads((sample / "report.json").read_text(encoding="utf-8"))


def test_run_of_a_failure(file):
    done = stepwell("run", file(FAIL), code=1)
    assert "Bad.Luck" in done.stdout + done.stderr and "as planned" in done.stdout + done.stderr


def test_a_fast_run_skips_what_is_only_waited_for(file):
    again = {"ErrorEquals": ["States.ALL"], "IntervalSeconds": 600, "BackoffRate": 2, "MaxAttempts": 3}
    call = {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Parameters": {"FunctionName": "unreachable"},
        "Retry": [again],
        "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Late"}],
        "End": True,
    }
    late = {"Type": "Pass", "Parameters": {"began.$": "$$.Execution.StartTime", "now.$": "$$.State.EnteredTime"}, "End": True}
    states = {"Month": {"Type": "Wait", "Seconds": 30 * 86_400, "Next": "Call"}, "Call": call, "Late": late}
    written = file(json.dumps({"StartAt": "Month", "States": states}))
    done = stepwell("run", written, "--fast", "--json", "--lambda-endpoint", "http://127.0.0.1:9", code=0)
    times = json.loads(done.stdout.strip().splitlines()[-1])["output"]
    began, now = (datetime.datetime.fromisoformat(times[name]) for name in ("began", "now"))
    waited = (now - began).total_seconds() - 30 * 86_400 - (600 + 1_200 + 2_400)
    assert 0 <= waited < 600, times


@pytest.mark.parametrize(
    ("definition", "given"),
    [(PASS, "not json"), (DANGLING, "{}"), ("not a definition", "{}"), (PASS, "@/no/such/file")],
)
def test_run_of_bad_input(file, definition, given):
    done = stepwell("run", file(definition), "--input", given, code=2)
    assert done.stderr.strip(), "it says nothing"


def test_run_of_no_file(tmp_path):
    assert "missing.json" in stepwell("run", tmp_path / "missing.json", code=2).stderr


def test_validate(file):
    names = [ROOT / "samples" / name / f"{name}.asl.json" for name in deploy.SAMPLES]
    stepwell("validate", *names, code=0)
    done = stepwell("validate", file(DANGLING), code=1)
    said = done.stdout + done.stderr
    assert "MISSING_TRANSITION_TARGET" in said and "/States/P/Next" in said


def test_validate_advises_where_the_api_is_silent(file):
    misspelled = text({"StartAt": "P", "States": {"P": {"Type": "Pass", "InputPath": "$nobody", "End": True}}})
    done = stepwell("validate", file(misspelled), code=0)
    assert "UNASSIGNED_VARIABLE" in done.stdout and "/States/P/InputPath" in done.stdout
    verdict = json.loads(stepwell("validate", "--json", file(misspelled), code=0).stdout)
    assert verdict["result"] == "OK"
    assert [(problem["severity"], problem["code"]) for problem in verdict["diagnostics"]] == [
        ("WARNING", "UNASSIGNED_VARIABLE")
    ]


def test_serve_refuses_what_is_no_data_folder(tmp_path):
    (tmp_path / "data").write_text("a file, not a folder", encoding="utf-8")
    done = subprocess.run(Server(tmp_path).command(), capture_output=True, text=True, timeout=DEADLINE_SECONDS)
    assert done.returncode not in (0, 101)
    assert "data" in done.stderr and "panicked" not in done.stderr
