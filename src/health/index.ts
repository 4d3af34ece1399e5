export { type AlertKey, closeAlert, openAlert } from "./alerts";

/** Loaded with the first check, since start-up must not pay for it. */
export async function checkIntake(env: Env, now: number): Promise<void> {
  await (await import("./check")).checkIntake(env, now);
}
