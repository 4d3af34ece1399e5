import type { TestProject } from "vitest/node";
import { startAdminApi } from "../../demo/admin-api/admin-api.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** Where the stand-in of this run answers. */
    standin: string;
  }
}

/** Starts Shopify's stand-in for the tests inside workerd, on a port of its own, for as long as the run lasts. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { url, close } = await startAdminApi();
  project.provide("standin", url);
  return close;
}
