/** A state machine that asks a person, with a function on this machine that takes the question. */
export const FILES = {
  "stepwell.toml": '[functions.ask]\nnode = "ask.mjs"\n\n[functions.price]\nnode = "price.mjs"\ntimeout_seconds = 5\n',
  "ask.mjs": [
    "export async function handler(event) {",
    '  console.log("asked: " + (event.purpose ?? "nothing"));',
    "  return { asked: true };",
    "}",
    "",
  ].join("\n"),
  "price.mjs": "export const handler = async ({ kg = 1 }) => ({ cents: 590 + 120 * kg });\n",
};

export const ASK = "Ask the manager";

export const ASKS = {
  QueryLanguage: "JSONata",
  StartAt: ASK,
  States: {
    [ASK]: {
      Type: "Task",
      Resource: "arn:aws:states:::lambda:invoke.waitForTaskToken",
      Arguments: {
        FunctionName: "ask",
        Payload: {
          token: "{% $states.context.Task.Token %}",
          claim: "{% $states.input.claim %}",
          by: "{% $states.input.by %}",
          purpose: "{% $states.input.purpose %}",
          cents: "{% $states.input.cents %}",
        },
      },
      TimeoutSeconds: 259200,
      HeartbeatSeconds: 86400,
      Assign: { approved: "{% $states.result.approved %}" },
      Catch: [{ ErrorEquals: ["Claim.Refused"], Next: "Refused" }],
      Next: "Pay out",
    },
    "Pay out": { Type: "Pass", End: true },
    Refused: { Type: "Fail", Error: "Claim.Refused", Cause: "A person said no." },
  },
};
