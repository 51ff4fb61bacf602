"""The state machines of samples/ are valid, and come to the results they are meant to, with their worker."""

import csv
import json
import shutil
import subprocess

import pytest
from server import Server, binary

import deploy
from worker import Worker


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """With the functions of the samples."""
    server = Server(tmp_path_factory.mktemp("samples"), options=["--config", str(deploy.FOLDER / "stepwell.toml")])
    yield server.start()
    assert server.stop() == 0, server.log


@pytest.fixture(scope="module")
def machines(server, sfn):
    worker = Worker(server.endpoint, say=lambda text: None)
    worker.start()
    yield deploy.deploy(sfn)
    worker.stop()


@pytest.mark.parametrize("sample", deploy.SAMPLES)
def test_definitions_are_valid(sfn, sample):
    answer = sfn.validate_state_machine_definition(definition=deploy.definition_text(sample), severity="WARNING")
    assert (answer["result"], answer["diagnostics"]) == ("OK", [])


def test_deploying_twice_changes_nothing(sfn, machines):
    assert deploy.deploy(sfn) == machines


def run(sfn, machines, sample, file=None):
    state = deploy.run(sfn, machines[sample], deploy.input_text(sample, file))
    kinds = [event["type"] for event in deploy.history(sfn, state["executionArn"])]
    return state, kinds


def result(state):
    assert state["status"] == "SUCCEEDED", (state.get("error"), state.get("cause"))
    return json.loads(state["output"])


def problem(state):
    assert state["status"] == "FAILED"
    return state["error"], state["cause"]


def test_an_order_is_fulfilled(sfn, machines):
    state, kinds = run(sfn, machines, "order-fulfilment")
    output = result(state)
    assert output.pop("chargeId").startswith("charge-")
    assert output.pop("trackingNumber").startswith("parcel-")
    assert output == {
        "orderId": "A-20413",
        "status": "FULFILLED",
        "totalCents": 4990 + 7900 + 4 * 395,
        "reservedSkus": ["KETTLE-STEEL-2L", "GRINDER-HAND", "FILTER-PAPER-100"],
        "carrier": "Swift Courier",
    }
    # The busy warehouse was asked again.
    assert kinds.count("ActivityFailed") == 1
    assert kinds.count("ParallelStateSucceeded") == kinds.count("MapStateSucceeded") == 1


def test_a_declined_card_gives_the_stock_back(sfn, machines):
    state, kinds = run(sfn, machines, "order-fulfilment", "order-declined.json")
    assert problem(state) == ("Payment.Declined", "order A-20414: the bank declined the card")
    assert kinds[-1] == "ExecutionFailed"


def test_an_item_out_of_stock_refuses_the_order(sfn, machines):
    state, kinds = run(sfn, machines, "order-fulfilment", "order-out-of-stock.json")
    assert problem(state) == ("Warehouse.OutOfStock", "order A-20415: no TEA-GYOKURO-RARE left")
    assert "ParallelStateFailed" in kinds


@pytest.mark.parametrize(
    ("file", "status", "by"),
    [("claim.json", "PAID", "Ines Haller"), ("claim-small.json", "PAID", "rule: up to 50.00")],
)
def test_a_claim_is_paid(sfn, machines, file, status, by):
    output = result(run(sfn, machines, "approval", file)[0])
    assert (output["status"], output["approvedBy"]) == (status, by)
    assert output["transfer"].startswith("transfer-")


def test_a_claim_is_refused(sfn, machines):
    output = result(run(sfn, machines, "approval", "claim-refused.json")[0])
    assert output == {"claimId": "EX-3303", "status": "REFUSED", "reason": "Ines Haller: this is not in the budget"}


def test_a_night_with_a_late_source(sfn, machines):
    state, kinds = run(sfn, machines, "nightly-batch")
    output = result(state)
    rows = [1000 + len(f"{source}/2026-03-14.parquet") for source in json.loads(state["input"])["sources"]]
    assert output == {"report": "reports/2026-03-14.html", "rows": sum(rows), "missing": []}
    assert kinds.count("MapStateSucceeded") == 2
    assert kinds.count("WaitStateExited") == 1


