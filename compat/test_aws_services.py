"""Tasks that call AWS services, played by moto: each service by its own protocol, and what is built on them."""

import datetime
import http.server
import json
import socket
import threading

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
    # An answer to HEAD has no body; the SDK for Java names the errors of these two all the same.
    heads = {"headObject": {**place, "Key": "none"}, "headBucket": {"Bucket": f"{name}-none"}}
    for action, parameters in heads.items():
        missing = run(sfn, f"{name}-{action}", task(f"aws-sdk:s3:{action}", Parameters=parameters))
        assert missing["error"] == f"S3.NoSuch{'Key' if action == 'headObject' else 'Bucket'}Exception"
        assert missing["cause"].startswith("null (Service: S3, Status Code: 404, Request ID: ")


def test_a_bucket_is_made_where_its_machine_is(server, aws, name):
    """As the SDK for Java does it: S3 itself would make it in us-east-1, or refuse."""
    create = task("aws-sdk:s3:createBucket", Parameters={"Bucket": name})
    succeeded(run(server.connect("eu-west-1"), name, create))
    assert aws("s3").get_bucket_location(Bucket=name)["LocationConstraint"] == "eu-west-1"


def test_route_53(sfn, name):
    """Its ids can be given back: the SDK for Java takes off what they begin with."""
    zone = {"Name": f"{name}.example", "CallerReference": name}
    create = task("aws-sdk:route53:createHostedZone", Parameters=zone)
    get = task("aws-sdk:route53:getHostedZone", Parameters={"Id.$": "$.T0.HostedZone.Id"})
    output = succeeded(run(sfn, name, create, get))
    assert output["T1"]["HostedZone"]["Id"] == output["T0"]["HostedZone"]["Id"]
    assert "/" not in output["T0"]["HostedZone"]["Id"]


def test_sqs(sfn, aws, name):
    queue = aws("sqs").create_queue(QueueName=name)["QueueUrl"]
    send = task("sqs:sendMessage", Parameters={"QueueUrl": queue, "MessageBody": {"n": 1}})
    output = succeeded(run(sfn, name, send, task("aws-sdk:sqs:receiveMessage", Parameters={"QueueUrl": queue})))
    assert output["T0"]["SdkHttpMetadata"]["HttpStatusCode"] == 200
    assert output["T0"]["MD5OfMessageBody"] == output["T1"]["Messages"][0]["Md5OfBody"]
    assert output["T1"]["Messages"][0]["Body"] == '{"n":1}'
    # The SDKs call the queue's URL itself; here that is so where it names no queue of the SQS that is configured.
    nowhere = {"QueueUrl": "http://no-such-queue.invalid", "MessageBody": "b"}
    ended = run(sfn, f"{name}-nowhere", task("sqs:sendMessage", Parameters=nowhere))
    cause = "Unable to execute HTTP request: no-such-queue.invalid: Name or service not known"
    assert (ended["error"], ended["cause"]) == ("SQS.SdkClientException", cause)


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


def test_times_are_milliseconds_in_optimised_results(sfn, aws, name):
    """As version 1 of the SDK for Java writes them; version 2, of `aws-sdk` tasks, writes texts."""
    aws("glue").create_job(Name=name, Role=ROLE, Command={"Name": "glueetl", "ScriptLocation": "s3://bucket/key"})
    optimised = task("glue:startJobRun.sync", Parameters={"JobName": name})
    sdk = task("aws-sdk:glue:getJobRuns", Parameters={"JobName": name})
    output = succeeded(run(sfn, name, optimised, sdk))
    started = datetime.datetime.fromisoformat(output["T1"]["JobRuns"][0]["StartedOn"])
    assert output["T0"]["StartedOn"] == round(started.timestamp() * 1000)


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


