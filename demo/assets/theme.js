// The theme: cart drawer over the Ajax API, product options, the lookbook's history, small conveniences.
(() => {
  const $ = (selector, root = document) => root.querySelector(selector);
  const publish = (name, data) => document.dispatchEvent(new CustomEvent("demo:publish", { detail: { name, data } }));
  const money = (hundredths) =>
    new Intl.NumberFormat("en", { style: "currency", currency: window.Shopify.currency.active }).format(
      hundredths / 100,
    );
  const escape = (text) => text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);
  const root = window.Shopify.routes.root;
  const drawer = $("#cart-drawer");

  const readCart = async () => (await fetch(`${root}cart.js`)).json();

  const showCount = (cart) => {
    const badge = $("[data-cart-count]");
    badge.textContent = cart.item_count;
    badge.hidden = cart.item_count === 0;
  };

  const fillDrawer = (cart) => {
    const lines = cart.items
      .map(
        (item) =>
          `<li class="line"><img src="${item.image}" alt="" width="80" height="80"><div><a href="${item.url}">${escape(item.product_title)}</a><p class="by">${escape(item.variant_title)} · ${item.quantity}</p><button type="button" class="plain" data-drop="${item.key}">Remove</button></div><p class="price">${money(item.final_line_price)}</p></li>`,
      )
      .join("");
    const sum = cart.item_count
      ? `<form method="post" action="/checkout" class="sum"><p class="total"><span>Subtotal</span><strong>${money(cart.total_price)}</strong></p><button class="button wide">Check out</button><p class="small"><a href="/cart">See the whole cart</a></p></form>`
      : `<a class="button wide" href="/collections/all">Look around</a>`;
    drawer.innerHTML = `<div class="drawer-in"><div class="drawer-head"><h2 id="drawer-title">Your cart</h2><button type="button" data-close aria-label="Close">×</button></div>${lines ? `<ul class="lines">${lines}</ul>` : '<p class="lead">Nothing in it yet.</p>'}${sum}</div>`;
    showCount(cart);
  };

  const openDrawer = async () => {
    fillDrawer(await readCart());
    if (!drawer.open) drawer.showModal();
  };

  const cartLine = (item, quantity) => ({
    quantity,
    cost: {
      totalAmount: { amount: (item.final_price * quantity) / 100, currencyCode: window.Shopify.currency.active },
    },
    merchandise: {
      id: String(item.variant_id),
      title: item.variant_title,
      sku: item.sku,
      price: { amount: item.final_price / 100, currencyCode: window.Shopify.currency.active },
      image: { src: item.image },
      product: {
        id: String(item.product_id),
        title: item.product_title,
        vendor: item.vendor,
        type: item.product_type,
        url: item.url,
      },
    },
  });

  const change = async (key, quantity) => {
    const before = (await readCart()).items.find((item) => item.key === key);
    const answer = await fetch(`${root}cart/change.js`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ id: key, quantity }),
    });
    const more = quantity - (before?.quantity ?? 0);
    if (before && more !== 0)
      publish(more > 0 ? "product_added_to_cart" : "product_removed_from_cart", {
        cartLine: cartLine(before, Math.abs(more)),
      });
    return answer.json();
  };

  // Older themes post forms with XMLHttpRequest; the product form does as they do.
  const addByForm = (form) =>
    new Promise((resolve, reject) => {
      const request = new XMLHttpRequest();
      request.open("POST", `${root}cart/add.js`);
      request.addEventListener("load", () =>
        request.status < 300
          ? resolve(JSON.parse(request.responseText))
          : reject(new Error(JSON.parse(request.responseText).description)),
      );
      request.addEventListener("error", () => reject(new Error("The cart does not answer.")));
      request.send(new FormData(form));
    });

  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (!form.matches("[data-add]")) return;
    event.preventDefault();
    const button = $("button", form);
    const problem = $(".problem", form);
    button.disabled = true;
    problem.hidden = true;
    try {
      const quantity = Number(new FormData(form).get("quantity"));
      publish("product_added_to_cart", { cartLine: cartLine(await addByForm(form), quantity) });
      await openDrawer();
    } catch (error) {
      problem.textContent = error.message;
      problem.hidden = false;
    } finally {
      button.disabled = false;
    }
  });

  document.addEventListener("click", async (event) => {
    const { target } = event;
    if (!(target instanceof Element)) return;
    if (target.closest("[data-open-cart]") && drawer.showModal && !$("[data-cart-page]")) {
      event.preventDefault();
      await openDrawer();
    }
    if (target === drawer || target.closest("[data-close]")) drawer.close();
    const dropped = target.closest("[data-drop]")?.getAttribute("data-drop");
    if (dropped) fillDrawer(await change(dropped, 0));
    const removed = target.closest("[data-remove]")?.getAttribute("data-remove");
    if (removed) {
      await change(removed, 0);
      location.reload();
    }
    const look = target.closest("[data-look-link]");
    if (look && !event.metaKey && !event.ctrlKey) {
      event.preventDefault();
      history.pushState({}, "", look.href);
      showLook();
    }
  });

  document.addEventListener("change", async ({ target }) => {
    if (target.matches("[data-submit]")) target.form.submit();
    const line = target.getAttribute("data-line");
    if (line) {
      await change(line, Number(target.value));
      location.reload();
    }
    if (target.name === "id" && target.dataset.picture) {
      $("#product-picture").src = target.dataset.picture;
      $("#price").textContent = target.dataset.price;
      $("#was").textContent = target.dataset.was;
      history.replaceState({}, "", `?variant=${target.value}`);
    }
  });

  const showLook = () => {
    const looks = [...document.querySelectorAll("[data-look]")];
    const slug = location.pathname.split("/")[3] ?? looks[0].dataset.look;
    for (const look of looks) {
      look.hidden = look.dataset.look !== slug;
      if (!look.hidden) document.title = look.dataset.title;
    }
    for (const link of document.querySelectorAll("[data-look-link]")) {
      if (link.href.endsWith(`/${slug}`)) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
  };
  if ($("[data-lookbook]")) addEventListener("popstate", showLook);
})();