def test_a_night_with_a_source_that_stays_away(sfn, machines):
    state, kinds = run(sfn, machines, "nightly-batch", "night-incomplete.json")
    assert problem(state) == ("Batch.Incomplete", "not loaded on 2026-03-15: mainframe-down")
    assert kinds.count("MapStateSucceeded") == 3


def test_a_trip_is_booked(sfn, machines):
    output = result(run(sfn, machines, "saga")[0])
    assert (output["tripId"], output["status"]) == ("T-508", "BOOKED")
    assert output["hotel"].startswith("hotel-") and output["flight"].startswith("flight-")


def test_a_trip_without_a_car_is_undone(sfn, machines):
    state, _ = run(sfn, machines, "saga", "trip-without-car.json")
    assert problem(state) == (
        "Car.NoneLeft",
        "trip T-509 is not booked and nothing is left of it: no convertible left in LIS",
    )
    entered = [
        event["stateEnteredEventDetails"]["name"]
        for event in deploy.history(sfn, state["executionArn"])
        if event["type"] in ("TaskStateEntered", "FailStateEntered")
    ]
    assert entered == ["Book hotel", "Book flight", "Book car", "Cancel flight", "Cancel hotel", "Trip not booked"]


def test_orders_are_transformed(sfn, machines):
    """report.json is what the reference implementation of JSONata 2.0.6 makes of the same expressions."""
    output = result(run(sfn, machines, "order-transformation")[0])
    expected = json.loads((deploy.FOLDER / "order-transformation" / "report.json").read_text(encoding="utf-8"))
    assert output == expected


def test_parcels_are_quoted_by_functions(sfn, machines):
    state, kinds = run(sfn, machines, "parcel-quote")
    assert result(state) == {
        "totalCents": 670 + 1190 + 20 * 180 + 2490 + 2 * 700,
        "letter": [
            "Dear Noor Haddad,",
            "  P-1: €6.70 (2.4 kg, domestic)",
            "  P-2: €47.90 (19.2 kg, europe)",
            "  P-4: €38.90 (1.2 kg, world)",
            "  P-3: we cannot take it (P-3 counts as 43.2 kg, more than 31.5)",
            "Total: €93.50",
        ],
        "parcels": 3,
    }
    assert kinds.count("LambdaFunctionSucceeded") == 3 and kinds.count("LambdaFunctionFailed") == 1


def test_meter_readings_become_bills(sfn, machines):
    folder = deploy.FOLDER / "meter-readings"
    rows = list(csv.DictReader((folder / "readings.csv").open(encoding="utf-8")))
    try:
        told = result(run(sfn, machines, "meter-readings")[0])
        files = json.loads((folder / told["ResultWriterDetails"]["Key"]).read_text(encoding="utf-8"))["ResultFiles"]
        texts = {group: [(folder / file["Key"]).read_text(encoding="utf-8") for file in files[group]] for group in files}
    finally:
        shutil.rmtree(folder / "bills", ignore_errors=True)
    lines = {group: [json.loads(line) for text in texts[group] for line in text.splitlines()] for group in texts}
    expected = [
        {"household": row["household"], "kwh": kwh, "cents": round(kwh * 31.4)}
        for row in rows
        if (kwh := int(row["to"]) - int(row["from"])) >= 0
    ]
    assert lines["SUCCEEDED"] == expected and len(expected) == len(rows) - 1
    (backwards,) = lines["FAILED"]
    assert (backwards["Error"], backwards["Status"]) == ("Readings.Backwards", "FAILED")
    assert lines["PENDING"] == []


def test_parcels_are_quoted_by_mocks():
    """Without a server and without its functions."""
    folder = deploy.FOLDER / "parcel-quote"
    command = [str(binary()), "run", "parcel-quote.asl.json", "--input", "@parcels.json", "--json"]
    ran = subprocess.run([*command, "--mock", "mocks.json#AllRefused"], cwd=folder, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout)["output"] == {"totalCents": 0, "letter": ["We are sorry."], "parcels": 0}
