import { describe, expect, it } from "vitest";
import { addressFrom, ownerOf } from "./owner";

const OWN = "us-east-1/123456789012";
const OTHER = "eu-west-1/111122223333";
const ARN = encodeURIComponent("arn:aws:states:eu-west-1:111122223333:stateMachine:m");
const OWN_ARN = encodeURIComponent("arn:aws:states:us-east-1:123456789012:stateMachine:m");
const LIST = { pathname: "/console/state-machines", search: "" };
const CHOSEN = { pathname: "/console/activities", search: `?find=a&owner=${encodeURIComponent(OTHER)}` };
const DEEP = { pathname: `/console/state-machines/${ARN}/edit`, search: "" };
const OWN_DEEP = { pathname: `/console/executions/${OWN_ARN.replace("stateMachine", "execution")}`, search: "" };

describe("the owner", () => {
  it("is in the address", () => {
    expect(ownerOf(LIST)).toBeUndefined();
    expect(ownerOf(CHOSEN)).toBe(OTHER);
    expect(ownerOf(DEEP)).toBe(OTHER);
    expect(ownerOf(OWN_DEEP)).toBe(OWN);
    expect(ownerOf({ pathname: `/console/map-runs/${ARN}`, search: `?owner=${OWN}` })).toBe(OTHER);
    expect(ownerOf({ pathname: "/console/state-machines/%E0%A4%A", search: "" })).toBeUndefined();
  });

  it("goes along to the next page", () => {
    const owner = `owner=${encodeURIComponent(OTHER)}`;
    expect(addressFrom("/tasks", CHOSEN, OWN)).toBe(`/tasks?${owner}`);
    expect(addressFrom("/executions?machine=x", DEEP, OWN)).toBe(`/executions?machine=x&${owner}`);
    expect(addressFrom("/state-machines", LIST, OWN)).toBe("/state-machines");
    expect(addressFrom("/state-machines", OWN_DEEP, OWN)).toBe("/state-machines");
  });

  it("is not told twice", () => {
    expect(addressFrom(`/state-machines/${ARN}?tab=tags`, CHOSEN, OWN)).toBe(`/state-machines/${ARN}?tab=tags`);
    expect(addressFrom("/tasks?owner=local/1", CHOSEN, OWN)).toBe("/tasks?owner=local/1");
  });

  it("is kept where it was chosen, before the server has told its own", () => {
    expect(addressFrom("/tasks", CHOSEN, undefined)).toBe(`/tasks?owner=${encodeURIComponent(OTHER)}`);
    expect(addressFrom("/tasks", OWN_DEEP, undefined)).toBe("/tasks");
  });
});
