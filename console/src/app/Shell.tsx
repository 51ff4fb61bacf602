import AppLayout from "@cloudscape-design/components/app-layout";
import Flashbar from "@cloudscape-design/components/flashbar";
import { I18nProvider } from "@cloudscape-design/components/i18n";
import messages from "@cloudscape-design/components/i18n/messages/all.en";
import SideNavigation from "@cloudscape-design/components/side-navigation";
import TopNavigation, { type TopNavigationProps } from "@cloudscape-design/components/top-navigation";
import { Outlet, useRouterState } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { addressOf, ownerName } from "../aws/owner";
import { go } from "./Link";
import { changeLook, useLook } from "./look";
import { useNotices } from "./notices";
import { show, useOwners } from "./owners";
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

function ownerMenu(owners: string[], chosen: string | undefined): TopNavigationProps.MenuDropdownUtility {
  const name = (owner: string) => ownerName(owner, owners);
  return {
    type: "menu-dropdown",
    text: chosen ? name(chosen) : "",
    ariaLabel: "Region and account",
    title: "Region and account",
    items: owners.map((owner) => ({ id: owner, text: name(owner), disabled: owner === chosen })),
    onItemClick: (event) => choose(event.detail.id),
  };
}

/** Shows what another owner has. */
function choose(owner: string) {
  const path = window.location.pathname.replace(/^\/console/, "");
  const section = SECTIONS.find((section) => section.path === path) ?? SECTIONS[0];
  show(owner, section?.path ?? "/");
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
