"""`stepwell data`: damage is told, what is readable is saved, and a running server is backed up."""

import concurrent.futures
import json
import os
import pathlib
import random
import shutil
import subprocess

from crash_load import Caller, check_history, history
from definitions import PASS, chain, wait
from server import ACCOUNT, DEADLINE_SECONDS, REGION, ROLE, Server, binary

MACHINE = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine"
SEED = os.environ.get("STEPWELL_DAMAGE_SEED") or str(random.SystemRandom().randrange(1_000_000))
FLIPS = int(os.environ.get("STEPWELL_DAMAGE_FLIPS", "6"))


def data(*words):
    """Runs a data command; its exit code, and its report where it gave one as JSON."""
    done = subprocess.run([str(binary()), "data", *map(str, words)], capture_output=True, text=True, timeout=DEADLINE_SECONDS)
    assert "panicked" not in done.stderr and done.returncode in (0, 1, 2), done.stderr
    report = (done.stdout or done.stderr).strip().splitlines()
    try:
        return done.returncode, json.loads(report[-1])
    except (IndexError, ValueError):
        return done.returncode, done.stderr


def fill(server, count):
    """Executions that have ended and others that wait; ARN -> (status, input)."""
    caller = Caller(server.port)
    for name, definition in [("passer", PASS), ("chain", chain(30)), ("sleeper", wait(86_400))]:
        caller.call("CreateStateMachine", name=name, definition=definition, roleArn=ROLE)
    made = {}
    for number in range(count):
        name = ("passer", "chain", "sleeper")[number % 3]
        text = json.dumps({"n": number, "x": f"{number:06}" * (1_500 if number % 5 == 0 else 10)})
        arn = caller.call("StartExecution", stateMachineArn=f"{MACHINE}:{name}", name=f"x{number}", input=text)["executionArn"]
        made[arn] = ("RUNNING" if name == "sleeper" else "SUCCEEDED", text)
    return made


def check_all(server, made, missing=frozenset()):
    caller = Caller(server.port)
    for arn, (status, text) in made.items():
        if arn in missing:
            continue
        state = caller.call("DescribeExecution", executionArn=arn)
        assert (state["status"], state["input"]) == (status, text), arn
        check_history(caller, arn, status)


def served(folder, place):
    """A server over another data folder."""
    place.mkdir(exist_ok=True)
    return Server(place, data=folder)


def test_a_sound_folder_is_exported_and_imported(tmp_path):
    server = Server(tmp_path)
    try:
        made = fill(server.start(), 60)
        assert data("check", "--data", server.data)[0] == 1, "a server has it open"
        assert server.stop() == 0
    finally:
        server.kill()
    code, report = data("check", "--data", server.data, "--json")
    assert code == 0 and report["sound"] and report["executions"] == 60 and report["running"] == 20, report
    file, copy = tmp_path / "rows.jsonl", tmp_path / "copy"
    code, report = data("export", file, "--data", server.data, "--json")
    assert code == 0 and report["damage"] == [] and report["rows"] > 200, report
    assert json.loads(file.read_text().splitlines()[0]) == {"format": "stepwell-export", "version": 1}
    assert data("export", file, "--data", server.data)[0] == 2, "it overwrites nothing"
    assert data("import", file, "--data", copy, "--json")[1]["rows"] == report["rows"]
    assert data("import", file, "--data", copy)[0] == 2, "nor a folder"
    assert data("check", "--data", copy, "--json")[1]["executions"] == 60
    other = served(copy, tmp_path / "other")
    try:
        check_all(other.start(), made)
        assert other.stop() == 0
    finally:
        other.kill()
    # One that was cut or changed is refused, and leaves nothing behind.
    lines = file.read_text().splitlines(keepends=True)
    for broken in ["".join(lines[:-1]), "".join(lines[:3] + lines[4:]), "x" + "".join(lines)]:
        cut = tmp_path / "cut.jsonl"
        cut.write_text(broken)
        assert data("import", cut, "--data", tmp_path / "nothing")[0] == 1
        assert not (tmp_path / "nothing").exists()
    assert data("check", "--data", tmp_path / "nowhere")[0] == 2
    assert not [path for path in tmp_path.iterdir() if ".scratch-" in path.name or ".incomplete-" in path.name]


