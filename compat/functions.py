"""Functions on this machine that several files of tests use, in Python and in Node: both do the same things."""

import json
import pathlib

PYTHON = '''
import os, pathlib, subprocess, sys, time

def lambda_handler(event, context):
    do = event.get("do")
    if do == "wait":
        # Tells that it is there, and waits until the test lets it go on.
        here = pathlib.Path(event["folder"])
        with open(here / "runs", "a") as runs:
            runs.write(f"{os.getpid()}\\n")
        if event.get("child"):
            child = subprocess.Popen(["sleep", "1000"])
            (here / "child").write_text(str(child.pid))
        while not (here / "go").exists():
            time.sleep(0.02)
    if do == "fail":
        raise KeyError("no such order")
    if do == "exit":
        os._exit(event["code"])
    if do == "print":
        print(event["text"])
    if do == "memory":
        return len(bytearray(event["bytes"]))
    if do == "text":
        return {1, 2}
    return {"by": "python", "event": event, "pid": os.getpid(), "name": context.function_name,
            "arn": context.invoked_function_arn, "client": context.client_context,
            "time_left": 0 < context.get_remaining_time_in_millis() <= 30000}
'''

NODE = """
import fs from "node:fs";
import path from "node:path";
import { spawn } from "node:child_process";

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export const handler = async (event, context) => {
  if (event.do === "wait") {
    fs.appendFileSync(path.join(event.folder, "runs"), `${process.pid}\\n`);
    if (event.child) {
      const child = spawn("sleep", ["1000"]);
      fs.writeFileSync(path.join(event.folder, "child"), String(child.pid));
    }
    while (!fs.existsSync(path.join(event.folder, "go"))) await pause(20);
  }
  if (event.do === "fail") throw new RangeError("no such order");
  if (event.do === "exit") process.exit(event.code);
  if (event.do === "print") console.log(event.text);
  return { by: "node", event, pid: process.pid, name: context.functionName, arn: context.invokedFunctionArn,
           client: context.clientContext ?? null, time_left: context.getRemainingTimeInMillis() > 0 };
};

export const withCallback = (event, context, callback) => { setTimeout(() => callback(null, event.n + 1), 1); };
"""

# A custom runtime: any program that speaks the Runtime API. This one needs nothing but a shell and curl's like.
CUSTOM = """#!/usr/bin/env python3
import http.client, os, sys
api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
while True:
    api.request("GET", "/2018-06-01/runtime/invocation/next")
    answer = api.getresponse()
    request, payload = answer.headers["Lambda-Runtime-Aws-Request-Id"], answer.read()
    api.request("POST", f"/2018-06-01/runtime/invocation/{request}/response", body=b'{"custom": ' + payload + b"}")
    api.getresponse().read()
"""

CONFIG = """
[functions.py]
python = "code/py.py"
[functions.node]
node = "code/node.mjs"
[functions.callback]
node = "code/node.mjs"
handler = "withCallback"
[functions.custom]
command = ["./custom"]
folder = "code"
[functions.quick]
python = "code/py.py"
timeout_seconds = 1
[functions.small]
python = "code/py.py"
memory_mb = 128
[functions.single]
python = "code/py.py"
concurrency = 1
[functions.broken]
python = "code/broken.py"
[functions.nameless]
node = "code/node.mjs"
handler = "nothing"
[functions.missing]
command = ["/nowhere/bootstrap"]
"""


def write(folder, more=""):
    """Writes the functions and a stepwell.toml into a folder; gives the path of the latter."""
    folder = pathlib.Path(folder)
    code = folder / "code"
    code.mkdir()
    (code / "py.py").write_text(PYTHON)
    (code / "node.mjs").write_text(NODE)
    (code / "broken.py").write_text("import no_such_module\n")
    (code / "custom").write_text(CUSTOM)
    (code / "custom").chmod(0o755)
    (folder / "stepwell.toml").write_text(CONFIG + more)
    return folder / "stepwell.toml"


def invoke(function, payload="$"):
    """A machine with one Task that invokes the function with its input."""
    task = {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "End": True, "OutputPath": "$.Payload"}
    task["Parameters"] = {"FunctionName": function, "Payload.$": payload}
    return json.dumps({"StartAt": "T", "States": {"T": task}})
