/** Who has state machines and activities, and whose are shown: accounts in regions, as `REGION/ACCOUNT`. */
import { useQuery } from "@tanstack/react-query";
import { useRouterState } from "@tanstack/react-router";
import { useEffect } from "react";
import { type Owner, stateQuery } from "../aws/consoleApi";
import { learnOwn, ownerOf } from "../aws/owner";

/** How often it is asked who has something. */
const REFRESH_MS = 30_000;

export function useOwners(): { owners: string[]; chosen: string | undefined } {
  const shown = useRouterState({
    select: ({ location }) => ownerOf({ pathname: `/console${location.pathname}`, search: location.searchStr }),
  });
  const { data } = useQuery({ ...stateQuery, refetchInterval: REFRESH_MS });
  const own = data && textOf(data.own);
  useEffect(() => {
    if (own) learnOwn(own);
  }, [own]);
  const chosen = shown ?? own;
  const owners = new Set(data?.owners.map(textOf));
  if (data && chosen) owners.add(chosen);
  return { owners: [...owners].sort(), chosen };
}

const textOf = ({ region, account }: Owner) => `${region}/${account}`;

/** Loads a page of another owner; anew, so that nothing of the one before is left. */
export function show(owner: string, path: string) {
  window.location.assign(`/console${path}?owner=${encodeURIComponent(owner)}`);
}