def test_a_backup_beside_the_running_server(tmp_path):
    server = Server(tmp_path)
    try:
        made = fill(server.start(), 60)
        caller = Caller(server.port)
        going = True

        def load():
            number = 0
            while going:
                number += 1
                Caller(server.port).call("StartExecution", stateMachineArn=f"{MACHINE}:passer", name=f"late{number}")
            return number

        with concurrent.futures.ThreadPoolExecutor() as pool:
            late = pool.submit(load)
            code, report = data("backup", tmp_path / "backup", "--data", server.data, "--json")
            going = False
            assert late.result() > 0
        assert code == 0 and report["rows"] > 200, report
        assert data("export", tmp_path / "rows.jsonl", "--data", server.data, "--json")[0] == 0
        assert oct((pathlib.Path(server.data) / "control").stat().st_mode & 0o777) == "0o600"
        # The server goes on, and so does the backup, apart from it.
        caller.call("StartExecution", stateMachineArn=f"{MACHINE}:passer", name="after")
        code, report = data("check", "--data", tmp_path / "backup", "--json")
        assert code == 0 and report["sound"], report
        other = served(tmp_path / "backup", tmp_path / "other")
        try:
            check_all(other.start(), made)
            assert other.stop() == 0
        finally:
            other.kill()
        # One that was killed leaves its socket; the folder is then read without a server.
        server.kill()
        assert data("backup", tmp_path / "second", "--data", server.data, "--json")[0] == 0
        assert data("check", "--data", tmp_path / "second", "--json")[1]["sound"]
    finally:
        server.kill()


def test_flipped_bytes_are_told_and_the_rest_is_saved(tmp_path, capsys):
    """Each time one byte of the data files is flipped: no panic, the damage is told, and what it left is exported."""
    dice = random.Random(SEED)
    with capsys.disabled():
        print(f"\nSTEPWELL_DAMAGE_SEED={SEED}, {FLIPS} flips")
    server = Server(tmp_path)
    try:
        made = fill(server.start(), 90)
        assert server.stop() == 0
        # Opened again, so that the journal is as long as what it holds.
        server.start()
        assert server.stop() == 0
    finally:
        server.kill()
    found = unchanged = 0
    for number in range(FLIPS):
        folder, place = tmp_path / f"flip{number}", tmp_path / f"place{number}"
        shutil.copytree(server.data, folder)
        files = [path for path in sorted((folder / "rows").rglob("*")) if path.is_file() and path.stat().st_size]
        journals = [path for path in files if path.suffix == ".jnl"]
        path = dice.choice(journals if number % 2 == 0 else files)
        content = bytearray(path.read_bytes())
        used = len(content.rstrip(b"\0")) or len(content)
        at = dice.randrange(used)
        content[at] ^= 1 << dice.randrange(8)
        path.write_bytes(content)
        what = f"seed {SEED}, flip {number}: {path.relative_to(folder)} at {at} of {used}"

        code, report = data("check", "--data", folder, "--json")
        assert isinstance(report, dict), f"{what}: {report}"
        assert code == (0 if report["sound"] else 1), what
        lost = {broken["executionArn"] for broken in report["broken"]}
        code, saved = data("export", tmp_path / f"{number}.jsonl", "--data", folder, "--json")
        assert isinstance(saved, dict) and code == (1 if saved["damage"] else 0), f"{what}: {saved}"
        copy = tmp_path / f"copy{number}"
        assert data("import", tmp_path / f"{number}.jsonl", "--data", copy, "--json")[0] == 0, what
        code, after = data("check", "--data", copy, "--json")
        assert after["damage"] == [], f"{what}: the copy is sound as a folder"
        # Executions of which nothing at all is left are named by nobody: the count tells.
        gone = 90 - after["executions"]
        assert gone == 0 or not report["sound"], f"{what}: {gone} executions are gone and nobody says so"
        assert gone + len(after["broken"]) <= 20 or "cannot be read" in str(report["damage"]), f"{what}: {after}"
        found += not report["sound"]
        unchanged += report["sound"]
        other = served(copy, place)
        try:
            other.start()
            caller = Caller(other.port)
            kept = 0
            broken = {entry["executionArn"] for entry in after["broken"]} | lost
            for arn, (status, text) in made.items():
                try:
                    state = caller.call("DescribeExecution", executionArn=arn)
                except Exception:  # noqa: BLE001: one that is lost, whatever the server says of it
                    caller = Caller(other.port)
                    continue
                if arn in broken:
                    continue
                kept += 1
                assert state["input"] == text, f"{what}: {arn}"
                assert history(caller, arn)
            assert kept + gone + len(after["broken"]) >= 90 or lost, what
        except AssertionError as error:
            # The row of the owner or of a machine may be what was lost: then the server says so and does not start.
            assert "before it listened" in str(error) and "panicked" not in other.log, f"{what}: {error}"
        finally:
            other.kill()
        for path in (folder, copy):
            shutil.rmtree(path)
    assert found, f"{unchanged} flips changed nothing"
