/** Light or dark, dense or comfortable: kept in this browser, else as the system wishes. */
import { applyDensity, applyMode, Density, Mode } from "@cloudscape-design/global-styles";
import { create } from "zustand";

interface Look {
  dark: boolean;
  dense: boolean;
}

const KEY = "stepwell.look";

function kept(): Look {
  const system = { dark: window.matchMedia("(prefers-color-scheme: dark)").matches, dense: false };
  try {
    return { ...system, ...(JSON.parse(localStorage.getItem(KEY) ?? "{}") as Partial<Look>) };
  } catch {
    return system;
  }
}

export const useLook = create<Look>(kept);

export function changeLook(change: Partial<Look>) {
  useLook.setState(change);
  localStorage.setItem(KEY, JSON.stringify(useLook.getState()));
  applyLook();
}

export function applyLook() {
  const { dark, dense } = useLook.getState();
  applyMode(dark ? Mode.Dark : Mode.Light);
  applyDensity(dense ? Density.Compact : Density.Comfortable);
  document.documentElement.dataset.dark = String(dark);
}
