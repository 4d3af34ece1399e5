// The checkout is one document, as Shopify's is: a step is sent, the next one takes its place, and the pixels go on
// running. The e-mail is saved as soon as its field is left. Without this script the forms work by loading pages.
(() => {
  const publish = (events) => {
    for (const detail of events) document.dispatchEvent(new CustomEvent("demo:publish", { detail }));
  };

  const show = (html, address) => {
    const next = new DOMParser().parseFromString(html, "text/html");
    if (!next.body.classList.contains("checkout")) return location.assign(address);
    for (const part of ["main", "aside"]) document.querySelector(part).replaceWith(next.querySelector(part));
    document.title = next.title;
    if (address !== location.href) history.pushState({}, "", address);
    publish(JSON.parse(next.getElementById("web-pixels").textContent).events);
    const heading = document.querySelector("main h1");
    heading.tabIndex = -1;
    heading.focus({ preventScroll: true });
    scrollTo(0, 0);
  };

  document.addEventListener("submit", async (event) => {
    const form = event.target;
    event.preventDefault();
    for (const button of form.querySelectorAll("button")) button.disabled = true;
    const body = new URLSearchParams(new FormData(form));
    const answer = await fetch(form.getAttribute("action"), { method: "POST", body });
    show(await answer.text(), answer.url);
  });
  addEventListener("popstate", () => location.reload());

  document.addEventListener("change", async ({ target }) => {
    const form = target.closest("[data-contact]");
    if (target.name !== "email" || !form || !target.checkValidity()) return;
    const marketing = form.querySelector("[name=marketing]").checked;
    const answer = await fetch(form.dataset.contact, {
      method: "POST",
      keepalive: true,
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ email: target.value, marketing }),
    });
    publish((await answer.json()).events);
  });
})();
