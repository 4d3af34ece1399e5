// The pixel manager of the page: runs the merchant's custom pixel in a sandboxed frame of origin null and gives it
// events, the init snapshot, consent, and the top frame's cookies and storage, all by messages.
(() => {
  const page = JSON.parse(document.getElementById("web-pixels").textContent);
  const privacy = () => {
    const region = window.__region;
    const found = document.cookie.match(/(?:^|; )demo_consent=([^;]*)/);
    const stored = found ? JSON.parse(decodeURIComponent(found[1])) : {};
    return {
      analyticsProcessingAllowed: stored.analytics ?? !region.consentRequired,
      marketingAllowed: stored.marketing ?? !region.consentRequired,
      preferencesProcessingAllowed: stored.preferences ?? !region.consentRequired,
      saleOfDataAllowed: stored.sale_of_data ?? navigator.globalPrivacyControl !== true,
    };
  };

  const CLIENT = "demo_client_id";
  const clientId = localStorage.getItem(CLIENT) ?? crypto.randomUUID();
  localStorage.setItem(CLIENT, clientId);

  const context = () => ({
    document: {
      characterSet: document.characterSet,
      location: { ...plainLocation() },
      referrer: document.referrer,
      title: document.title,
    },
    navigator: {
      cookieEnabled: navigator.cookieEnabled,
      language: navigator.language,
      languages: [...navigator.languages],
      userAgent: navigator.userAgent,
    },
    window: {
      innerHeight,
      innerWidth,
      outerHeight,
      outerWidth,
      scrollX,
      scrollY,
      location: { ...plainLocation() },
      origin,
      screen: { height: screen.height, width: screen.width },
    },
  });
  const plainLocation = () => {
    const { hash, host, hostname, href, origin, pathname, port, protocol, search } = location;
    return { hash, host, hostname, href, origin, pathname, port, protocol, search };
  };

  let seq = 0;
  const waiting = [];
  let ready = false;
  const frame = document.createElement("iframe");
  frame.setAttribute("sandbox", "allow-scripts allow-forms");
  frame.name = "web-pixel-sandbox-CUSTOM-1";
  frame.src = "/web-pixels/sandbox";
  frame.hidden = true;
  frame.tabIndex = -1;
  frame.setAttribute("aria-hidden", "true");

  const send = (message) => (ready ? frame.contentWindow.postMessage(message, "*") : waiting.push(message));

  const publish = (name, type, payload) =>
    send({
      kind: "event",
      event: {
        id: `sh-${crypto.randomUUID()}`,
        name,
        type,
        clientId,
        timestamp: new Date().toISOString(),
        seq: seq++,
        context: context(),
        ...(type === "custom" ? { customData: payload } : { data: payload }),
      },
    });

  const storage = (area) => ({
    getItem: (key) => area.getItem(key),
    setItem: (key, value) => area.setItem(key, value),
    removeItem: (key) => area.removeItem(key),
    clear: () => area.clear(),
    key: (index) => area.key(index),
    length: () => area.length,
  });
  const doors = {
    cookie: {
      get: (name) => {
        if (name === undefined) return document.cookie;
        const found = document.cookie.split("; ").find((pair) => pair.startsWith(`${name}=`));
        return found ? found.slice(name.length + 1) : "";
      },
      set: (nameOrCookie, value) => {
        document.cookie = value === undefined ? nameOrCookie : `${nameOrCookie}=${value}`;
        return document.cookie;
      },
    },
    localStorage: storage(localStorage),
    sessionStorage: storage(sessionStorage),
  };

  addEventListener("message", ({ source, data }) => {
    if (source !== frame.contentWindow) return;
    if (data.kind === "ready") {
      ready = true;
      send({ kind: "init", init: { context: context(), data: page.init, customerPrivacy: privacy() } });
      for (const message of waiting.splice(0)) send(message);
    }
    if (data.kind === "call") {
      const [area, method] = data.door;
      send({ kind: "answer", call: data.call, value: doors[area]?.[method]?.(...data.args) });
    }
  });

  document.addEventListener("visitorConsentCollected", () => send({ kind: "consent", customerPrivacy: privacy() }));
  document.addEventListener("demo:publish", ({ detail }) => publish(detail.name, "standard", detail.data));
  const element = (target) => ({
    // Not target.id: a form with a field named "id" answers with the field.
    id: target.getAttribute("id"),
    name: target.getAttribute("name"),
    tagName: target.tagName,
    type: target.getAttribute("type"),
    value: null,
    href: target.getAttribute("href"),
  });
  document.addEventListener("click", (event) => {
    if (!(event.target instanceof Element)) return;
    publish("clicked", "dom", {
      element: { ...element(event.target), clientX: event.clientX, clientY: event.clientY },
    });
  });
  document.addEventListener("submit", (event) =>
    publish("form_submitted", "dom", {
      element: {
        ...element(event.target),
        action: event.target.getAttribute("action"),
        elements: [...event.target.elements].map(element),
      },
    }),
  );

  window.Shopify.analytics = { publish: (name, payload) => publish(name, "custom", payload) };
  for (const { name, data } of page.events) publish(name, "standard", data);
  document.body.append(frame);
})();
