/** The figures of README.md: `MEASURE=1 npx playwright test`, on a machine that does nothing else. */
import type { CDPSession, Page } from "@playwright/test";
import { type Stepwell, test } from "./stepwell";

test.setTimeout(120_000);

const KIB = 1024;
const PAN_STEPS = 120;

async function firstLoad(page: Page, stepwell: Stepwell, path: string, ready: string) {
  const cdp = await page.context().newCDPSession(page);
  await cdp.send("Network.enable");
  await cdp.send("Network.setCacheDisabled", { cacheDisabled: true });
  let bytes = 0;
  let files = 0;
  cdp.on("Network.loadingFinished", ({ encodedDataLength }) => {
    bytes += encodedDataLength;
    files++;
  });
  const began = Date.now();
  await page.goto(stepwell.page(path));
  await page.locator(ready).first().waitFor();
  // The main thread has time for the next click.
  await page.evaluate(() => new Promise((resolve) => requestIdleCallback(resolve)));
  const tookMs = Date.now() - began;
  await page.waitForLoadState("networkidle");
  console.log(
    `${path.split("?")[0]}: ${Math.round(bytes / KIB)} KiB in ${files} answers, interactive after ${tookMs} ms`,
  );
  await cdp.detach();
}

async function threadMs(cdp: CDPSession): Promise<number> {
  const { metrics } = await cdp.send("Performance.getMetrics");
  return 1000 * (metrics.find(({ name }) => name === "TaskDuration")?.value ?? 0);
}

/** A definition of so many states, four of them in each round of a Parallel. */
function large(count: number) {
  const states: Record<string, unknown> = {};
  const rounds = Math.ceil(count / 5);
  for (let round = 0; round < rounds; round++) {
    const branch = (side: string) => ({
      StartAt: `${side}${round}a`,
      States: {
        [`${side}${round}a`]: { Type: "Pass", Next: `${side}${round}b` },
        [`${side}${round}b`]: { Type: "Wait", Seconds: 1, End: true },
      },
    });
    const next = round + 1 < rounds ? { Next: `P${round + 1}` } : { End: true };
    states[`P${round}`] = { Type: "Parallel", Branches: [branch("L"), branch("R")], ...next };
  }
  return { StartAt: "P0", States: states };
}

test("first loads", async ({ page, stepwell }) => {
  const machine = await stepwell.machine("small", { StartAt: "A", States: { A: { Type: "Pass", End: true } } });
  const execution = await stepwell.execution(machine, "one");
  await firstLoad(page, stepwell, "/state-machines", "text=small");
  await firstLoad(page, stepwell, "/executions", "text=one");
  await firstLoad(page, stepwell, "/tasks", "text=Nothing waits");
  await firstLoad(page, stepwell, `/executions/${encodeURIComponent(execution)}`, ".react-flow__node");
  await firstLoad(page, stepwell, `/state-machines/${encodeURIComponent(machine)}/edit`, ".react-flow__node");
});

test("panning the graph of an execution with 200 states", async ({ page, stepwell }) => {
  const machine = await stepwell.machine("large", large(200));
  const execution = await stepwell.execution(machine, "one");
  await page.goto(stepwell.executionPage(execution));
  const graph = page.locator(".react-flow__pane");
  await page.locator(".react-flow__node").first().waitFor();
  const box = await graph.boundingBox();
  if (!box) throw new Error("the graph is not there");
  const cdp = await page.context().newCDPSession(page);
  await cdp.send("Performance.enable", { timeDomain: "threadTicks" });
  await page.evaluate(() => {
    const counter = window as unknown as { frames: number };
    counter.frames = 0;
    const count = () => {
      counter.frames++;
      requestAnimationFrame(count);
    };
    requestAnimationFrame(count);
  });
  const [x, y] = [box.x + 30, box.y + box.height - 30];
  await page.mouse.move(x, y);
  await page.mouse.down();
  const [beganMs, began] = [await threadMs(cdp), Date.now()];
  for (let step = 0; step < PAN_STEPS; step++) await page.mouse.move(x + (step % 40), y - step * 5);
  const [spentMs, tookMs] = [(await threadMs(cdp)) - beganMs, Date.now() - began];
  await page.mouse.up();
  const frames = await page.evaluate(() => (window as unknown as { frames: number }).frames);
  console.log(
    `200 states: ${(spentMs / frames).toFixed(1)} ms of the main thread for each of ${frames} frames in ${tookMs} ms`,
  );
});
