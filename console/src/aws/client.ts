/**
 * AWS JSON 1.0 to the server that this page came from.
 *
 * Not the SDK: the page is of the same origin, so there is nothing to sign, and no secret to keep in a browser.
 */
import type { Operations } from "./operations";
import { ownerHeaders } from "./owner";

/** An error answer; `code` is AWS's name for it. */
export class AwsError extends Error {
  constructor(
    readonly code: string,
    message: string,
    readonly status: number,
  ) {
    super(message);
    this.name = code;
  }
}

export async function call<Name extends keyof Operations>(
  name: Name,
  input: Operations[Name]["input"],
  signal?: AbortSignal,
): Promise<Operations[Name]["output"]> {
  const response = await request("/", {
    method: "POST",
    headers: { "content-type": "application/x-amz-json-1.0", "x-amz-target": `AWSStepFunctions.${name}` },
    body: JSON.stringify(input),
    signal: signal ?? null,
  });
  return answerOf(response);
}

/** Reads below `/console/api/`. */
export async function read<T>(path: string, signal?: AbortSignal): Promise<T> {
  return answerOf(await request(`/console/api/${path}`, { signal: signal ?? null }));
}

/** The token of this page's session, which the server wants to see with what changes something. */
let session: Promise<string> | undefined;

/** Changes something below `/console/api/`. A session that the server does not know any more is begun anew, once. */
export async function write<T>(path: string, body: unknown, signal?: AbortSignal): Promise<T> {
  const send = async () => {
    session ??= read<{ token: string }>("session").then(
      ({ token }) => token,
      (error) => {
        session = undefined;
        throw error;
      },
    );
    const headers = { "content-type": "application/json", "x-stepwell-token": await session };
    const init = { method: "POST", headers, body: JSON.stringify(body), signal: signal ?? null };
    return request(`/console/api/${path}`, init);
  };
  const first = await send();
  if (first.status !== 403) return answerOf(first);
  session = undefined;
  return answerOf(await send());
}

async function request(path: string, init: RequestInit & { headers?: Record<string, string> }): Promise<Response> {
  try {
    return await fetch(path, { ...init, headers: { ...init.headers, ...ownerHeaders() } });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new AwsError("Unreachable", "The server does not answer. Is it still running?", 0);
  }
}

async function answerOf<T>(response: Response): Promise<T> {
  const text = await response.text();
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch {
    throw new AwsError("Unreadable", `The server answered ${response.status} without JSON.`, response.status);
  }
  if (response.ok) return answer as T;
  const { __type, message } = answer as { __type?: string; message?: string };
  throw new AwsError(__type?.split("#").at(-1) ?? "Error", message ?? "The call failed.", response.status);
}

/** All pages of a list, up to a bound. */
export async function pages<T>(
  bound: number,
  page: (nextToken: string | undefined) => Promise<{ items: T[]; nextToken?: string | undefined }>,
): Promise<T[]> {
  const all: T[] = [];
  let token: string | undefined;
  do {
    const { items, nextToken } = await page(token);
    all.push(...items);
    token = nextToken;
  } while (token && all.length < bound);
  return all;
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
