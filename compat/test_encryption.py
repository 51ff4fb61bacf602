"""Data that is encrypted with a key file: nothing of it readable, other keys refused, all tools know it."""

import http.server
import json
import os
import pathlib
import subprocess
import threading

import pytest
from definitions import PASS, wait
from server import ROLE, Server, binary, closed

SECRET = "a-text-that-nobody-may-read"
KEYS = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"}


@pytest.fixture
def keys(tmp_path):
    (tmp_path / "key").write_text("07" * 32 + "\n")
    (tmp_path / "other").write_text("08" * 32)
    return tmp_path / "key", tmp_path / "other"


def data(*arguments):
    command = [str(binary()), "data", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def holds(folder, text):
    files = [file for file in pathlib.Path(folder).rglob("*") if file.is_file()]
    return any(text.encode() in file.read_bytes() for file in files)


def filled(tmp_path, *options):
    """A stopped server's folder with one execution that has ended and one that waits."""
    server = Server(tmp_path, options=options)
    sfn = server.start().connect()
    arns = []
    for number, definition in enumerate([PASS, wait(3)]):
        machine = sfn.create_state_machine(name=f"m{number}", definition=definition, roleArn=ROLE)["stateMachineArn"]
        started = sfn.start_execution(stateMachineArn=machine, input=json.dumps({"secret": SECRET}))
        arns.append(started["executionArn"])
    closed(sfn, arns[0])
    return server, arns


def test_nothing_can_be_read_without_the_key(tmp_path, keys):
    key, other = keys
    server, arns = filled(tmp_path, "--encryption-key-file", key)
    backup = tmp_path / "backup"
    assert data("backup", backup, "--data", server.data).returncode == 0, "beside the running server, without the key"
    server.kill()
    assert not holds(server.data, SECRET) and not holds(backup, SECRET)
    for options, why in [((), "the data is encrypted"), (("--encryption-key-file", other), "with another key")]:
        refused = subprocess.run([str(binary()), "serve", "--data", server.data, "--port", "0", *map(str, options)], capture_output=True, text=True)
        assert refused.returncode == 2 and why in refused.stderr, refused.stderr
    sfn = server.start().connect()
    assert SECRET in closed(sfn, arns[1])["output"] and SECRET in closed(sfn, arns[0])["output"]
    assert server.stop() == 0
    for folder in [server.data, backup]:
        assert data("check", "--data", folder).returncode == 2
        checked = data("check", "--data", folder, "--encryption-key-file", key)
        assert checked.returncode == 0 and "sound" in checked.stdout, checked.stderr


def test_plain_data_is_encrypted_by_export_and_import_and_back(tmp_path, keys):
    key, _ = keys
    server, _ = filled(tmp_path)
    assert server.stop() == 0
    refused = data("check", "--data", server.data, "--encryption-key-file", key)
    assert refused.returncode == 2 and "is not encrypted" in refused.stderr
    rows, hidden = tmp_path / "rows.jsonl", tmp_path / "hidden"
    assert data("export", rows, "--data", server.data).returncode == 0
    assert data("import", rows, "--data", hidden, "--encryption-key-file", key).returncode == 0
    assert holds(server.data, SECRET) and not holds(hidden, SECRET)
    asis, clear = tmp_path / "asis.jsonl", tmp_path / "clear.jsonl"
    assert data("export", asis, "--data", hidden).returncode == 0
    twice = data("import", asis, "--data", tmp_path / "twice", "--encryption-key-file", key)
    assert twice.returncode != 0 and "encrypted already" in twice.stderr
    assert data("export", clear, "--data", hidden, "--encryption-key-file", key).returncode == 0
    assert sorted(clear.read_text().splitlines()[1:-1]) == sorted(rows.read_text().splitlines()[1:-1])


def test_a_changed_byte_is_told(tmp_path, keys):
    key, _ = keys
    server, _ = filled(tmp_path, "--encryption-key-file", key)
    server.kill()
    journal = max(pathlib.Path(server.data).rglob("*.jnl"), key=lambda file: len(file.read_bytes().rstrip(b"\0")))
    found = bytearray(journal.read_bytes())
    found[len(bytes(found).rstrip(b"\0")) // 2] ^= 1
    journal.write_bytes(found)
    checked = data("check", "--data", server.data, "--encryption-key-file", key)
    assert checked.returncode == 1 and "damage" in checked.stdout, checked.stdout + checked.stderr


def test_what_is_no_key_is_told(tmp_path):
    (tmp_path / "key").write_text("no key")
    refused = data("check", "--data", tmp_path, "--encryption-key-file", tmp_path / "key")
    assert refused.returncode == 2


def test_kms_opens_the_key_at_every_start(moto, aws, tmp_path):
    arn = aws("kms").create_key()["KeyMetadata"]["Arn"]
    key, environment = tmp_path / "key.json", {**KEYS, "AWS_ENDPOINT_URL": moto}
    command = [str(binary()), "data", "key", str(key), "--kms-key", arn]
    made = subprocess.run(command, capture_output=True, text=True, env=os.environ | environment)
    assert made.returncode == 0, made.stderr
    assert json.loads(key.read_text())["kmsKeyId"] == arn and key.stat().st_mode & 0o077 == 0
    again = subprocess.run(command, capture_output=True, text=True, env=os.environ | environment)
    assert again.returncode != 0 and "cannot make the key file" in again.stderr, "a key is never overwritten"

    server = Server(tmp_path, options=["--encryption-key-file", key], environment=environment)
    sfn = server.start().connect()
    managed = {"type": "CUSTOMER_MANAGED_KMS_KEY", "kmsKeyId": arn}
    machine = sfn.create_state_machine(name="m", definition=PASS, roleArn=ROLE, encryptionConfiguration=managed)
    shown = sfn.describe_state_machine(stateMachineArn=machine["stateMachineArn"])["encryptionConfiguration"]
    assert shown == {**managed, "kmsDataKeyReusePeriodSeconds": 300}
    started = sfn.start_execution(stateMachineArn=machine["stateMachineArn"], input=json.dumps({"secret": SECRET}))
    closed(sfn, started["executionArn"])
    server.kill()
    assert not holds(server.data, SECRET)
    sfn = server.start().connect()
    assert SECRET in closed(sfn, started["executionArn"])["output"]
    assert server.stop() == 0

    nowhere = os.environ | environment | {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}
    command = [str(binary()), "serve", "--data", server.data, "--port", "0", "--encryption-key-file", str(key)]
    refused = subprocess.run(command, capture_output=True, text=True, env=nowhere, timeout=60)
    assert refused.returncode != 0 and "cannot be opened" in refused.stderr, refused.stderr


@pytest.fixture
def encrypting(tmp_path, keys):
    """A client of a server that encrypts its data and asks KMS at an address."""
    servers = []

    def encrypting(kms):
        server = Server(tmp_path, options=["--encryption-key-file", keys[0]], environment={**KEYS, "AWS_ENDPOINT_URL": kms})
        servers.append(server)
        return server.start().connect()

    yield encrypting
    for server in servers:
        assert server.stop() == 0, server.log


def managed(key):
    return {"type": "CUSTOMER_MANAGED_KMS_KEY", "kmsKeyId": key}


def test_kms_is_asked_about_customers_keys(moto, aws, encrypting):
    kms, sfn = aws("kms"), encrypting(moto)
    key = kms.create_key()["KeyMetadata"]["Arn"]
    kms.create_alias(AliasName="alias/compat", TargetKeyId=key)
    pair = kms.create_key(KeySpec="RSA_2048", KeyUsage="ENCRYPT_DECRYPT")["KeyMetadata"]["Arn"]
    machine = {"name": "m", "definition": PASS, "roleArn": ROLE}
    arn = sfn.create_state_machine(**machine, encryptionConfiguration=managed(key))["stateMachineArn"]
    sfn.create_activity(name="a", encryptionConfiguration=managed("alias/compat"))
    for wrong, why in [
        (key[:-1] + "x", "the KMS key does not exist"),
        ("alias/nobody", "the KMS key does not exist"),
        (pair, "the KMS key is not a symmetric encryption key"),
    ]:
        for call, parameters in [
            (sfn.create_state_machine, {**machine, "name": "other"}),
            (sfn.update_state_machine, {"stateMachineArn": arn}),
            (sfn.create_activity, {"name": "b"}),
        ]:
            with pytest.raises(sfn.exceptions.InvalidEncryptionConfiguration, match=why):
                call(**parameters, encryptionConfiguration=managed(wrong))
    kms.disable_key(KeyId=key.split("/")[1])
    with pytest.raises(sfn.exceptions.InvalidEncryptionConfiguration, match="the KMS key is not enabled"):
        sfn.update_state_machine(stateMachineArn=arn, encryptionConfiguration=managed(key))
    assert closed(sfn, sfn.start_execution(stateMachineArn=arn)["executionArn"])["status"] == "SUCCEEDED"
    kms.enable_key(KeyId=key.split("/")[1])
    sfn.update_state_machine(stateMachineArn=arn, encryptionConfiguration=managed("alias/compat"))
    shown = sfn.describe_state_machine(stateMachineArn=arn)["encryptionConfiguration"]
    assert shown == {**managed("alias/compat"), "kmsDataKeyReusePeriodSeconds": 300}


class Kms(http.server.BaseHTTPRequestHandler):
    """Answers the error that the key's name is, with what it was sent noted."""

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append((self.headers["X-Amz-Target"].split(".")[1], asked))
        is_good = asked["KeyId"] == "alias/good"
        answer = {"KeyMetadata": {"KeyState": "Enabled"}} if is_good else {"__type": asked["KeyId"][6:], "message": "no"}
        body = json.dumps(answer).encode()
        self.send_response(200 if is_good else 400)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def test_what_kms_refuses_is_told(encrypting):
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Kms) as kms:
        kms.asked = []
        threading.Thread(target=kms.serve_forever, daemon=True).start()
        sfn = encrypting(f"http://127.0.0.1:{kms.server_port}")
        for refused in ["KmsAccessDeniedException", "KmsThrottlingException"]:
            with pytest.raises(getattr(sfn.exceptions, refused)):
                sfn.create_activity(name="a", encryptionConfiguration=managed("alias/" + refused.removeprefix("Kms")))
        machine = {"name": "m", "definition": PASS, "roleArn": ROLE}
        # Of its own troubles KMS says nothing about the key.
        sfn.create_state_machine(**machine, encryptionConfiguration=managed("alias/KMSInternalException"))
        kms.asked.clear()
        good = sfn.create_activity(name="good", encryptionConfiguration=managed("alias/good"))
        context = {"aws:states:activityArn": good["activityArn"]}
        key = {"KeyId": "alias/good", "KeySpec": "AES_256", "EncryptionContext": context}
        assert kms.asked == [("DescribeKey", {"KeyId": "alias/good"}), ("GenerateDataKeyWithoutPlaintext", key)]
        kms.shutdown()


def test_a_kms_that_cannot_be_reached_refuses_nothing(encrypting):
    sfn = encrypting("http://127.0.0.1:9")
    sfn.create_activity(name="a", encryptionConfiguration=managed("alias/mine"))


def test_a_new_key_is_random(tmp_path):
    for name in ("first", "second"):
        assert data("key", tmp_path / name).returncode == 0
    first, second = ((tmp_path / name).read_text() for name in ("first", "second"))
    assert first != second
    server, arns = filled(tmp_path, "--encryption-key-file", tmp_path / "first")
    assert closed(server.connect(), arns[1])["status"] == "SUCCEEDED"
    server.kill()


def test_a_customers_key_is_refused_where_nothing_is_encrypted(own_server):
    sfn = own_server.start().connect()
    managed = {"type": "CUSTOMER_MANAGED_KMS_KEY", "kmsKeyId": "alias/mine"}
    with pytest.raises(sfn.exceptions.ClientError, match="without --encryption-key-file"):
        sfn.create_activity(name="a", encryptionConfiguration=managed)