def test_instance_groups_by_name(sfn, aws, name):
    groups = [{"Name": "lead", "InstanceRole": "MASTER", "InstanceType": "m5.large", "InstanceCount": 1}]
    groups.append({**groups[0], "Name": "workers", "InstanceRole": "CORE", "InstanceCount": 2})
    instances = {"InstanceGroups": groups, "KeepJobFlowAliveWhenNoSteps": True}
    emr = aws("emr")
    cluster = emr.run_job_flow(Name=name, Instances=instances, JobFlowRole="r", ServiceRole="s")["JobFlowId"]
    change = {"ClusterId": cluster, "InstanceGroupName": "workers", "InstanceGroup": {"InstanceCount": 8}}
    modify = "elasticmapreduce:modifyInstanceGroupByName"
    output = succeeded(run(sfn, name, task(modify, Parameters=change)))
    assert list(output["T0"]) == ["SdkHttpMetadata", "SdkResponseMetadata"]
    found = emr.list_instance_groups(ClusterId=cluster)["InstanceGroups"]
    assert {group["Name"]: group["RequestedInstanceCount"] for group in found} == {"lead": 1, "workers": 8}
    missing = run(sfn, f"{name}-none", task(modify, Parameters={**change, "InstanceGroupName": "none"}))
    assert missing["error"] == "ElasticMapReduce.InvalidRequestException"


def test_a_model_reads_and_writes_s3(sfn, aws, name):
    """moto's model answers `{}` whatever it is asked, but wants an object of JSON."""
    s3 = aws("s3")
    s3.create_bucket(Bucket="models")
    s3.put_object(Bucket="models", Key="a b/in.json", Body=b'{"prompt": "hello"}')
    call = {"ModelId": "m", "Input": {"S3Uri": "s3://models/a b/in.json"}, "Output": {"S3Uri": "s3://models/out.json"}}
    output = succeeded(run(sfn, name, task("bedrock:invokeModel", Parameters=call)))
    assert (output["T0"]["Body"], output["T0"]["ContentType"]) == ("s3://models/out.json", "application/json")
    assert s3.get_object(Bucket="models", Key="out.json")["Body"].read() == b"{}"
    body = {"ModelId": "m", "Body": {"prompt": "hello"}}
    assert succeeded(run(sfn, f"{name}-body", task("bedrock:invokeModel", Parameters=body)))["T0"]["Body"] == {}
    call["Input"]["S3Uri"] = "models/in.json"
    assert run(sfn, f"{name}-uri", task("bedrock:invokeModel", Parameters=call))["error"] == "States.Runtime"


def test_the_role_of_the_machine_is_assumed(moto, tmp_path, name):
    server = Server(tmp_path, options=["--assume-roles"], environment={"AWS_ENDPOINT_URL": moto, **KEYS}).start()
    sfn = server.connect()
    identity = task("aws-sdk:sts:getCallerIdentity", Parameters={})
    arn = succeeded(run(sfn, name, identity))["T0"]["Arn"]
    assert arn.startswith(f"arn:aws:sts::{ACCOUNT}:assumed-role/{ROLE.rsplit('/')[-1]}/")
    # A task's own role is assumed by that of the machine.
    role = "arn:aws:iam::210987654321:role/other"
    other = task("aws-sdk:sts:getCallerIdentity", Parameters={}, Credentials={"RoleArn": role})
    assert ":assumed-role/other/" in succeeded(run(sfn, f"{name}-other", other))["T0"]["Arn"]
    assert server.stop() == 0, server.log


