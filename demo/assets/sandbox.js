// Inside the sandboxed frame: Shopify's pixel API as a custom pixel sees it. `__pixel` then runs the pixel's text.
(() => {
  const subscribers = [];
  const consentSubscribers = [];
  const past = [];
  const open = new Map();
  let calls = 0;
  let started;
  const begun = new Promise((resolve) => {
    started = resolve;
  });

  const wanted = (name, event) =>
    name === event.name ||
    name === "all_events" ||
    (name === "all_standard_events" && event.type === "standard") ||
    (name === "all_custom_events" && event.type === "custom") ||
    (name === "all_dom_events" && event.type === "dom");

  const deliver = (callback, event) => {
    try {
      Promise.resolve(callback(structuredClone(event))).catch((error) => console.error("pixel", error));
    } catch (error) {
      console.error("pixel", error);
    }
  };

  const analytics = {
    subscribe: (name, callback) => {
      subscribers.push({ name, callback });
      // A subscriber also hears what was published on this page before it subscribed.
      for (const event of past) if (wanted(name, event)) deliver(callback, event);
      return Promise.resolve(undefined);
    },
  };
  const customerPrivacy = {
    subscribe: (name, callback) => {
      if (name === "visitorConsentCollected") consentSubscribers.push(callback);
      return Promise.resolve(undefined);
    },
  };

  const call =
    (...door) =>
    (...args) =>
      new Promise((resolve) => {
        const id = ++calls;
        open.set(id, resolve);
        parent.postMessage({ kind: "call", call: id, door, args }, "*");
      });
  const storage = (area) => ({
    getItem: call(area, "getItem"),
    setItem: call(area, "setItem"),
    removeItem: call(area, "removeItem"),
    clear: call(area, "clear"),
    key: call(area, "key"),
    length: call(area, "length"),
  });
  const browser = {
    cookie: { get: call("cookie", "get"), set: call("cookie", "set") },
    localStorage: storage("localStorage"),
    sessionStorage: storage("sessionStorage"),
    sendBeacon: async (url, body) => (await fetch(url, { method: "POST", body, keepalive: true })).ok,
  };

  addEventListener("message", ({ source, data }) => {
    if (source !== parent) return;
    if (data.kind === "init") started(data.init);
    if (data.kind === "event") {
      past.push(data.event);
      for (const { name, callback } of subscribers) if (wanted(name, data.event)) deliver(callback, data.event);
    }
    if (data.kind === "consent")
      for (const callback of consentSubscribers)
        deliver(callback, { name: "visitorConsentCollected", customerPrivacy: data.customerPrivacy });
    if (data.kind === "answer") {
      open.get(data.call)?.(data.value);
      open.delete(data.call);
    }
  });

  self.__pixel = (run) =>
    void begun.then((init) => run(analytics, browser, init, { analytics, browser, init, customerPrivacy }));
  parent.postMessage({ kind: "ready" }, "*");
})();
