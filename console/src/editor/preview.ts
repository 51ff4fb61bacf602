/** What the expressions of a field give with the data at hand, by the server's own engines. */
import { useQueries } from "@tanstack/react-query";
import { useEffect, useMemo, useState } from "react";
import { write } from "../aws/client";
import type { QueryLanguage } from "../model/definition";
import type { Json } from "../model/text";
import type { Data } from "./complete";
import { assembled, type Expression, expressionsIn, type FieldSyntax } from "./expressions";

interface Answer {
  value?: Json;
  error?: { name?: string; cause: string; from?: number; to?: number };
}

export interface Preview {
  /** Of the whole field. */
  value: Json | undefined;
  wrong: { expression: Expression; name: string | undefined; cause: string; from: number; to: number }[];
  isPending: boolean;
}

const PAUSE_MS = 250;
/** Answers are kept so long after the field is gone. */
const KEPT_MS = 60_000;
/** Data larger than this is not sent with each letter typed. */
const DATA_CHARS_MAX = 512 * 1024;

/** `undefined`: there is nothing to evaluate. */
export function usePreview(
  text: string,
  syntax: FieldSyntax,
  language: QueryLanguage,
  data: Data | undefined,
): Preview | undefined {
  const [settled, setSettled] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(text), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [text]);
  const found = useMemo(() => expressionsIn(settled, syntax, language), [settled, syntax, language]);
  const given = useMemo(() => {
    const { input, context, variables, result, errorOutput } = data ?? {};
    return JSON.stringify({ input, context, variables, result, errorOutput });
  }, [data]);
  const texts = [...new Set(found.map((expression) => expression.text.trim()))];
  const isAsked = data !== undefined && given.length <= DATA_CHARS_MAX;
  const answers = useQueries({
    queries: texts.map((expression) => ({
      queryKey: ["evaluate", language, expression, given],
      queryFn: ({ signal }: { signal: AbortSignal }) => {
        const body = { language, expression, ...(JSON.parse(given) as object) };
        return write<Answer>("evaluate", body, signal);
      },
      enabled: isAsked && expression !== "",
      staleTime: Number.POSITIVE_INFINITY,
      gcTime: KEPT_MS,
      retry: false,
    })),
  });
  if (!isAsked || found.length === 0) return undefined;
  const byText = new Map(texts.map((text, index) => [text, answers[index]?.data]));
  const wrong = found.flatMap((expression) => {
    const error = byText.get(expression.text.trim())?.error;
    if (!error) return [];
    const lead = expression.text.length - expression.text.trimStart().length;
    const from = lead + (error.from ?? 0);
    const to = error.to === undefined ? expression.text.trimEnd().length : lead + error.to;
    return [{ expression, name: error.name, cause: error.cause, from, to }];
  });
  const isPending = settled !== text || answers.some((answer) => answer.isFetching);
  const value = assembled(settled, syntax, language, (text) => byText.get(text)?.value);
  return { value, wrong, isPending };
}
