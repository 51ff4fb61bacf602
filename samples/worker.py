"""Answers the samples' activities, as the services of a shop, a travel agency and a data team would.

    .venv/bin/python samples/worker.py [--endpoint URL] [--approve-by-hand] [--quiet]

One thread for each activity polls GetActivityTask, calls the activity's function below with the task's input, and
sends what it returns. The functions are deterministic: which card is declined or which shelf is empty is in the input.
"""

import argparse
import hashlib
import json
import signal
import sys
import threading

from botocore.exceptions import BotoCoreError, ClientError

from connection import ENDPOINT_DEFAULT, connect, create_activities

# Pause after an answer that was no answer: the server is away, or the activity was deleted.
PAUSE_SECONDS = 1.0


class TaskFailed(Exception):
    """Ends a task with an error that a Retry or a Catch can name."""

    def __init__(self, error, cause):
        super().__init__(f"{error}: {cause}")
        self.error = error
        self.cause = cause


def reference(prefix, *parts):
    """A short id that is always the same for the same parts, so that a task that runs twice does no harm."""
    return f"{prefix}-{hashlib.sha256('/'.join(map(str, parts)).encode()).hexdigest()[:8]}"


# Order fulfilment


def check_credit(task):
    if task["amountCents"] > 500_000:
        raise TaskFailed("Credit.Refused", f"customer {task['customerId']} has a limit of 5000.00")
    return {"customerId": task["customerId"], "approved": True}


def reserve_item(task):
    if task["sku"].endswith("-RARE"):
        raise TaskFailed("Warehouse.OutOfStock", f"no {task['sku']} left")
    if task["sku"].startswith("GRINDER") and task["attempt"] == 0:
        raise TaskFailed("Warehouse.Busy", "shelf 7 is being counted")
    return {"reservationId": task["reservationId"], "sku": task["sku"], "quantity": task["quantity"]}


def charge_card(task):
    if task["cardToken"] == "card-declined":
        raise TaskFailed("Payment.Declined", "the bank declined the card")
    return {"chargeId": reference("charge", task["orderId"]), "amountCents": task["amountCents"]}


def create_shipment(task):
    return {"trackingNumber": reference("parcel", *task["reservations"]), "carrier": task["carrier"]}


def tell_customer(task):
    return {"sentTo": task["to"]}


def give_stock_back(task):
    return {"orderId": task["orderId"], "released": True}


# Approval


def decide(task):
    """Stands for a person: says yes up to 1000.00."""
    if task["amountCents"] > 100_000:
        raise TaskFailed("Approval.Refused", f"{task['askedOf']}: this is not in the budget")
    return {"approvedBy": task["askedOf"], "comment": "have a good trip"}


def pay_out(task):
    return {"transferId": reference("transfer", task["claimId"])}


# Nightly batch


def extract(task):
    if task["source"].endswith("-down"):
        raise TaskFailed("Source.Unreachable", f"{task['source']} does not answer")
    if task["source"].endswith("-late") and task["round"] < 2:
        raise TaskFailed("Source.NotReady", f"{task['source']} has not closed {task['date']} yet")
    return {"file": f"{task['source']}/{task['date']}.csv"}


def transform(task):
    return {"file": task["file"].replace(".csv", ".parquet"), "applied": task["rules"]}


def load(task):
    return {"table": task["table"], "rows": 1000 + len(task["file"])}


def report(task):
    return {"report": f"reports/{task['date']}.html", "rows": task["rows"], "missing": task["missing"]}


# Saga


def book_hotel(task):
    return {"bookingId": reference("hotel", task["tripId"]), "nights": task["nights"]}


def book_flight(task):
    return {"bookingId": reference("flight", task["tripId"]), "date": task["date"]}


def book_car(task):
    if task["carClass"] == "convertible":
        raise TaskFailed("Car.NoneLeft", f"no {task['carClass']} left in {task['city']}")
    return {"bookingId": reference("car", task["tripId"])}


