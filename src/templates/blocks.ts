/**
 * Parts that templates take by `{% render "cart" %}`, in MJML (inside `mj-text`, `mj-raw` or `mj-table`) and in HTML
 * alike: tables with inline styles, which every mail program lays out. They see the whole scope of the message.
 */
const line = `<td width="88" style="padding:12px 16px 12px 0;vertical-align:top">{% if item.image %}<img src="{{ item.image }}" alt="{{ item.title }}" width="88" style="display:block;width:88px;height:auto;border:0;border-radius:6px">{% endif %}</td>
<td style="padding:12px 0;vertical-align:top;font-family:inherit;font-size:15px;line-height:22px">{% if item.url %}<a href="{{ item.url }}" style="color:inherit;text-decoration:none"><strong>{{ item.title }}</strong></a>{% else %}<strong>{{ item.title }}</strong>{% endif %}{% if item.variant_title %}<br><span style="color:#667069">{{ item.variant_title }}</span>{% endif %}{% if item.description %}<br><span style="color:#667069">{{ item.description | truncate: 120 }}</span>{% endif %}<br><span style="color:#667069">{{ text.quantity }}: {{ item.quantity }}</span></td>
<td align="right" style="padding:12px 0 12px 16px;vertical-align:top;white-space:nowrap;font-family:inherit;font-size:15px;line-height:22px">{% if item.original_line_total %}<s style="color:#8a938d">{{ item.original_line_total }}</s><br>{% endif %}{{ item.line_total }}</td>`;

const table = (rows: string) =>
  `<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0" style="width:100%;border-collapse:collapse">${rows}</table>`;

const sum = (label: string, value: string) =>
  `{% if ${value} %}<tr><td colspan="2" align="right" style="padding:4px 0">{{ text.${label} }}</td> <td align="right" style="padding:4px 0 4px 16px;white-space:nowrap">{{ ${value} }}</td></tr>{% endif %}`;

const button = (href: string, label: string) =>
  `<table role="presentation" cellpadding="0" cellspacing="0" border="0" align="center" style="margin:20px auto"><tr><td align="center" bgcolor="#1f6f54" style="border-radius:6px;background:#1f6f54"><a href="${href}" style="display:inline-block;padding:13px 28px;color:#ffffff;font-size:16px;font-weight:bold;text-decoration:none">${label}</a></td></tr></table>`;

const cards = (list: string) =>
  table(
    `{% for product in ${list} %}<tr><td width="120" style="padding:12px 16px 12px 0;vertical-align:top">{% if product.image %}<a href="{{ product.url }}"><img src="{{ product.image }}" alt="{{ product.title }}" width="120" style="display:block;width:120px;height:auto;border:0;border-radius:6px"></a>{% endif %}</td><td style="padding:12px 0;vertical-align:top;font-size:15px;line-height:22px"><strong>{{ product.title }}</strong>{% if product.price %}<br>{{ product.price }}{% endif %}<br><a href="{{ product.url }}">{{ text.view_product }}</a></td></tr>{% endfor %}`,
  );

export const BLOCKS: Record<string, string> = {
  cart: `${table(`{% for item in cart.items %}<tr>${line}</tr>{% endfor %}${sum("total", "cart.value")}`)}${button("{{ cart.url }}", "{{ text.return_to_checkout }}")}`,
  order: table(
    `{% for item in order.items %}<tr>${line}</tr>{% endfor %}${sum("subtotal", "order.subtotal")}${sum("discount", "order.discount")}${sum("shipping", "order.shipping")}${sum("tax", "order.tax")}${sum("total", "order.total")}`,
  ),
  products: cards("products"),
  recommendations: `{% if recommendations.size > 0 %}<p style="margin:16px 0 4px"><strong>{{ text.recommended }}</strong></p>${cards("recommendations")}{% endif %}`,
  footer: `<p style="margin:24px 0 0;font-size:12px;line-height:18px;color:#667069;text-align:center">{{ sender.name | default: shop.name }}{% for line in sender.address %}<br>{{ line }}{% endfor %}<br>{% if unsubscribe_url %}<a href="{{ unsubscribe_url }}" style="color:#667069">{{ text.unsubscribe }}</a>{% endif %}{% if preferences_url %} &middot; <a href="{{ preferences_url }}" style="color:#667069">{{ text.preferences }}</a>{% endif %}{% if view_url %} &middot; <a href="{{ view_url }}" style="color:#667069">{{ text.view_in_browser }}</a>{% endif %}</p>`,
};

/** What people see of the blocks in a list. */
export const BLOCK_LABELS: Record<string, string> = {
  cart: "What is in the cart, with a button back to it",
  order: "What was ordered, with its sums",
  products: "The products that the message is about",
  recommendations: "Products like those, without what was bought",
  footer: "Who sends this, and the links to leave",
};
