"""Tasks that call AWS services, played by moto: each service by its own protocol, and what is built on them."""

import json
import socket

import pytest

from server import ACCOUNT, ROLE, Server, closed, events, wait_until

KEYS = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"}


@pytest.fixture(scope="module")
def server(moto, tmp_path_factory):
    environment = {"AWS_ENDPOINT_URL": moto, **KEYS}
    server = Server(tmp_path_factory.mktemp("server"), environment=environment).start()
    yield server
    assert server.stop() == 0, server.log


@pytest.fixture(scope="module")
def sfn(server):
    return server.connect()


def task(resource, **more):
    return {"Type": "Task", "Resource": f"arn:aws:states:::{resource}", **more}


def machine_of(sfn, name, *states):
    """A chain of tasks; each sees the input, and adds its result as `$.T0`, `$.T1`, ..."""
    chain = {}
    for number, state in enumerate(states):
        step = {"End": True} if number == len(states) - 1 else {"Next": f"T{number + 1}"}
        path = {} if state["Type"] == "Wait" else {"ResultPath": f"$.T{number}"}
        chain[f"T{number}"] = {**path, **state, **step}
    definition = json.dumps({"StartAt": "T0", "States": chain})
    return sfn.create_state_machine(name=name, definition=definition, roleArn=ROLE)["stateMachineArn"]


def run(sfn, name, *states, given=None):
    machine = machine_of(sfn, name, *states)
    execution = sfn.start_execution(stateMachineArn=machine, input=json.dumps(given or {}))["executionArn"]
    return closed(sfn, execution)


def succeeded(ended):
    assert ended["status"] == "SUCCEEDED", ended
    return json.loads(ended["output"])


def test_s3(sfn, aws, name):
    aws("s3").create_bucket(Bucket="things")
    place = {"Bucket": "things", "Key": "a b/c"}
    put = task("aws-sdk:s3:putObject", Parameters={**place, "Body": {"n": 1}})
    output = succeeded(run(sfn, name, put, task("aws-sdk:s3:getObject", Parameters=place)))
    assert output["T1"]["Body"] == '{"n":1}'
    assert output["T1"]["ContentLength"] == 7
    missing = run(sfn, f"{name}-missing", task("aws-sdk:s3:getObject", Parameters={**place, "Key": "none"}))
    assert missing["error"] == "S3.NoSuchKeyException"


def test_sqs(sfn, aws, name):
    queue = aws("sqs").create_queue(QueueName=name)["QueueUrl"]
    send = task("sqs:sendMessage", Parameters={"QueueUrl": queue, "MessageBody": {"n": 1}})
    output = succeeded(run(sfn, name, send, task("aws-sdk:sqs:receiveMessage", Parameters={"QueueUrl": queue})))
    assert output["T0"]["SdkHttpMetadata"]["HttpStatusCode"] == 200
    assert output["T0"]["MD5OfMessageBody"] == output["T1"]["Messages"][0]["Md5OfBody"]
    assert output["T1"]["Messages"][0]["Body"] == '{"n":1}'


def test_sns(sfn, aws, name):
    topic = aws("sns").create_topic(Name=name)["TopicArn"]
    publish = {"TopicArn": topic, "Message": {"n": 1}}
    output = succeeded(
        run(sfn, name, task("sns:publish", Parameters=publish), task("aws-sdk:sns:publish", Parameters=publish))
    )
    assert output["T0"]["MessageId"] and list(output["T1"]) == ["MessageId"]


def test_dynamodb(sfn, aws, name):
    aws("dynamodb").create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    item = {"id": {"S": "1"}, "n": {"N": "2"}, "list": {"L": [{"BOOL": True}]}}
    put = task("dynamodb:putItem", Parameters={"TableName": name, "Item": item})
    query = {
        "TableName": name,
        "KeyConditionExpression": "id = :id",
        "ExpressionAttributeValues": {":id": {"S": "1"}},
    }
    output = succeeded(run(sfn, name, put, task("aws-sdk:dynamodb:query", Parameters=query)))
    # As the SDK for Java spells it.
    assert output["T1"]["Items"] == [{**item, "list": {"L": [{"Bool": True}]}}]
    refused = run(sfn, f"{name}-x", task("dynamodb:getItem", Parameters={"TableName": "none", "Key": {"id": {"S": "1"}}}))
    assert refused["error"] == "DynamoDB.ResourceNotFoundException"


def test_eventbridge(sfn, aws, name):
    entry = {"Detail": {"n": 1}, "DetailType": "t", "Source": "s"}
    output = succeeded(run(sfn, name, task("events:putEvents", Parameters={"Entries": [entry]})))
    assert output["T0"]["FailedEntryCount"] == 0 and "SdkHttpMetadata" not in output["T0"]


def test_secrets_manager(sfn, name):
    create = task("aws-sdk:secretsmanager:createSecret", Parameters={"Name": name, "SecretString": {"k": "v"}})
    get = task("aws-sdk:secretsmanager:getSecretValue", Parameters={"SecretId": name})
    output = succeeded(run(sfn, name, create, get))
    assert output["T1"]["SecretString"] == '{"k":"v"}'


def test_kms(sfn, aws, name):
    key = aws("kms").create_key()["KeyMetadata"]["KeyId"]
    encrypt = task("aws-sdk:kms:encrypt", Parameters={"KeyId": key, "Plaintext": "aGVsbG8="})
    decrypt = task("aws-sdk:kms:decrypt", Parameters={"CiphertextBlob.$": "$.T0.CiphertextBlob"})
    assert succeeded(run(sfn, name, encrypt, decrypt))["T1"]["Plaintext"] == "aGVsbG8="


