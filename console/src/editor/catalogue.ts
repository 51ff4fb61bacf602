/** What tasks can call, as the server knows it: the names of all actions are asked for once somebody looks for one. */
import { keepPreviousData, queryOptions, useQuery } from "@tanstack/react-query";
import { read } from "../aws/client";
import type { Json } from "../model/text";
import { type Found, findAddable } from "./palette";

/** By their names in ARNs: what people call them, and what `aws-sdk:SERVICE:ACTION` can name of them. */
export type Services = Record<string, { title: string; actions: string[] }>;

export interface Parameter {
  name: string;
  /** `string`, `list of string`, `structure` … */
  type: string;
  required: boolean;
}

export interface Parameters {
  parameters: Parameter[];
  /** What is required, with values to be replaced. */
  skeleton: Record<string, Json>;
}

/** It is part of the server, so it does not change while the page is open. */
const KEPT = { staleTime: Number.POSITIVE_INFINITY, gcTime: Number.POSITIVE_INFINITY };

export const servicesQuery = queryOptions({
  queryKey: ["services"],
  queryFn: ({ signal }) => read<Services>("services", signal),
  ...KEPT,
});

/** An action by both its names, as they stand in the ARN of a resource. */
export interface Called {
  service: string;
  action: string;
}

export const parametersQuery = ({ service, action }: Called) =>
  queryOptions({
    queryKey: ["parameters", service, action],
    queryFn: ({ signal }) => read<Parameters>(`services/${service}/${action}`, signal),
    ...KEPT,
  });

/** What these letters find; actions of the SDK once their names are there. */
export function useAddable(find: string): Found & { isLoading: boolean } {
  const services = useQuery({ ...servicesQuery, enabled: find !== "", placeholderData: keepPreviousData });
  return { ...findAddable(find, services.data), isLoading: find !== "" && services.isPending };
}

/** The action that a service integration calls; `undefined` for functions, activities and what is no ARN. */
export function calledBy(resource: string): Called | undefined {
  const [, service, action] =
    /^arn:[\w-]+:states:[\w-]*:\d*:((?:aws-sdk:)?[\w-]+):(\w+)(?:\.[\w:]+)?$/.exec(resource) ?? [];
  if (!service || !action || service === "activity" || service === "stateMachine") return undefined;
  return { service, action };
}

/** A value to be replaced, of a kind that the server names. */
export function placeholder(type: string): Json {
  if (/^(list|\.\.\.)/.test(type)) return [];
  if (/^(structure|map|any|event)/.test(type)) return {};
  if (type === "integer" || type === "number") return 0;
  return type === "boolean" ? false : "";
}
