import BreadcrumbGroup from "@cloudscape-design/components/breadcrumb-group";
import { addressOf } from "../aws/owner";
import { go } from "./Link";

/** The way to this page: names and addresses below `/console`, then its own name. */
export function Crumbs({ way, here }: { way: readonly (readonly [text: string, href: string])[]; here: string }) {
  return (
    <BreadcrumbGroup
      ariaLabel="Breadcrumbs"
      items={[...way.map(([text, href]) => ({ text, href: `/console${addressOf(href)}` })), { text: here, href: "" }]}
      onFollow={(event) => {
        event.preventDefault();
        go(event.detail.href.replace(/^\/console/, ""));
      }}
    />
  );
}

export const MACHINES = ["State machines", "/state-machines"] as const;
