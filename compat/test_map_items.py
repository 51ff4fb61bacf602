"""The items of distributed Maps and their results: in S3, played by moto, and in folders of this machine."""

import gzip
import http.client
import http.server
import json
import threading

import pytest
from server import ROLE, Server, closed

KEYS = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"}
ROWS = "id,kind\n" + "".join(f"{number},row\n" for number in range(5))
ITEMS = [{"id": str(number), "kind": "row"} for number in range(5)]


@pytest.fixture(scope="module")
def flaky(moto):
    """moto, but every third call answers 503 first."""
    port = int(moto.rsplit(":", 1)[1])
    calls = {"all": 0, "refused": 0}
    lock = threading.Lock()

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self):
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            with lock:
                calls["all"] += 1
                refused = calls["all"] % 3 == 1
                calls["refused"] += refused
            if refused:
                status, headers, text = 503, [], b"<Error><Code>SlowDown</Code></Error>"
            else:
                peer = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
                peer.request(self.command, self.path, body, dict(self.headers))
                found = peer.getresponse()
                status, headers, text = found.status, found.getheaders(), found.read()
                peer.close()
            self.send_response(status)
            for name, value in headers:
                if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = answer

        def log_message(self, *_):
            pass

    proxy = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=proxy.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{proxy.server_port}", calls
    proxy.shutdown()
    proxy.server_close()


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return tmp_path_factory.mktemp("root")


@pytest.fixture(scope="module")
def server(flaky, root, tmp_path_factory):
    folder = tmp_path_factory.mktemp("server")
    config = folder / "stepwell.toml"
    config.write_text(f'[map]\nfile_roots = ["{root}"]\n')
    options = ["--config", str(config)]
    server = Server(folder, options=options, environment={"AWS_ENDPOINT_URL": flaky[0], **KEYS}).start()
    yield server
    assert server.stop() == 0, server.log


@pytest.fixture(scope="module")
def sfn(server):
    return server.connect()


@pytest.fixture(scope="module")
def s3(aws):
    return aws("s3")


@pytest.fixture
def s3_bucket(s3, name):
    s3.create_bucket(Bucket=name)
    return name


def run(sfn, name, reader, **more):
    """A Map whose children give their input back."""
    child = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}, "StartAt": "Same"}
    child["States"] = {"Same": {"Type": "Pass", "End": True}}
    state = {"Type": "Map", "ItemReader": reader, "ItemProcessor": child, "End": True, **more}
    definition = json.dumps({"StartAt": "Map", "States": {"Map": state}})
    machine = sfn.create_state_machine(name=name, definition=definition, roleArn=ROLE)["stateMachineArn"]
    return closed(sfn, sfn.start_execution(stateMachineArn=machine)["executionArn"])


def output(ended):
    assert ended["status"] == "SUCCEEDED", ended
    return json.loads(ended["output"])


def get_object(bucket, key, **config):
    return {
        "Resource": "arn:aws:states:::s3:getObject",
        "Parameters": {"Bucket": bucket, "Key": key},
        "ReaderConfig": config,
    }


def list_objects(bucket, prefix, **config):
    reader = {"Resource": "arn:aws:states:::s3:listObjectsV2", "Parameters": {"Bucket": bucket, "Prefix": prefix}}
    return {**reader, **({"ReaderConfig": config} if config else {})}


CSV = {"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW"}


@pytest.mark.parametrize(
    "body, config, expected",
    [
        (ROWS.encode(), CSV, ITEMS),
        (gzip.compress(ROWS.encode()), CSV, ITEMS),
        (json.dumps(ITEMS).encode(), {"InputType": "JSON"}, ITEMS),
        ("\n".join(map(json.dumps, ITEMS)).encode(), {"InputType": "JSONL", "MaxItems": 3}, ITEMS[:3]),
        (json.dumps({"a": {"b": ITEMS}}).encode(), {"InputType": "JSON", "ItemsPointer": "/a/b"}, ITEMS),
        (b"", CSV, []),
    ],
    ids=["csv", "csv-gzip", "json", "jsonl-max-items", "items-pointer", "empty"],
)
def test_an_object_of_s3(sfn, s3, s3_bucket, name, flaky, body, config, expected):
    s3.put_object(Bucket=s3_bucket, Key="in/data", Body=body)
    assert output(run(sfn, name, get_object(s3_bucket, "in/data", **config))) == expected
    assert flaky[1]["refused"] > 0


def test_a_large_object_of_s3_is_read_by_ranges(sfn, s3, s3_bucket, name):
    # Few items, since each is an execution; above the bytes of one answer together.
    rows = [{"id": number, "text": chr(97 + number) * 200_000} for number in range(40)]
    s3.put_object(Bucket=s3_bucket, Key="large.json", Body=json.dumps(rows).encode())
    selector = {"ItemSelector": {"id.$": "$$.Map.Item.Value.id"}}
    assert output(run(sfn, name, get_object(s3_bucket, "large.json", InputType="JSON"), **selector)) == [
        {"id": number} for number in range(40)
    ]


def test_a_listing_of_s3(sfn, s3, s3_bucket, name):
    for key in ("in/a.csv", "in/b/c.csv", "out/d.csv"):
        s3.put_object(Bucket=s3_bucket, Key=key, Body=ROWS.encode())
    items = output(run(sfn, name, list_objects(s3_bucket, "in/")))
    assert [item["Key"] for item in items] == ["in/a.csv", "in/b/c.csv"]
    assert sorted(items[0]) == ["Etag", "Key", "LastModified", "Size", "StorageClass"]
    assert items[0]["Size"] == len(ROWS) and isinstance(items[0]["LastModified"], int)
    loaded = run(sfn, f"{name}-loaded", list_objects(s3_bucket, "in/", Transformation="LOAD_AND_FLATTEN", **CSV))
    assert output(loaded) == ITEMS + ITEMS


