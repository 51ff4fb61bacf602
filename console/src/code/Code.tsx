import Box from "@cloudscape-design/components/box";
import { lazy, Suspense } from "react";
import type { CodeEditorProps } from "./CodeEditor";

const Editor = lazy(() => import("./CodeEditor"));

/** A code editor, loaded when the first one is shown. */
export function Code(props: CodeEditorProps) {
  return (
    <Suspense fallback={<Box color="text-status-inactive">Loading the editor</Box>}>
      <Editor {...props} />
    </Suspense>
  );
}
