// Runs a Node handler behind the Lambda Runtime API. Node's own modules alone.
//
// Environment: AWS_LAMBDA_RUNTIME_API, STEPWELL_FUNCTION_FILE (the module), _HANDLER (what it exports).
"use strict";

const http = require("node:http");
const { pathToFileURL } = require("node:url");

const [host, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(":");
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });

function call(method, path, body, headers) {
  return new Promise((resolve, reject) => {
    const options = { host, port, agent, method, path: "/2018-06-01/runtime" + path };
    options.headers = { ...headers, "Content-Length": body === undefined ? 0 : Buffer.byteLength(body) };
    const request = http.request(options, (answer) => {
      const chunks = [];
      answer.on("data", (chunk) => chunks.push(chunk));
      answer.on("end", () => {
        resolve({ status: answer.statusCode, headers: answer.headers, body: Buffer.concat(chunks).toString("utf8") });
      });
    });
    request.on("error", reject);
    request.end(body);
  });
}

function fail(path, error) {
  return call("POST", path, JSON.stringify(error), { "Lambda-Runtime-Function-Error-Type": error.errorType });
}

// What was thrown, in Lambda's form.
function described(error) {
  if (error instanceof Error) {
    const trace = (error.stack ?? "").split("\n");
    return { errorType: error.name, errorMessage: error.message, trace };
  }
  return { errorType: typeof error, errorMessage: String(error), trace: [] };
}

async function loaded(file, name) {
  let module;
  try {
    module = await import(pathToFileURL(file).href);
  } catch (error) {
    const missing = error.code === "ERR_MODULE_NOT_FOUND" || error.code === "MODULE_NOT_FOUND";
    const syntax = error instanceof SyntaxError;
    const errorType = missing ? "Runtime.ImportModuleError" : syntax ? "Runtime.UserCodeSyntaxError" : error?.name;
    throw { ...described(error), errorType: errorType ?? "Error" };
  }
  const handler = module[name] ?? module.default?.[name];
  if (typeof handler !== "function") {
    throw { errorType: "Runtime.HandlerNotFound", errorMessage: `${file} exports no function ${name}`, trace: [] };
  }
  return handler;
}

function contextOf(headers) {
  const deadline = Number(headers["lambda-runtime-deadline-ms"]);
  const client = headers["lambda-runtime-client-context"];
  return {
    awsRequestId: headers["lambda-runtime-aws-request-id"],
    invokedFunctionArn: headers["lambda-runtime-invoked-function-arn"],
    functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: process.env.AWS_LAMBDA_FUNCTION_VERSION,
    memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: process.env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: process.env.AWS_LAMBDA_LOG_STREAM_NAME,
    clientContext: client ? JSON.parse(client) : undefined,
    callbackWaitsForEmptyEventLoop: true,
    getRemainingTimeInMillis: () => Math.max(0, deadline - Date.now()),
  };
}

// A handler answers by a promise, by what it returns, or by its third argument.
function result(handler, event, context) {
  return new Promise((resolve, reject) => {
    const callback = (error, value) => (error ? reject(error) : resolve(value));
    const returned = handler(event, context, callback);
    if (handler.length < 3 || typeof returned?.then === "function") resolve(returned);
  });
}

async function main() {
  let handler;
  try {
    handler = await loaded(process.env.STEPWELL_FUNCTION_FILE, process.env._HANDLER);
  } catch (error) {
    console.error(`[ERROR] ${error.errorType}: ${error.errorMessage}`);
    await fail("/init/error", error);
    process.exit(1);
  }
  for (;;) {
    const { status, headers, body } = await call("GET", "/invocation/next");
    if (status !== 200) process.exit(0);
    const id = headers["lambda-runtime-aws-request-id"];
    try {
      const value = await result(handler, JSON.parse(body), contextOf(headers));
      const text = JSON.stringify(value === undefined ? null : value);
      await call("POST", `/invocation/${id}/response`, text, { "Content-Type": "application/json" });
    } catch (error) {
      console.error(error);
      await fail(`/invocation/${id}/error`, described(error));
    }
  }
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