def test_manifests_of_s3(sfn, s3, s3_bucket, name):
    s3.put_object(Bucket=s3_bucket, Key="inv/1.csv.gz", Body=gzip.compress(b'"x","k1"\n"x","k2"\n'))
    manifest = {
        "destinationBucket": f"arn:aws:s3:::{s3_bucket}",
        "fileFormat": "CSV",
        "fileSchema": "Bucket, Key",
        "files": [{"key": "inv/1.csv.gz"}],
    }
    s3.put_object(Bucket=s3_bucket, Key="manifest.json", Body=json.dumps(manifest).encode())
    items = output(run(sfn, name, get_object(s3_bucket, "manifest.json", ManifestType="S3_INVENTORY")))
    assert items == [{"Bucket": "x", "Key": "k1"}, {"Bucket": "x", "Key": "k2"}]
    s3.put_object(Bucket=s3_bucket, Key="q/1", Body=b'{"a": 1}\n')
    s3.put_object(Bucket=s3_bucket, Key="q-manifest.csv", Body=f"s3://{s3_bucket}/q/1\n".encode())
    reader = get_object(s3_bucket, "q-manifest.csv", ManifestType="ATHENA_DATA", InputType="JSONL")
    assert output(run(sfn, f"{name}-athena", reader)) == [{"a": 1}]


@pytest.mark.parametrize("where", ["s3", "folder"])
def test_results_are_written(sfn, s3, s3_bucket, root, name, where):
    bucket = s3_bucket if where == "s3" else f"file://{root}"

    def put(key, text):
        if where == "s3":
            s3.put_object(Bucket=bucket, Key=key, Body=text.encode())
        else:
            (root / key).write_text(text)

    def get(key):
        if where == "s3":
            return s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode()
        return (root / key).read_text()

    put("rows.csv", ROWS)
    resource = {"Resource": "arn:aws:states:::s3:putObject", "Parameters": {"Bucket": bucket, "Prefix": "results"}}
    told = output(run(sfn, name, get_object(bucket, "rows.csv", **CSV), ResultWriter=resource))
    uuid = told["MapRunArn"].rsplit(":", 1)[1]
    details = {"Bucket": bucket, "Key": f"results/{uuid}/manifest.json"}
    assert told["ResultWriterDetails"] == details
    manifest = json.loads(get(details["Key"]))
    assert (manifest["DestinationBucket"], manifest["MapRunArn"]) == (bucket, told["MapRunArn"])
    assert manifest["ResultFiles"]["FAILED"] == manifest["ResultFiles"]["PENDING"] == []
    (file,) = manifest["ResultFiles"]["SUCCEEDED"]
    text = get(file["Key"])
    assert (file["Key"], file["Size"]) == (f"results/{uuid}/SUCCEEDED_0.json", len(text))
    entries = json.loads(text)
    assert [json.loads(entry["Output"]) for entry in entries] == ITEMS
    assert [json.loads(entry["Input"]) for entry in entries] == ITEMS
    assert {entry["Status"] for entry in entries} == {"SUCCEEDED"}
    assert all(sfn.describe_execution(executionArn=entry["ExecutionArn"]) for entry in entries)
    lines = {**resource, "WriterConfig": {"Transformation": "COMPACT", "OutputType": "JSONL"}}
    told = output(run(sfn, f"{name}-lines", get_object(bucket, "rows.csv", **CSV), ResultWriter=lines))
    folder = told["ResultWriterDetails"]["Key"].removesuffix("manifest.json")
    assert [json.loads(line) for line in get(f"{folder}SUCCEEDED_0.jsonl").splitlines()] == ITEMS


def test_folders_of_this_machine(sfn, root, name):
    (root / "sets").mkdir()
    (root / "sets" / "rows.csv").write_text(ROWS)
    bucket = f"file://{root}/sets"
    source = {"ItemSelector": {"source.$": "$$.Map.Item.Source", "id.$": "$$.Map.Item.Value.id"}}
    items = output(run(sfn, name, get_object(bucket, "rows.csv", **CSV), **source))
    assert items == [{"source": f"{bucket}/rows.csv", "id": item["id"]} for item in ITEMS]
    listed = output(run(sfn, f"{name}-listed", list_objects(bucket, "")))
    assert [item["Key"] for item in listed] == ["rows.csv"]


def test_what_cannot_be_read_fails_the_state(sfn, s3, s3_bucket, root, tmp_path, name):
    (tmp_path / "rows.csv").write_text(ROWS)
    readers = {
        "no-key": (get_object(s3_bucket, "none", **CSV), "The specified key does not exist."),
        "no-root": (get_object(f"file://{tmp_path}", "rows.csv", **CSV), "`file_roots`"),
        "outside": (get_object(f"file://{root}", "../rows.csv", **CSV), "cannot be used"),
    }
    for number, (reader, cause) in readers.items():
        ended = run(sfn, f"{name}-{number}", reader)
        assert (ended["status"], ended["error"]) == ("FAILED", "States.ItemReaderFailed"), ended
        assert cause in ended["cause"]
