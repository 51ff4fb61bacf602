/** Functions on this machine: the server speaks the part of Lambda's API that is for them, on its own port. */
import { queryOptions } from "@tanstack/react-query";

export interface HostedFunction {
  FunctionName: string;
  FunctionArn: string;
  Runtime: string;
  Handler: string;
  Timeout: number;
  MemorySize?: number;
  Description?: string;
}

export interface Invoked {
  payload: string;
  failed: boolean;
  log: string;
  tookMs: number;
}

const LIST = "/2015-03-31/functions";
const LOG_REFRESH_MS = 2_000;

async function fetched(path: string, init: RequestInit): Promise<Response> {
  const response = await fetch(path, init);
  if (response.ok) return response;
  const text = await response.text();
  throw new Error(text || `The server answered ${response.status}.`);
}

export const functionsQuery = queryOptions({
  queryKey: ["functions"],
  queryFn: async ({ signal }) =>
    ((await (await fetched(LIST, { signal })).json()) as { Functions: HostedFunction[] }).Functions,
});

export const logQuery = (name: string) =>
  queryOptions({
    queryKey: ["function-log", name],
    queryFn: async ({ signal }) =>
      (await fetched(`/stepwell/functions/${encodeURIComponent(name)}/logs`, { signal })).text(),
    refetchInterval: LOG_REFRESH_MS,
  });

/** Runs a function once; what it printed comes with the answer. */
export async function invoke(name: string, payload: string): Promise<Invoked> {
  const began = performance.now();
  const response = await fetched(`${LIST}/${encodeURIComponent(name)}/invocations`, {
    method: "POST",
    headers: { "x-amz-log-type": "Tail", "content-type": "application/json" },
    body: payload,
  });
  const log = response.headers.get("x-amz-log-result") ?? "";
  const bytes = Uint8Array.from(atob(log), (char) => char.charCodeAt(0));
  return {
    payload: await response.text(),
    failed: response.headers.has("x-amz-function-error"),
    log: new TextDecoder().decode(bytes),
    tookMs: performance.now() - began,
  };
}
