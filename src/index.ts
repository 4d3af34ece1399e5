import { answerBeacon, createApp, isBeacon } from "./app";
import { config } from "./config";
import { consume } from "./jobs/consume";
import { maintain } from "./jobs/maintain";
import { enforceRetention } from "./jobs/retention";

export { Clock } from "./jobs/clock";
export { Connection } from "./shopify/connect/connection";
export { Sync } from "./shopify/sync/sync";
export { Visitor } from "./visitor/visitor";

const app = createApp();

export default {
  fetch(request, env, ctx) {
    config(env);
    return isBeacon(request) ? answerBeacon(request, env, ctx) : app.fetch(request, env, ctx);
  },
  async queue(batch, env) {
    await consume(batch, env, Date.now);
  },
  async scheduled(controller, env) {
    await maintain(env, controller.scheduledTime);
    await enforceRetention(env, controller.scheduledTime);
  },
} satisfies ExportedHandler<Env>;
