// A walk through the API with the AWS SDK for JavaScript. Usage: node walk.mjs ENDPOINT; exits with 0 if all is as it should be.

import assert from "node:assert/strict";
import {
  CreateActivityCommand,
  CreateStateMachineAliasCommand,
  CreateStateMachineCommand,
  DeleteStateMachineCommand,
  DescribeExecutionCommand,
  DescribeStateMachineCommand,
  ExecutionDoesNotExist,
  GetActivityTaskCommand,
  ListExecutionsCommand,
  ListStateMachineVersionsCommand,
  ListTagsForResourceCommand,
  SendTaskSuccessCommand,
  SFNClient,
  StartExecutionCommand,
  StateMachineAlreadyExists,
  StopExecutionCommand,
  TestStateCommand,
  UpdateStateMachineCommand,
  ValidateStateMachineDefinitionCommand,
  paginateGetExecutionHistory,
  paginateListActivities,
  paginateListExecutions,
  paginateListStateMachines,
} from "@aws-sdk/client-sfn";

const roleArn = "arn:aws:iam::123456789012:role/compat";
const pass = JSON.stringify({ StartAt: "P", States: { P: { Type: "Pass", End: true } } });
const longWait = JSON.stringify({ StartAt: "W", States: { W: { Type: "Wait", Seconds: 3600, End: true } } });

const sfn = new SFNClient({
  endpoint: process.argv[2],
  region: "us-east-1",
  credentials: { accessKeyId: "compat", secretAccessKey: "compat" },
  // TestState and StartSyncExecution would be sent to `sync-127.0.0.1`, which is no host.
  disableHostPrefix: true,
});
const send = (command) => sfn.send(command);

/** All items of all pages of a paginator. */
async function all(pages, member) {
  const items = [];
  for await (const page of pages) items.push(...page[member]);
  return items;
}

/** Polls until an execution has ended, at most a minute; the API has no waiters of its own. */
async function ended(executionArn) {
  const deadline = Date.now() + 60_000;
  for (;;) {
    const execution = await send(new DescribeExecutionCommand({ executionArn }));
    if (execution.status !== "RUNNING") return execution;
    assert.ok(Date.now() < deadline, `${executionArn} does not end`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

// A state machine, its version, an alias.
const made = await send(
  new CreateStateMachineCommand({
    name: "javascript",
    definition: pass,
    roleArn,
    publish: true,
    tags: [{ key: "from", value: "JavaScript" }],
  }),
);
const { stateMachineArn, stateMachineVersionArn } = made;
assert.ok(made.creationDate instanceof Date);
assert.equal(stateMachineVersionArn, `${stateMachineArn}:1`);
const described = await send(new DescribeStateMachineCommand({ stateMachineArn }));
assert.equal(described.definition, pass);
assert.equal(described.status, "ACTIVE");
const { tags } = await send(new ListTagsForResourceCommand({ resourceArn: stateMachineArn }));
assert.deepEqual(tags, [{ key: "from", value: "JavaScript" }]);
await assert.rejects(
  send(new CreateStateMachineCommand({ name: "javascript", definition: longWait, roleArn })),
  StateMachineAlreadyExists,
);
const updated = await send(new UpdateStateMachineCommand({ stateMachineArn, definition: longWait, publish: true }));
assert.equal(updated.stateMachineVersionArn, `${stateMachineArn}:2`);
const { stateMachineVersions } = await send(new ListStateMachineVersionsCommand({ stateMachineArn }));
assert.deepEqual(
  stateMachineVersions.map((version) => version.stateMachineVersionArn),
  [`${stateMachineArn}:2`, `${stateMachineArn}:1`],
);
const { stateMachineAliasArn } = await send(
  new CreateStateMachineAliasCommand({ name: "PROD", routingConfiguration: [{ stateMachineVersionArn, weight: 100 }] }),
);

// An execution to its end, and its history in pages.
const started = await send(
  new StartExecutionCommand({ stateMachineArn: stateMachineAliasArn, name: "first", input: '{"n": 1.50}' }),
);
const execution = await ended(started.executionArn);
assert.equal(execution.status, "SUCCEEDED");
assert.equal(execution.output, '{"n": 1.50}');
assert.equal(execution.stateMachineAliasArn, stateMachineAliasArn);
assert.equal(execution.stateMachineVersionArn, stateMachineVersionArn);
const events = await all(
  paginateGetExecutionHistory({ client: sfn, pageSize: 1 }, { executionArn: started.executionArn }),
  "events",
);
assert.deepEqual(
  events.map((event) => event.type),
  ["ExecutionStarted", "PassStateEntered", "PassStateExited", "ExecutionSucceeded"],
);
assert.deepEqual(
  events.map((event) => event.id),
  [1, 2, 3, 4],
);

// Lists in pages.
for (let number = 0; number < 3; number++) {
  await send(new StartExecutionCommand({ stateMachineArn: stateMachineVersionArn, name: `more-${number}` }));
}
const listed = await all(paginateListExecutions({ client: sfn, pageSize: 2 }, { stateMachineArn }), "executions");
assert.equal(listed.length, 4);
const ofAlias = await send(new ListExecutionsCommand({ stateMachineArn: stateMachineAliasArn }));
assert.deepEqual(
  ofAlias.executions.map((each) => each.executionArn),
  [started.executionArn],
);
const machines = await all(paginateListStateMachines({ client: sfn, pageSize: 1 }, {}), "stateMachines");
assert.ok(machines.some((machine) => machine.stateMachineArn === stateMachineArn));

// An activity's task, answered.
const { activityArn } = await send(new CreateActivityCommand({ name: "javascript" }));
const activities = await all(paginateListActivities({ client: sfn, pageSize: 1 }, {}), "activities");
assert.ok(activities.some((activity) => activity.activityArn === activityArn));
const worked = await send(
  new CreateStateMachineCommand({
    name: "javascript-activity",
    definition: JSON.stringify({ StartAt: "T", States: { T: { Type: "Task", Resource: activityArn, End: true } } }),
    roleArn,
  }),
);
const working = await send(new StartExecutionCommand({ stateMachineArn: worked.stateMachineArn, input: "[1]" }));
const task = await send(new GetActivityTaskCommand({ activityArn, workerName: "walk" }));
assert.equal(task.input, "[1]");
await send(new SendTaskSuccessCommand({ taskToken: task.taskToken, output: '"done"' }));
assert.equal((await ended(working.executionArn)).output, '"done"');

// Stopped, refused, tested, validated.
const waiting = await send(new StartExecutionCommand({ stateMachineArn }));
await send(new StopExecutionCommand({ executionArn: waiting.executionArn, error: "Enough", cause: "by hand" }));
const stopped = await ended(waiting.executionArn);
assert.deepEqual([stopped.status, stopped.error, stopped.cause], ["ABORTED", "Enough", "by hand"]);
await assert.rejects(
  send(new DescribeExecutionCommand({ executionArn: `${waiting.executionArn}-other` })),
  ExecutionDoesNotExist,
);
const tested = await send(
  new TestStateCommand({ definition: '{"Type":"Pass","Result":1,"Next":"N"}', inspectionLevel: "DEBUG" }),
);
assert.deepEqual([tested.status, tested.output, tested.nextState], ["SUCCEEDED", "1", "N"]);
assert.equal(tested.inspectionData.result, "1");
const judged = await send(new ValidateStateMachineDefinitionCommand({ definition: "{}" }));
assert.equal(judged.result, "FAIL");
await send(new DeleteStateMachineCommand({ stateMachineArn }));
console.log("the walk is done");
