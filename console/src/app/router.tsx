/** Addresses and the pages behind them. What a page shows is in its address, so that a link leads to the same sight. */
import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  redirect,
  retainSearchParams,
} from "@tanstack/react-router";
import { type ChildStatus, EXECUTION_STATUSES, type ExecutionStatus } from "../aws/operations";
import { Shell } from "./Shell";

const root = createRootRoute({
  component: Shell,
  // Whose lists are shown: see `../aws/owner.ts`. Pages set search words of their own and keep it.
  validateSearch: (search): { owner?: string } => ({ owner: textOf(search.owner) }),
  search: { middlewares: [retainSearchParams(["owner"])] },
});

const home = createRoute({
  getParentRoute: () => root,
  path: "/",
  beforeLoad: () => {
    throw redirect({ to: "/state-machines" });
  },
});

export const machinesRoute = createRoute({
  getParentRoute: () => root,
  path: "/state-machines",
  validateSearch: (search): { find?: string } => ({ find: textOf(search.find) }),
  component: lazyRouteComponent(() => import("../machines/MachinesPage"), "MachinesPage"),
});

const createMachineRoute = createRoute({
  getParentRoute: () => root,
  path: "/create",
  component: lazyRouteComponent(() => import("../machines/CreatePage"), "CreatePage"),
});

export const MACHINE_TABS = ["executions", "definition", "versions", "settings", "tags"] as const;
export type MachineTab = (typeof MACHINE_TABS)[number];

export const machineRoute = createRoute({
  getParentRoute: () => root,
  path: "/state-machines/$arn",
  validateSearch: (search): { tab?: MachineTab; status?: ExecutionStatus; find?: string; start?: boolean } => ({
    tab: oneOf(MACHINE_TABS, search.tab),
    status: oneOf(EXECUTION_STATUSES, search.status),
    find: textOf(search.find),
    start: search.start === true ? true : undefined,
  }),
  component: lazyRouteComponent(() => import("../machines/MachinePage"), "MachinePage"),
});

export const editorRoute = createRoute({
  getParentRoute: () => root,
  path: "/state-machines/$arn/edit",
  validateSearch: (search): { state?: string } => ({ state: textOf(search.state) }),
  component: lazyRouteComponent(() => import("../editor/EditorPage"), "EditorPage"),
});

export const EXECUTION_VIEWS = ["timeline", "table", "events", "logs"] as const;
export type ExecutionView = (typeof EXECUTION_VIEWS)[number];

export const executionRoute = createRoute({
  getParentRoute: () => root,
  path: "/executions/$arn",
  validateSearch: (search): { view?: ExecutionView; visit?: number; at?: number; item?: number } => ({
    view: oneOf(EXECUTION_VIEWS, search.view),
    visit: numberOf(search.visit),
    at: numberOf(search.at),
    item: numberOf(search.item),
  }),
  component: lazyRouteComponent(() => import("../executions/ExecutionPage"), "ExecutionPage"),
});

export const compareRoute = createRoute({
  getParentRoute: () => root,
  path: "/compare",
  validateSearch: (search): { left?: string; right?: string } => ({
    left: textOf(search.left),
    right: textOf(search.right),
  }),
  component: lazyRouteComponent(() => import("../executions/ComparePage"), "ComparePage"),
});

export const EXECUTION_TYPES = ["STANDARD", "EXPRESS"] as const;
export const PERIODS = ["15m", "1h", "1d", "7d", "30d"] as const;

/** A search over all executions, as its address says it. Single values, and statuses with commas between. */
export interface SearchWords {
  type?: (typeof EXECUTION_TYPES)[number] | undefined;
  name?: string | undefined;
  status?: string | undefined;
  machine?: string | undefined;
  error?: string | undefined;
  input?: string | undefined;
  output?: string | undefined;
  /** So long ago or less; else `from` and `until`, in seconds since 1970. */
  period?: (typeof PERIODS)[number] | undefined;
  from?: number | undefined;
  until?: number | undefined;
}

export const searchRoute = createRoute({
  getParentRoute: () => root,
  path: "/executions",
  validateSearch: (search): SearchWords => ({
    type: oneOf(EXECUTION_TYPES, search.type),
    name: textOf(search.name),
    status: textOf(search.status),
    machine: textOf(search.machine),
    error: textOf(search.error),
    input: textOf(search.input),
    output: textOf(search.output),
    period: oneOf(PERIODS, search.period),
    from: numberOf(search.from),
    until: numberOf(search.until),
  }),
  component: lazyRouteComponent(() => import("../search/SearchPage"), "SearchPage"),
});

export const mapRunRoute = createRoute({
  getParentRoute: () => root,
  path: "/map-runs/$arn",
  validateSearch: (search): { status?: ChildStatus | undefined } => ({
    status: oneOf([...EXECUTION_STATUSES, "PENDING_REDRIVE"], search.status),
  }),
  component: lazyRouteComponent(() => import("../mapRuns/MapRunPage"), "MapRunPage"),
});

export const tasksRoute = createRoute({
  getParentRoute: () => root,
  path: "/tasks",
  validateSearch: (search): { find?: string; task?: string } => ({
    find: textOf(search.find),
    task: textOf(search.task),
  }),
  component: lazyRouteComponent(() => import("../tasks/TasksPage"), "TasksPage"),
});

export const functionsRoute = createRoute({
  getParentRoute: () => root,
  path: "/functions",
  validateSearch: (search): { function?: string } => ({ function: textOf(search.function) }),
  component: lazyRouteComponent(() => import("../functions/FunctionsPage"), "FunctionsPage"),
});

const serverRoute = createRoute({
  getParentRoute: () => root,
  path: "/server",
  component: lazyRouteComponent(() => import("../server/ServerPage"), "ServerPage"),
});

export const activitiesRoute = createRoute({
  getParentRoute: () => root,
  path: "/activities",
  validateSearch: (search): { activity?: string } => ({ activity: textOf(search.activity) }),
  component: lazyRouteComponent(() => import("../activities/ActivitiesPage"), "ActivitiesPage"),
});

export const router = createRouter({
  routeTree: root.addChildren([
    home,
    machinesRoute,
    createMachineRoute,
    machineRoute,
    editorRoute,
    executionRoute,
    compareRoute,
    searchRoute,
    mapRunRoute,
    tasksRoute,
    activitiesRoute,
    functionsRoute,
    serverRoute,
  ]),
  basepath: "/console",
  defaultPreload: "intent",
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}

function textOf(value: unknown): string | undefined {
  if (typeof value === "number") return String(value);
  return typeof value === "string" && value !== "" ? value : undefined;
}

function numberOf(value: unknown): number | undefined {
  return typeof value === "number" && Number.isFinite(value) ? value : undefined;
}

function oneOf<T extends string>(all: readonly T[], value: unknown): T | undefined {
  return all.find((one) => one === value);
}
