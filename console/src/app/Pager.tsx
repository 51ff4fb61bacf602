import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useState } from "react";
import { numberText } from "./words";

export interface Pages {
  /** Of the page that is shown; `undefined` for the first. */
  token: string | undefined;
  /** From 1. */
  page: number;
  forward: (next: string) => void;
  back: () => void;
  toFirst: () => void;
}

/** Where one is in a list whose pages each know the token of the next. */
export function usePages(): Pages {
  // Tokens of the pages behind the first, up to this one.
  const [tokens, setTokens] = useState<string[]>([]);
  return {
    token: tokens.at(-1),
    page: tokens.length + 1,
    forward: (next) => setTokens([...tokens, next]),
    back: () => setTokens(tokens.slice(0, -1)),
    toFirst: () => setTokens([]),
  };
}

/** Leads from page to page. `of`: how many there are, where that is known. */
export function Pager({ pages, next, of }: { pages: Pages; next: string | undefined; of?: number | undefined }) {
  return (
    <SpaceBetween direction="horizontal" size="xs" alignItems="center">
      <Button iconName="angle-left" ariaLabel="Previous page" disabled={pages.page === 1} onClick={pages.back} />
      <Box variant="span">
        {numberText(pages.page)}
        {of !== undefined && of > 1 ? ` of ${numberText(of)}` : ""}
      </Box>
      <Button
        iconName="angle-right"
        ariaLabel="Next page"
        disabled={!next}
        onClick={() => next && pages.forward(next)}
      />
    </SpaceBetween>
  );
}
