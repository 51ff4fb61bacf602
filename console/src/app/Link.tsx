import CloudscapeLink, { type LinkProps } from "@cloudscape-design/components/link";
import type { ReactNode } from "react";
import { addressOf } from "../aws/owner";
import { router } from "./router";

/** A link within the console: followed without loading the page anew, but a real address for a new tab. */
export function Link({
  href,
  children,
  ...more
}: { href: string; children: ReactNode } & Pick<LinkProps, "variant" | "fontSize">) {
  return (
    <CloudscapeLink
      {...more}
      href={`/console${addressOf(href)}`}
      onFollow={(event) => {
        if (event.detail.external) return;
        event.preventDefault();
        go(href);
      }}
    >
      {children}
    </CloudscapeLink>
  );
}

/** Goes to an address below `/console`, and stays with the owner of this page. */
export function go(href: string) {
  router.history.push(`/console${addressOf(href)}`);
}

/** Of the labelled state machine of a Map Run's children (`…:NAME/LABEL`): that of the Map. */
export const machineHref = (arn: string) => `/state-machines/${encodeURIComponent(arn.replace(/\/.*$/, ""))}`;
export const editorHref = (arn: string, state?: string) =>
  `${machineHref(arn)}/edit${state === undefined ? "" : `?state=${encodeURIComponent(state)}`}`;
export const executionHref = (arn: string) => `/executions/${encodeURIComponent(arn)}`;
export const taskHref = (executionArn: string, task: number) =>
  `/tasks?task=${encodeURIComponent(`${executionArn}/${task}`)}`;
export const mapRunHref = (arn: string) => `/map-runs/${encodeURIComponent(arn)}`;
export const compareHref = (left: string, right: string) =>
  `/compare?left=${encodeURIComponent(left)}&right=${encodeURIComponent(right)}`;
