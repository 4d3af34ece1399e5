import type { D1Migration } from "@cloudflare/vitest-plugin";
import type * as main from "../../src/index";

declare global {
  namespace Cloudflare {
    interface Env {
      TEST_MIGRATIONS: D1Migration[];
      /** What random tests begin with; empty for their own. */
      SEED: string;
    }
    interface GlobalProps {
      mainModule: typeof main;
    }
  }
}
