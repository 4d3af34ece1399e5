/** The same function, but it never throws: a shop's page must not notice the tracker's failures. */
export const guard =
  <A extends unknown[], R>(work: (...args: A) => R) =>
  // oxlint-disable-next-line typescript/consistent-return -- a failure is undefined, in fewer bytes
  (...args: A): R | undefined => {
    try {
      return work(...args);
    } catch {
      // Nothing to tell a shopper.
    }
  };

/**
 * Listens on the window in the capture phase, which every event of the document passes first: a page that stops an
 * event's way does not hide it.
 */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- a listener names its event, as with addEventListener
export const on = <E extends Event>(type: string, work: (event: E) => void): void =>
  addEventListener(type, guard(work) as EventListener, true);
