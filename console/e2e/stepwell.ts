/** The real binary on a free port over an empty store, and a page that may neither complain nor ask elsewhere. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import AxeBuilder from "@axe-core/playwright";
import { test as base, expect, type Page } from "@playwright/test";

const BINARY = process.env.STEPWELL_BINARY ?? join(import.meta.dirname, "../../target/debug/stepwell");
const START_MS = 30_000;
const ROLE = "arn:aws:iam::123456789012:role/any";

export class Stepwell {
  private constructor(
    readonly url: string,
    private readonly server: ChildProcess,
    private readonly folder: string,
  ) {}

  /** `files` stand in its folder; `stepwell.toml` among them is its configuration. */
  static async start(files: Record<string, string> = {}): Promise<Stepwell> {
    const folder = mkdtempSync(join(tmpdir(), "stepwell-e2e-"));
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    const portFile = join(folder, "port");
    const config = "stepwell.toml" in files ? ["--config", join(folder, "stepwell.toml")] : [];
    const kept = ["--data", ":memory:", "--execution-logs", join(folder, "logs")];
    const server = spawn(BINARY, ["serve", ...kept, "--port", "0", "--port-file", portFile, ...config], {
      stdio: ["ignore", "ignore", "inherit"],
      env: { ...process.env, STEPWELL_LOG: "warn" },
    });
    const until = Date.now() + START_MS;
    while (!existsSync(portFile)) {
      if (Date.now() > until || server.exitCode !== null) throw new Error("the server did not start");
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return new Stepwell(`http://127.0.0.1:${readFileSync(portFile, "utf8").trim()}`, server, folder);
  }

  async stop() {
    const ended = new Promise((resolve) => this.server.once("exit", resolve));
    this.server.kill("SIGTERM");
    await ended;
    rmSync(this.folder, { recursive: true });
  }

  /** `owner`: `REGION/ACCOUNT`, if it is not the server's own. */
  async call<T>(action: string, input: unknown, owner?: string): Promise<T> {
    const type = { "content-type": "application/x-amz-json-1.0", "x-amz-target": `AWSStepFunctions.${action}` };
    const response = await fetch(this.url, {
      method: "POST",
      headers: owner ? { ...type, "x-stepwell-owner": owner } : type,
      body: JSON.stringify(input),
    });
    const answer = (await response.json()) as T;
    if (!response.ok) throw new Error(`${action}: ${JSON.stringify(answer)}`);
    return answer;
  }

  async machine(name: string, definition: unknown, type = "STANDARD", owner?: string): Promise<string> {
    const text = typeof definition === "string" ? definition : JSON.stringify(definition, null, 2);
    const input = { name, definition: text, roleArn: ROLE, type };
    return (await this.call<{ stateMachineArn: string }>("CreateStateMachine", input, owner)).stateMachineArn;
  }

  async execution(stateMachineArn: string, name: string, input: unknown = {}): Promise<string> {
    const start = { stateMachineArn, name, input: JSON.stringify(input) };
    return (await this.call<{ executionArn: string }>("StartExecution", start)).executionArn;
  }

  /** Waits until the execution has a status other than RUNNING; answers it. */
  async end(executionArn: string, within = START_MS): Promise<string> {
    const until = Date.now() + within;
    while (Date.now() < until) {
      const { status } = await this.call<{ status: string }>("DescribeExecution", { executionArn });
      if (status !== "RUNNING") return status;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error(`${executionArn} does not end`);
  }

  /** The lines of all execution logs that the server has written so far. */
  logLines(): string[] {
    const logs = join(this.folder, "logs");
    const files = existsSync(logs) ? readdirSync(logs, { recursive: true, encoding: "utf8" }) : [];
    const texts = files.filter((name) => name.includes(".")).map((name) => readFileSync(join(logs, name), "utf8"));
    return texts.flatMap((text) => text.split("\n")).filter(Boolean);
  }

  page(path: string): string {
    return `${this.url}/console${path}`;
  }

  machinePage(arn: string, more = ""): string {
    return this.page(`/state-machines/${encodeURIComponent(arn)}${more}`);
  }

  executionPage(arn: string, more = ""): string {
    return this.page(`/executions/${encodeURIComponent(arn)}${more}`);
  }
}

export const test = base.extend<{ complaints: string[]; files: Record<string, string>; stepwell: Stepwell }>({
  files: [{}, { option: true }],
  stepwell: async ({ files }, use) => {
    const stepwell = await Stepwell.start(files);
    await use(stepwell);
    await stepwell.stop();
  },
  // Every test ends without an error in the browser's console and without a request to anywhere else.
  complaints: [
    async ({ page, stepwell }, use) => {
      const complaints: string[] = [];
      page.on("console", (message) => {
        if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
      });
      page.on("pageerror", (error) => complaints.push(String(error)));
      page.on("request", (request) => {
        const isOwn = request.url().startsWith(stepwell.url) || /^(data|blob):/.test(request.url());
        if (!isOwn) complaints.push(`a request to ${request.url()}`);
      });
      await use(complaints);
      expect(complaints).toEqual([]);
    },
    { auto: true },
  ],
});

export { expect };

const TAGS = ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"];

/**
 * No violation of WCAG 2.2 AA that axe can find, in both looks, which differ in colours alone; behind a dialog the look
 * cannot be changed, so there in the one that it is in.
 */
export async function expectAccessible(page: Page) {
  const isDialog = (await page.getByRole("dialog").count()) > 0;
  for (const dark of isDialog ? [false] : [false, true]) {
    if (!isDialog) await setDark(page, dark);
    const axe = new AxeBuilder({ page });
    const found = await (dark ? axe.withRules(["color-contrast"]) : axe.withTags(TAGS)).analyze();
    const told = found.violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(" | ")}`);
    expect(told, dark ? "dark" : "light").toEqual([]);
  }
}

export async function setDark(page: Page, dark: boolean) {
  const is = await page.evaluate(() => document.documentElement.dataset.dark === "true");
  if (is === dark) return;
  await page.getByRole("button", { name: "Look" }).click();
  await page.getByRole("menuitem", { name: dark ? "Dark" : "Light" }).click();
  await expect(page.locator(`html[data-dark="${dark}"]`)).toBeAttached();
}