def test_sts_iam_and_ec2(sfn, aws, name):
    aws("iam").create_role(RoleName=name, AssumeRolePolicyDocument="{}")
    output = succeeded(
        run(
            sfn,
            name,
            task("aws-sdk:sts:getCallerIdentity", Parameters={}),
            task("aws-sdk:iam:getRole", Parameters={"RoleName": name}),
            task("aws-sdk:ec2:describeVpcs", Parameters={"Filters": [{"Name": "is-default", "Values": ["true"]}]}),
        )
    )
    assert output["T0"]["Account"] == ACCOUNT
    assert output["T1"]["Role"]["RoleName"] == name
    assert output["T2"]["Vpcs"][0]["IsDefault"] is True


def test_a_role_of_another_account(sfn, aws, name):
    role = "arn:aws:iam::210987654321:role/other"
    identity = task("aws-sdk:sts:getCallerIdentity", Parameters={}, Credentials={"RoleArn": role})
    output = succeeded(run(sfn, name, identity))
    assert output["T0"]["Account"] == "210987654321"
    assert ":assumed-role/other/" in output["T0"]["Arn"]


def test_a_batch_of_work_that_is_watched(sfn, aws, name):
    """Athena's queries end at once in moto; the whole way of a job is seen all the same."""
    query = {"QueryString": "SELECT 1", "ResultConfiguration": {"OutputLocation": "s3://things/"}}
    ended = run(sfn, name, task("athena:startQueryExecution.sync", Parameters=query))
    output = succeeded(ended)
    assert output["T0"]["QueryExecution"]["Status"]["State"] == "SUCCEEDED"
    types = [event["type"] for event in events(sfn, ended["executionArn"])]
    assert types[2:6] == ["TaskScheduled", "TaskStarted", "TaskSubmitted", "TaskSucceeded"]


def test_a_nested_execution_with_its_result(sfn, name):
    child = machine_of(sfn, f"{name}-child", {"Type": "Pass", "Result": {"done": True}})
    start = {"StateMachineArn": child, "Input": {"n": 1}}
    output = succeeded(run(sfn, name, task("states:startExecution.sync:2", Parameters=start)))
    assert output["T0"]["Status"] == "SUCCEEDED"
    assert output["T0"]["Input"] == {"n": 1} and output["T0"]["Output"] == {"n": 1, "T0": {"done": True}}
    by_api = succeeded(run(sfn, f"{name}-api", task("aws-sdk:sfn:startExecution", Parameters=start)))
    assert by_api["T0"]["ExecutionArn"].startswith(child.replace(":stateMachine:", ":execution:"))


def test_a_stopped_execution_stops_the_one_it_started(sfn, name):
    child = machine_of(sfn, f"{name}-child", {"Type": "Wait", "Seconds": 3600})
    parent = machine_of(sfn, name, task("states:startExecution.sync", Parameters={"StateMachineArn": child}))
    execution = sfn.start_execution(stateMachineArn=parent)["executionArn"]

    def started():
        return sfn.list_executions(stateMachineArn=child)["executions"]

    nested = wait_until("the child runs", started)[0]["executionArn"]
    wait_until("it is submitted", lambda: "TaskSubmitted" in [event["type"] for event in events(sfn, execution)])
    sfn.stop_execution(executionArn=execution)
    assert closed(sfn, nested)["status"] == "ABORTED"


def test_a_nested_execution_survives_kill_9(own_server, name):
    """Before and after its submission; it is started once, however often the server dies. Some of many run in the first
    moment of the server that comes after."""
    sfn = own_server.start().connect()
    child = machine_of(sfn, f"{name}-child", {"Type": "Wait", "Seconds": 4})
    start = {"StateMachineArn": child, "Name.$": "$$.Execution.Name"}
    parent = machine_of(sfn, name, task("states:startExecution.sync:2", Parameters=start))
    names = sorted(f"only-{number}" for number in range(10, 50))
    executions = [sfn.start_execution(stateMachineArn=parent, name=only)["executionArn"] for only in names]
    for _ in range(3):
        own_server.kill()
        sfn = own_server.start().connect()
    for execution in executions:
        ended = closed(sfn, execution)
        assert ended["status"] == "SUCCEEDED", ended
        types = [event["type"] for event in events(sfn, execution)]
        assert types.count("TaskSubmitted") == types.count("TaskSucceeded") == 1
    assert sorted(listed["name"] for listed in sfn.list_executions(stateMachineArn=child)["executions"]) == names


def test_a_dead_service_slows_no_other(moto, tmp_path, name):
    """Calls of a service that never answers fill its own lane; those of another pass."""
    with socket.socket() as dead:
        dead.bind(("127.0.0.1", 0))
        dead.listen(1024)
        environment = {"AWS_ENDPOINT_URL": moto, "AWS_ENDPOINT_URL_KMS": f"http://127.0.0.1:{dead.getsockname()[1]}", **KEYS}
        server = Server(tmp_path, environment=environment).start()
        sfn = server.connect()
        stuck = machine_of(sfn, f"{name}-stuck", task("aws-sdk:kms:listKeys", Parameters={}, TimeoutSeconds=600))
        for _ in range(200):
            sfn.start_execution(stateMachineArn=stuck)
        output = succeeded(run(sfn, name, task("aws-sdk:sts:getCallerIdentity", Parameters={})))
        assert output["T0"]["Account"] == ACCOUNT
        running = sfn.list_executions(stateMachineArn=stuck, statusFilter="RUNNING", maxResults=1000)["executions"]
        assert len(running) == 200
        server.kill()
