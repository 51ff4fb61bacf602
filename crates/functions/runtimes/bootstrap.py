"""Runs a Python handler behind the Lambda Runtime API. Standard library alone.

Environment: AWS_LAMBDA_RUNTIME_API, STEPWELL_FUNCTION_FILE (the file), _HANDLER (a function in it).
"""

import http.client
import importlib.util
import json
import os
import sys
import time
import traceback

API = os.environ["AWS_LAMBDA_RUNTIME_API"]
RUNTIME = "/2018-06-01/runtime"


class Runtime:
    """The Runtime API over one kept-alive connection."""

    def __init__(self):
        self.connection = http.client.HTTPConnection(API)

    def call(self, method, path, body=None, headers=None):
        self.connection.request(method, RUNTIME + path, body=body, headers=headers or {})
        answer = self.connection.getresponse()
        return answer.status, answer.headers, answer.read()

    def fail(self, path, error):
        body = json.dumps(error).encode()
        self.call("POST", path, body, {"Lambda-Runtime-Function-Error-Type": error["errorType"]})


class Context:
    """What a handler gets beside its event, as on Lambda."""

    function_name = os.environ.get("AWS_LAMBDA_FUNCTION_NAME")
    function_version = os.environ.get("AWS_LAMBDA_FUNCTION_VERSION")
    memory_limit_in_mb = os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
    log_group_name = os.environ.get("AWS_LAMBDA_LOG_GROUP_NAME")
    log_stream_name = os.environ.get("AWS_LAMBDA_LOG_STREAM_NAME")
    identity = None

    def __init__(self, headers):
        self.aws_request_id = headers["Lambda-Runtime-Aws-Request-Id"]
        self.invoked_function_arn = headers["Lambda-Runtime-Invoked-Function-Arn"]
        self.deadline_ms = int(headers["Lambda-Runtime-Deadline-Ms"])
        context = headers.get("Lambda-Runtime-Client-Context")
        self.client_context = json.loads(context) if context else None

    def get_remaining_time_in_millis(self):
        return max(0, self.deadline_ms - int(time.time() * 1000))


def described(error, request_id=None):
    """An exception in Lambda's form; frames of this file are left out."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename != "<string>"]
    described = {"errorMessage": str(error), "errorType": type(error).__name__}
    if request_id is not None:
        described["requestId"] = request_id
    described["stackTrace"] = traceback.format_list(frames)
    return described


def loaded(file, name):
    """The handler, or (error type, message, exception)."""
    try:
        folder = os.path.dirname(file)
        sys.path.insert(0, folder)
        spec = importlib.util.spec_from_file_location(os.path.splitext(os.path.basename(file))[0], file)
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module
        spec.loader.exec_module(module)
    except SyntaxError as error:
        return None, ("Runtime.UserCodeSyntaxError", f"Syntax error in module '{file}': {error}", error)
    except (ImportError, FileNotFoundError) as error:
        return None, ("Runtime.ImportModuleError", f"Unable to import module '{file}': {error}", error)
    except Exception as error:  # noqa: BLE001: whatever the module's top level raises
        return None, (type(error).__name__, str(error), error)
    handler = getattr(module, name, None)
    if not callable(handler):
        return None, ("Runtime.HandlerNotFound", f"Handler '{name}' missing on module '{file}'", None)
    return handler, None


def run(runtime, handler, headers, payload):
    request_id = headers["Lambda-Runtime-Aws-Request-Id"]
    try:
        result = handler(json.loads(payload), Context(headers))
    except Exception as error:  # noqa: BLE001: the function's own failure
        failure = described(error, request_id)
        print(f"[ERROR] {failure['errorType']}: {failure['errorMessage']}\nTraceback (most recent call last):", flush=True)
        print("".join(failure["stackTrace"]), end="", flush=True)
        runtime.fail(f"/invocation/{request_id}/error", failure)
        return
    try:
        body = json.dumps(result, ensure_ascii=False).encode()
    except (TypeError, ValueError) as error:
        failure = {"errorType": "Runtime.MarshalError", "errorMessage": f"Unable to marshal response: {error}"}
        runtime.fail(f"/invocation/{request_id}/error", {**failure, "requestId": request_id, "stackTrace": []})
        return
    runtime.call("POST", f"/invocation/{request_id}/response", body, {"Content-Type": "application/json"})


def main():
    runtime = Runtime()
    handler, failed = loaded(os.environ["STEPWELL_FUNCTION_FILE"], os.environ["_HANDLER"])
    if failed:
        error_type, message, error = failed
        failure = described(error) if error else {"stackTrace": []}
        print(f"[ERROR] {error_type}: {message}", flush=True)
        runtime.fail("/init/error", {**failure, "errorMessage": message, "errorType": error_type})
        sys.exit(1)
    while True:
        status, headers, payload = runtime.call("GET", "/invocation/next")
        if status != 200:
            sys.exit(0)
        run(runtime, handler, headers, payload)


main()
