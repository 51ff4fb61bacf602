/**
 * Whose state machines and activities a page shows: an account in a region, as `REGION/ACCOUNT`.
 *
 * It is in the page's address: the ARN says it, where the page is of one, else `?owner=`; else it is the server's own.
 */

const OF_ARN = /^\/console\/(?:state-machines|executions|map-runs)\/arn:[^:/]+:states:([^:/]+):([^:/]+):/;

/** What of the browser's location tells it. */
export interface Place {
  pathname: string;
  search: string;
}

/** `undefined`: the server's own. */
export function ownerOf({ pathname, search }: Place): string | undefined {
  const [, region, account] = OF_ARN.exec(decoded(pathname)) ?? [];
  if (region && account) return `${region}/${account}`;
  return new URLSearchParams(search).get("owner") ?? undefined;
}

/** An address below `/console` as it is reached from `from`, so that lists show what the page before belongs to. */
export function addressFrom(href: string, from: Place, own: string | undefined): string {
  const owner = ownerOf(from);
  const [path = "", search = ""] = href.split("?");
  const isTold = OF_ARN.test(decoded(`/console${path}`)) || new URLSearchParams(search).has("owner");
  // While it is not known yet which is the server's own, only what was chosen is kept.
  const isOwn = owner === own || (own === undefined && !new URLSearchParams(from.search).has("owner"));
  if (owner === undefined || isTold || isOwn) return href;
  return `${path}?${search && `${search}&`}owner=${encodeURIComponent(owner)}`;
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

let own: string | undefined;

/** The server's own, once it has told it. */
export function learnOwn(owner: string) {
  own = owner;
}

export const ownerNow = () => ownerOf(window.location);
export const addressOf = (href: string) => addressFrom(href, window.location, own);

/** What requests say of it. */
export function ownerHeaders(): Record<string, string> {
  const owner = ownerNow();
  return owner === undefined ? {} : { "x-stepwell-owner": owner };
}
