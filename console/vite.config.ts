import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

/** Where `npm run dev` finds a server. */
const SERVER = process.env.STEPWELL_ENDPOINT ?? "http://127.0.0.1:8083";

export default defineConfig({
  base: "/console/",
  plugins: [react()],
  build: {
    outDir: "dist/site",
    emptyOutDir: true,
    target: "es2023",
    // The parts that change at different times are kept apart, so that browsers keep what did not change.
    chunkSizeWarningLimit: 1500,
    rolldownOptions: {
      output: {
        codeSplitting: {
          groups: [
            { name: "react", test: /node_modules\/(react|react-dom|scheduler)\// },
            { name: "cloudscape", test: /node_modules\/@cloudscape-design\// },
          ],
        },
      },
    },
  },
  server: {
    proxy: {
      "^/$": { target: SERVER, bypass: (request) => (request.method === "POST" ? undefined : request.url) },
      "/console/api": SERVER,
      // Functions on this machine and their logs.
      "/2015-03-31": SERVER,
      "/stepwell/functions": SERVER,
    },
  },
  test: { include: ["src/**/*.test.ts"], environment: "node" },
});
