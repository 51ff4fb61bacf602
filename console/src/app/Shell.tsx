import AppLayout from "@cloudscape-design/components/app-layout";
import Flashbar from "@cloudscape-design/components/flashbar";
import { I18nProvider } from "@cloudscape-design/components/i18n";
import messages from "@cloudscape-design/components/i18n/messages/all.en";
import SideNavigation from "@cloudscape-design/components/side-navigation";
import TopNavigation, { type TopNavigationProps } from "@cloudscape-design/components/top-navigation";
import { useQuery } from "@tanstack/react-query";
import { Outlet, useRouterState } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { type Owner, stateQuery } from "../aws/consoleApi";
import { addressOf, learnOwn, ownerOf } from "../aws/owner";
import { go } from "./Link";
import { changeLook, useLook } from "./look";
import { useNotices } from "./notices";
import { nameOf } from "./words";

const LABELS = {
  navigation: "Navigation",
  navigationToggle: "Open navigation",
  navigationClose: "Close navigation",
  notifications: "Notifications",
  tools: "Help",
  toolsToggle: "Open help",
  toolsClose: "Close help",
};

const SECTIONS = [
  { text: "State machines", path: "/state-machines" },
  { text: "Executions", path: "/executions" },
  { text: "Waiting tasks", path: "/tasks" },
  { text: "Activities", path: "/activities" },
  { text: "Functions", path: "/functions" },
  { text: "Server", path: "/server" },
];
/** From this width on there is room for the navigation beside a page. */
const WIDE = "(min-width: 1280px)";

/** What surrounds every page. */
export function Shell() {
  const path = useRouterState({ select: (state) => state.location.pathname });
  const notices = useNotices((state) => state.items);
  const [opened, setOpened] = useState<boolean>();
  // The canvas needs all the space there is.
  const isCanvas = /\/edit$|^\/executions\/|^\/compare/.test(path);
  const navigation = !isCanvas && (opened ?? window.matchMedia(WIDE).matches);
  const [canvasNavigation, setCanvasNavigation] = useState(false);
  const section = SECTIONS.find((section) => path === section.path) ?? SECTIONS[path.startsWith("/map-runs") ? 1 : 0];
  const title = titleOf(path);
  useEffect(() => {
    document.title = `${title} – Stepwell`;
  }, [title]);
  return (
    <I18nProvider locale="en" messages={[messages]}>
      <div id="top">
        <Top />
      </div>
      <AppLayout
        headerSelector="#top"
        ariaLabels={LABELS}
        toolsHide
        navigationOpen={isCanvas ? canvasNavigation : navigation}
        onNavigationChange={(event) => (isCanvas ? setCanvasNavigation : setOpened)(event.detail.open)}
        navigationWidth={220}
        navigation={
          <SideNavigation
            header={{ text: "Stepwell", href: "/console/state-machines" }}
            activeHref={`/console${addressOf(section?.path ?? "")}`}
            items={SECTIONS.map(({ text, path }) => ({ type: "link", text, href: `/console${addressOf(path)}` }))}
            onFollow={(event) => {
              event.preventDefault();
              go(event.detail.href.replace(/^\/console/, ""));
            }}
          />
        }
        notifications={<Flashbar items={notices} stackItems />}
        maxContentWidth={isCanvas ? Number.MAX_VALUE : 1600}
        disableContentPaddings={isCanvas}
        content={<Outlet />}
      />
    </I18nProvider>
  );
}

/** How often it is asked who has something. */
const OWNERS_REFRESH_MS = 30_000;

/** Whose state machines and activities there are, and whose are shown, as `REGION/ACCOUNT`. */
function useOwners(): { owners: string[]; chosen: string | undefined } {
  const shown = useRouterState({ select: (state) => ownerOf(addressIn(state.location)) });
  const { data } = useQuery({ ...stateQuery, refetchInterval: OWNERS_REFRESH_MS });
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
const addressIn = ({ pathname, searchStr }: { pathname: string; searchStr: string }) => ({
  pathname: `/console${pathname}`,
  search: searchStr,
});

function ownerMenu(owners: string[], chosen: string | undefined): TopNavigationProps.MenuDropdownUtility {
  const accounts = new Set(owners.map((owner) => owner.split("/")[1]));
  // Most have one account, which then says nothing.
  const name = (owner: string) => (accounts.size > 1 ? owner.replace("/", " · ") : (owner.split("/")[0] ?? owner));
  return {
    type: "menu-dropdown",
    text: chosen ? name(chosen) : "",
    ariaLabel: "Region and account",
    title: "Region and account",
    items: owners.map((owner) => ({ id: owner, text: name(owner), disabled: owner === chosen })),
    onItemClick: (event) => choose(event.detail.id),
  };
}

/** Shows what another owner has; anew, so that nothing of the one before is left. */
function choose(owner: string) {
  const path = window.location.pathname.replace(/^\/console/, "");
  const section = SECTIONS.find((section) => section.path === path) ?? SECTIONS[0];
  window.location.assign(`/console${section?.path}?owner=${encodeURIComponent(owner)}`);
}

/** What a page is called among the browser's tabs and in its history. */
function titleOf(path: string): string {
  const section = SECTIONS.find((section) => path === section.path);
  if (section) return section.text;
  const [, first = "", second = "", third] = path.split("/");
  if (second !== "") return `${third === "edit" ? "Edit " : ""}${nameOf(decodeURIComponent(second))}`;
  return first === "compare" ? "Compare executions" : "Create state machine";
}

function Top() {
  const { dark, dense } = useLook();
  const { owners, chosen } = useOwners();
  return (
    <TopNavigation
      identity={{
        href: "/console/state-machines",
        title: "Stepwell",
        onFollow: (event) => {
          event.preventDefault();
          go("/state-machines");
        },
      }}
      utilities={[
        ...(owners.length > 1 ? [ownerMenu(owners, chosen)] : []),
        {
          type: "menu-dropdown",
          iconName: "settings",
          ariaLabel: "Look",
          title: "Look",
          items: [
            { id: "mode", text: dark ? "Light" : "Dark" },
            { id: "density", text: dense ? "Comfortable" : "Dense" },
          ],
          onItemClick: (event) => changeLook(event.detail.id === "mode" ? { dark: !dark } : { dense: !dense }),
        },
      ]}
    />
  );
}
