// Fills the operator page from its JSON API and sends what the buttons say.
(() => {
  const api = async (path, body) => {
    const answer = await fetch(
      `/_admin/api/${path}`,
      body === undefined
        ? {}
        : { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) },
    );
    const value = await answer.json();
    if (!answer.ok) throw new Error(value.error);
    return value;
  };
  const escape = (text) => String(text ?? "–").replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);
  const said = document.getElementById("said");
  const say = (text) => {
    said.textContent = text;
    clearTimeout(say.timer);
    say.timer = setTimeout(() => (said.textContent = ""), 4000);
  };
  const button = (label, path, body = {}, ask = "") =>
    `<button data-do="${escape(path)}" data-body="${escape(JSON.stringify(body))}" data-ask="${ask}">${label}</button>`;
  const fill = (id, heads, rows) => {
    document.getElementById(id).innerHTML =
      `<thead><tr>${heads.map((head) => `<th>${head}</th>`).join("")}</tr></thead><tbody>${rows.map((cells) => `<tr>${cells.map((cell) => `<td>${cell}</td>`).join("")}</tr>`).join("") || "<tr><td>None yet</td></tr>"}</tbody>`;
  };

  const refresh = async () => {
    const [orders, customers, deliveries] = await Promise.all([api("orders"), api("customers"), api("deliveries")]);
    fill(
      "orders",
      ["Order", "Placed", "E-mail", "State", "Total", "Now", ""],
      orders.toReversed().map((order) => {
        const first = order.lines.find((line) => line.currentQuantity > 0);
        const can = [];
        if (order.financialStatus === "pending" && !order.cancelled)
          can.push(button("Mark paid", `orders/${order.id}/pay`));
        if (["paid", "partially_refunded"].includes(order.financialStatus) && first) {
          can.push(button("Refund all", `orders/${order.id}/refund`));
          can.push(
            button("Refund one piece", `orders/${order.id}/refund`, { lines: [{ lineId: first.id, quantity: 1 }] }),
          );
        }
        if (!order.cancelled) can.push(button("Cancel", `orders/${order.id}/cancel`));
        if (!order.cancelled && first)
          can.push(
            button("Add one more", `orders/${order.id}/edit`, {
              additions: [{ variantId: first.variantId, quantity: 1 }],
            }),
          );
        return [
          escape(order.name),
          escape(order.createdAt.slice(0, 16).replace("T", " ")),
          escape(order.email),
          escape(order.cancelled ? "cancelled" : order.financialStatus.replaceAll("_", " ")),
          `${order.total} ${order.currency}`,
          order.currentTotal,
          can.join(""),
        ];
      }),
    );
    fill(
      "customers",
      ["Customer", "Name", "Tags", "E-mail consent", ""],
      customers.toReversed().map((customer) => [
        escape(customer.email ?? customer.phone),
        escape([customer.firstName, customer.lastName].filter(Boolean).join(" ")),
        customer.tags.map((tag) => `<span class="tag">${escape(tag)}</span>`).join(""),
        escape(customer.emailConsent.state),
        [
          button("Tag", `customers/${customer.id}/tags`, {}, "tag"),
          button(
            customer.emailConsent.state === "subscribed" ? "Unsubscribe" : "Subscribe",
            `customers/${customer.id}/consent`,
            {
              channel: "email",
              state: customer.emailConsent.state === "subscribed" ? "unsubscribed" : "subscribed",
            },
          ),
          button("Merge into…", "customers/merge", { lost: customer.id }, "merge"),
          button("Delete", `customers/${customer.id}/delete`),
        ].join(""),
      ]),
    );
    fill(
      "deliveries",
      ["Topic", "State", "Tries", "Answer", "Triggered", "Webhook id", ""],
      deliveries
        .slice(-200)
        .toReversed()
        .map((one) => [
          escape(one.topic),
          `<span class="${one.state}">${one.state}</span>`,
          one.attempts,
          escape(one.lastStatus),
          escape(one.triggeredAt.slice(0, 19).replace("T", " ")),
          escape(one.webhookId.slice(0, 8)),
          button("Send again", `deliveries/${one.webhookId}/replay`),
        ]),
    );
    customersByEmail = new Map(customers.map((customer) => [customer.email, customer.id]));
  };
  let customersByEmail = new Map();

  const bodyFor = (pressed) => {
    const body = JSON.parse(pressed.dataset.body || "{}");
    if (pressed.dataset.ask === "tag") {
      const tag = prompt("Which tag?");
      return tag ? { add: [tag] } : undefined;
    }
    if (pressed.dataset.ask === "merge") {
      const email = prompt("E-mail of the customer who stays?");
      const kept = customersByEmail.get(email);
      if (!kept) say("No such customer");
      return kept ? { ...body, kept } : undefined;
    }
    return body;
  };

  document.addEventListener("click", async ({ target }) => {
    const path = target.dataset?.do;
    if (!path || (target.dataset.sure && !confirm(target.dataset.sure))) return;
    const body = bodyFor(target);
    if (body === undefined) return;
    try {
      const answer = await api(path, body);
      say(path === "flush" ? `${answer.delivered} delivered, ${answer.failed} failed` : "Done");
    } catch (error) {
      say(error.message);
    }
    await refresh();
  });

  const form = document.getElementById("chaos");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const { duplicate, drop, delayMs, shuffle } = form.elements;
    await api("chaos", {
      duplicate: Number(duplicate.value),
      drop: Number(drop.value),
      delayMs: Number(delayMs.value),
      shuffle: shuffle.checked,
    });
    say("Applied");
  });
  void api("chaos").then((chaos) => {
    form.elements.duplicate.value = chaos.duplicate;
    form.elements.drop.value = chaos.drop;
    form.elements.delayMs.value = chaos.delayMs;
    form.elements.shuffle.checked = chaos.shuffle;
  });
  void refresh();
  setInterval(() => document.hidden || void refresh(), 4000);
})();