class Place(http.server.BaseHTTPRequestHandler):
    """Answers every call with the name of the place that was called."""

    protocol_version = "HTTP/1.1"

    def answer(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = json.dumps({"message": self.server.name, "__type": "PlaceException"}).encode()
        self.send_response(400)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = answer

    def log_message(self, *_):
        pass


def test_where_services_are_called(tmp_path, name):
    """Option, environment, profile, file: what is said first counts, for one service or for all."""
    places = {}
    for place in ["option", "environment", "profile", "profile-all", "file", "file-all"]:
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Place)
        server.daemon_threads, server.name = True, place
        threading.Thread(target=server.serve_forever, daemon=True).start()
        places[place] = f"http://127.0.0.1:{server.server_address[1]}"
    services = ["lambda", "kms", "ssm", "secrets_manager"]
    own = "".join(f"{service} =\n  endpoint_url = {places['profile']}\n" for service in services[:3])
    (tmp_path / "profiles").write_text(f"[default]\nservices = s\n[services s]\n{own}")
    (tmp_path / "all").write_text(f"[default]\nendpoint_url = {places['profile-all']}\n")
    toml = ", ".join(f'{service} = "{places["file"]}"' for service in services)
    (tmp_path / "stepwell.toml").write_text(f'[aws]\nendpoint_url = "{places["file-all"]}"\nendpoints = {{ {toml} }}\n')
    calls = {
        "lambda": task("lambda:invoke", Parameters={"FunctionName": "absent"}),
        "kms": task("aws-sdk:kms:listKeys", Parameters={}),
        "ssm": task("aws-sdk:ssm:describeParameters", Parameters={}),
        "secrets_manager": task("aws-sdk:secretsmanager:listSecrets", Parameters={}),
        "cloudtrail": task("aws-sdk:cloudtrail:listTrails", Parameters={}),
    }

    def called(profiles, *options, **environment):
        environment = {**KEYS, "AWS_CONFIG_FILE": str(tmp_path / profiles), **environment}
        options = ["--config", str(tmp_path / "stepwell.toml"), *options]
        server = Server(tmp_path, data=":memory:", options=options, environment=environment).start()
        sfn = server.connect()
        causes = {service: run(sfn, f"{name}-{service}", call)["cause"] for service, call in calls.items()}
        assert server.stop() == 0, server.log
        return [cause.split(" (")[0] for cause in causes.values()]

    assert called("none") == ["file", "file", "file", "file", "file-all"]
    assert called("profiles") == ["profile", "profile", "profile", "file", "file-all"]
    assert called("all") == ["profile-all"] * 5
    by_variable = {"AWS_ENDPOINT_URL_KMS": places["environment"]}
    found = called("profiles", "--lambda-endpoint", places["option"], **by_variable)
    assert found == ["option", "environment", "profile", "file", "file-all"]
    for_all = {"AWS_ENDPOINT_URL": places["environment"]}
    assert called("profiles", "--lambda-endpoint", places["option"], **for_all) == ["option"] + ["environment"] * 4


