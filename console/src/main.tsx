import "@cloudscape-design/global-styles/index.css";
import "./app/app.css";
import { hashKey, QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { applyLook } from "./app/look";
import { router } from "./app/router";
import { AwsError } from "./aws/client";
import { ownerNow } from "./aws/owner";

applyLook();

const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 1_000,
      // What one owner has is not what another one has.
      queryKeyHashFn: (key) => hashKey([ownerNow(), ...key]),
      // What the server refuses it refuses again; what did not reach it may the next time.
      retry: (failures, error) => failures < 2 && !(error instanceof AwsError && error.status >= 400),
    },
  },
});

const root = document.getElementById("app");
if (root) {
  createRoot(root).render(
    <StrictMode>
      <QueryClientProvider client={queries}>
        <RouterProvider router={router} />
      </QueryClientProvider>
    </StrictMode>,
  );
}
