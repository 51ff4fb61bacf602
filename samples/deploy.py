"""Creates the samples' activities and state machines, or brings them up to date, and runs them.

    .venv/bin/python samples/deploy.py [--endpoint URL] [--only NAME] [--run NAME [--input FILE]] [--all-events]

`--run` starts an execution, waits for its end, and prints its trace and output. The exit code is 0 if it succeeded,
1 if not, 2 if something about the call is wrong. Tasks are answered by worker.py.
"""

import argparse
import json
import pathlib
import sys
import time

from botocore.exceptions import BotoCoreError, ClientError

from connection import ACCOUNT_IN_FILES, ENDPOINT_DEFAULT, account_of, connect, create_activities
from execution_trace import print_trace
from worker import ACTIVITIES

FOLDER = pathlib.Path(__file__).resolve().parent

# Each sample is a folder of this name with NAME.asl.json in it; the value is the input that it runs with.
SAMPLES = {
    "order-fulfilment": "order.json",
    "approval": "claim.json",
    "nightly-batch": "night.json",
    "saga": "trip.json",
    "order-transformation": "orders.json",
    "parcel-quote": "parcels.json",
    "meter-readings": "readings.json",
}

# What inputs call the folder of the samples.
FOLDER_IN_FILES = "file:///samples/"

WAIT_SECONDS_MAX = 120
POLL_SECONDS = 0.1


def definition_text(name, account=ACCOUNT_IN_FILES):
    """The sample's definition, with activities and functions in `account` (`region:account`)."""
    text = (FOLDER / name / f"{name}.asl.json").read_text(encoding="utf-8")
    return text.replace(ACCOUNT_IN_FILES, account)


def input_text(name, file=None):
    """The text of one of the sample's inputs, of its default one if `file` is not given, with the folder's real path."""
    text = (FOLDER / name / (file or SAMPLES[name])).read_text(encoding="utf-8")
    return text.replace(FOLDER_IN_FILES, f"file://{FOLDER}/")


def deploy(client, names=tuple(SAMPLES)):
    """Creates or updates the state machines and gives their ARNs by name. Doing it twice changes nothing."""
    activities = create_activities(client, ACTIVITIES)
    region_and_account = account_of(next(iter(activities.values())))
    role = f"arn:aws:iam::{region_and_account.split(':')[1]}:role/stepwell-samples"
    return {name: deploy_one(client, name, definition_text(name, region_and_account), role) for name in names}


def deploy_one(client, name, definition, role):
    try:
        return client.create_state_machine(name=name, definition=definition, roleArn=role)["stateMachineArn"]
    except client.exceptions.StateMachineAlreadyExists:
        # The name is taken by another text: an older one of this sample.
        for page in client.get_paginator("list_state_machines").paginate():
            for machine in page["stateMachines"]:
                if machine["name"] == name:
                    client.update_state_machine(stateMachineArn=machine["stateMachineArn"], definition=definition)
                    return machine["stateMachineArn"]
        raise


def run(client, machine, text):
    """Starts an execution and waits until it is closed; gives what DescribeExecution then says."""
    execution = client.start_execution(stateMachineArn=machine, input=text)["executionArn"]
    deadline = time.monotonic() + WAIT_SECONDS_MAX
    while True:
        state = client.describe_execution(executionArn=execution)
        if state["status"] != "RUNNING":
            return state
        if time.monotonic() > deadline:
            sys.exit(f"{execution} still runs after {WAIT_SECONDS_MAX} s; does samples/worker.py run?")
        time.sleep(POLL_SECONDS)


def history(client, execution):
    """All events of the execution, first to last."""
    pages = client.get_paginator("get_execution_history").paginate(executionArn=execution)
    return [event for page in pages for event in page["events"]]


def main():
    options = argparse.ArgumentParser(description="Deploys and runs the samples.")
    options.add_argument("--endpoint", default=ENDPOINT_DEFAULT)
    options.add_argument("--only", choices=SAMPLES, help="deploy this sample alone")
    options.add_argument("--run", choices=SAMPLES, help="run this sample and print its trace and output")
    options.add_argument("--input", type=pathlib.Path, help="a file with the input (default: the sample's own)")
    options.add_argument("--all-events", action="store_true", help="print every Map iteration, not the first alone")
    chosen = options.parse_args()

    client = connect(chosen.endpoint)
    try:
        machines = deploy(client, [chosen.run or chosen.only] if chosen.run or chosen.only else SAMPLES)
        if not chosen.run:
            for name, arn in machines.items():
                print(f"deployed {name:21} {arn}")
            return 0
        text = chosen.input.read_text(encoding="utf-8") if chosen.input else input_text(chosen.run)
        state = run(client, machines[chosen.run], text)
        print(f"\n{state['executionArn']}\n")
        print_trace(history(client, state["executionArn"]), all_events=chosen.all_events)
    except (BotoCoreError, ClientError, OSError) as problem:
        print(f"deploy: {problem}", file=sys.stderr)
        return 2
    print(f"\n{state['status']}")
    if "output" in state:
        print(json.dumps(json.loads(state["output"]), indent=2, ensure_ascii=False))
    elif "error" in state:
        print(f"{state['error']}: {state.get('cause', '')}")
    return 0 if state["status"] == "SUCCEEDED" else 1


if __name__ == "__main__":
    sys.exit(main())