class Endpoint(http.server.BaseHTTPRequestHandler):
    """An API of API Gateway: tells what it was asked, or refuses."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        asked = {"target": self.path, "method": self.command, "type": self.headers.get("Content-Type"), "body": body}
        status, answer = (404, b'{"message": "Not Found"}') if "/none" in self.path else (200, json.dumps(asked).encode())
        self.send_response_only(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(answer)), "X-A": "1"}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer)

    do_GET = do_POST

    def log_message(self, *_):
        pass


def test_api_gateway(sfn, name):
    """Source: Step Functions guide, "Call API Gateway with Step Functions"."""
    api = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Endpoint)
    api.daemon_threads = True
    threading.Thread(target=api.serve_forever, daemon=True).start()
    place = {"ApiEndpoint": f"http://127.0.0.1:{api.server_address[1]}", "Stage": "prod", "Path": "/pets/1"}
    body = {"name": "Tumble", "category": None, "tags": [None, {"a": None}]}
    query = {"type": ["a b", "c"]}
    parameters = {**place, "Method": "POST", "QueryParameters": query, "RequestBody": body}
    calls = [{}, {"AllowNullValues": True}, {"Method": "GET", "RequestBody": None}]
    output = succeeded(
        run(sfn, name, *(task("apigateway:invoke", Parameters={**parameters, **call}) for call in calls))
    )
    bodies = ['{"name":"Tumble","tags":[null,{}]}', json.dumps(body, separators=(",", ":")), ""]
    for number, (call, sent) in enumerate(zip(calls, bodies, strict=True)):
        found = output[f"T{number}"]
        assert list(found) == ["Headers", "ResponseBody", "StatusCode", "StatusText"]
        assert found["Headers"] == {"Content-Type": ["application/json"], "Content-Length": found["Headers"]["Content-Length"], "x-a": ["1"]}
        asked = found["ResponseBody"]
        assert (asked["method"], asked["body"]) == (call.get("Method", "POST"), sent)
        assert asked["target"] == "/prod/pets/1?type=a%20b&type=c"
        assert asked["type"] == ("application/json" if sent else None)
        assert (found["StatusCode"], found["StatusText"]) == (200, "OK")
    refused = run(sfn, f"{name}-none", task("apigateway:invoke", Parameters={**place, "Method": "GET", "Path": "none"}))
    assert (refused["error"], refused["cause"]) == ("ApiGateway.404", '{"message": "Not Found"}')
    forbidden = {**place, "Method": "GET", "Headers": {"X-Amz-Date": ["now"]}}
    ended = run(sfn, f"{name}-forbidden", task("apigateway:invoke", Parameters=forbidden))
    assert (ended["error"], ended["cause"]) == ("States.Runtime", "The header 'X-Amz-Date' is not allowed")
    api.shutdown()


@pytest.mark.parametrize(
    ("resource", "parameters", "problem"),
    [
        ("sqs:sendMessage", {"QueueUrl": "q", "MessageBody": "b", "Foo": 1}, 'The field "Foo" is not supported by Step Functions'),
        ("sqs:sendMessage", {"QueueUrl": "q", "DelaySeconds": "x"}, "The value for the field 'DelaySeconds' must be an INTEGER"),
        ("dynamodb:putItem", {"TableName": "t", "Key": {}}, 'The field "Key" is not supported by Step Functions'),
        ("dynamodb:putItem", {"TableName": "t", "Item": {"n": {"N": 1}}}, "The value for the field 'N' must be a STRING"),
        (
            "ecs:runTask",
            {"TaskDefinition": "t", "Overrides": {"ContainerOverrides": [{"Environment": [{"Name": "n", "Value": True}]}]}},
            "The value for the field 'Value' must be a STRING",
        ),
        ("aws-sdk:dynamodb:putItem", {"Bad": 1}, 'The field "Bad" is not supported by Step Functions'),
        ("lambda:invoke", {"FunctionName": "f", "Input": 1}, 'The field "Input" is not supported by Step Functions'),
        ("lambda:invoke", {"FunctionName": "f", "Qualifier": 1}, "The value for the field 'Qualifier' must be a STRING"),
        ("apigateway:invoke", {"ApiEndpoint": "a", "Method": "GET", "Stage": 1}, "The value for the field 'Stage' must be a STRING"),
        ("aws-sdk:s3:putObject", {"Bucket": "b"}, "The field 'Key' is required but was missing"),
        ("states:startExecution", {"Input": {}}, "The field 'StateMachineArn' is required but was missing"),
        ("states:startExecution", {"StateMachineArn": "m", "Name": 1}, "The value for the field 'Name' must be a STRING"),
        (
            "apigateway:invoke",
            {"ApiEndpoint": "a", "Method": "GET", "QueryParameters": "?a=b"},
            "The value of the field 'QueryParameters' has an invalid format",
        ),
    ],
)  # fmt: skip
def test_parameters_that_cannot_be_sent(sfn, name, resource, parameters, problem):
    """Source: users' reports, for the sentence and for the event's number in it; the task is not scheduled."""
    state = task(resource, **{"Parameters": parameters, "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "T0"}]})
    ended = run(sfn, name, state)
    assert (ended["status"], ended["error"]) == ("FAILED", "States.Runtime")
    sent = json.dumps(parameters, separators=(",", ":"))
    assert ended["cause"] == (
        "An error occurred while executing the state 'T0' (entered at the event id #2). "
        f"The Parameters '{sent}' could not be used to start the Task: [{problem}]"
    )
    types = [event["type"] for event in events(sfn, ended["executionArn"])]
    assert types == ["ExecutionStarted", "TaskStateEntered", "ExecutionFailed"]