def cancel_flight(task):
    if task["attempt"] == 0:
        raise TaskFailed("Airline.Unavailable", "the airline's system is restarting")
    return {"bookingId": task["bookingId"], "cancelled": True}


def cancel_hotel(task):
    return {"bookingId": task["bookingId"], "cancelled": True}


ACTIVITIES = {
    "order-check-credit": check_credit,
    "order-reserve-item": reserve_item,
    "order-charge-card": charge_card,
    "order-create-shipment": create_shipment,
    "order-tell-customer": tell_customer,
    "order-give-stock-back": give_stock_back,
    "approval-ask": decide,
    "approval-pay-out": pay_out,
    "batch-extract": extract,
    "batch-transform": transform,
    "batch-load": load,
    "batch-report": report,
    "saga-book-hotel": book_hotel,
    "saga-book-flight": book_flight,
    "saga-book-car": book_car,
    "saga-cancel-flight": cancel_flight,
    "saga-cancel-hotel": cancel_hotel,
}


class Worker:
    """Polls every activity until it is told to stop."""

    def __init__(self, endpoint, say=print, approve_by_hand=False):
        self.endpoint = endpoint
        self.client = connect(endpoint)
        self.say = say
        self.approve_by_hand = approve_by_hand
        self.stopping = threading.Event()

    def start(self):
        """Creates the activities and starts to poll. The threads end with the process."""
        for name, arn in create_activities(self.client, ACTIVITIES).items():
            threading.Thread(target=self.poll, args=(name, arn), name=name, daemon=True).start()

    def stop(self):
        """No task is taken from now on; a poll that is under way ends by itself."""
        self.stopping.set()

    def poll(self, name, arn):
        while not self.stopping.is_set():
            try:
                task = self.client.get_activity_task(activityArn=arn, workerName="samples")
                if task.get("taskToken"):
                    self.work(name, task["taskToken"], json.loads(task["input"]))
            except (BotoCoreError, ClientError) as problem:
                self.say(f"{name}: {problem}")
                self.stopping.wait(PAUSE_SECONDS)

    def work(self, name, token, task):
        if name == "approval-ask" and self.approve_by_hand:
            self.ask(token, task)
            return
        try:
            result = ACTIVITIES[name](task)
        except TaskFailed as failure:
            self.say(f"{name}: {failure}")
            self.client.send_task_failure(taskToken=token, error=failure.error, cause=failure.cause)
        except (KeyError, TypeError, AttributeError) as problem:
            self.say(f"{name}: cannot read the input: {problem!r}")
            self.client.send_task_failure(taskToken=token, error="Worker.BadInput", cause=repr(problem))
        else:
            self.say(f"{name}: {json.dumps(result)}")
            self.client.send_task_success(taskToken=token, output=json.dumps(result))

    def ask(self, token, task):
        """Leaves the decision to who reads this; the execution waits for the token."""
        answer = json.dumps({"approvedBy": task["askedOf"], "comment": "by hand"})
        command = f"aws stepfunctions --endpoint-url {self.endpoint}"
        self.say(
            f"\n{task['question']}\n"
            f"  yes: {command} send-task-success --task-output '{answer}' --task-token {token}\n"
            f"  no:  {command} send-task-failure --error Approval.Refused --cause 'not now' --task-token {token}\n"
        )


def main():
    options = argparse.ArgumentParser(description="Answers the samples' activities.")
    options.add_argument("--endpoint", default=ENDPOINT_DEFAULT)
    options.add_argument("--approve-by-hand", action="store_true", help="print each approval's token, do not answer")
    options.add_argument("--quiet", action="store_true", help="say nothing of tasks")
    chosen = options.parse_args()

    def say(text):
        if not chosen.quiet:
            print(text, flush=True)

    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    worker = Worker(chosen.endpoint, say, chosen.approve_by_hand)
    try:
        worker.start()
    except (BotoCoreError, ClientError) as problem:
        sys.exit(f"worker: {problem}")
    say(f"answering {len(ACTIVITIES)} activities of {chosen.endpoint}")
    ended.wait()
    worker.stop()


if __name__ == "__main__":
    main()
