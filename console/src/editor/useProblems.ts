import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useState } from "react";
import { call } from "../aws/client";
import type { MachineType } from "../aws/operations";
import { adviceOn, type Problem, placeProblems, textProblems } from "../model/problems";
import { toJson } from "../model/text";
import type { Document } from "./document";

const PAUSE_MS = 300;

/** The problems of a document: what is no JSON at once, the rest by the server when the typing pauses. */
export function useProblems(document: Document, type: MachineType): readonly Problem[] {
  const { text, definition, isGood } = document;
  const [settled, setSettled] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(text), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [text]);
  const answer = useQuery({
    queryKey: ["validate", type, settled],
    queryFn: async ({ signal }) => {
      const input = { definition: toJson(settled) ?? settled, type, severity: "WARNING" as const };
      return { of: settled, ...(await call("ValidateStateMachineDefinition", input, signal)) };
    },
    enabled: isGood && settled !== "",
    placeholderData: keepPreviousData,
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 10_000,
  });
  return useMemo(() => {
    if (!isGood) return textProblems(text);
    return [...(answer.data ? placeProblems(definition, answer.data.diagnostics) : []), ...adviceOn(definition)];
  }, [isGood, text, definition, answer.data]);
}
