import { escape, html, json, reply, type Reply, type Request, route, type Route } from "../http.ts";
import { BRAND } from "../shop.ts";
import type { Mail, Mailbox } from "./smtp.ts";

const STYLE = `:root{--line:#dfe3e8;--soft:#5c6773;--ink:#1d2530;--blue:#1f5fbf}
*{box-sizing:border-box}body{margin:0;font:15px/1.5 system-ui,sans-serif;background:#f4f6f8;color:var(--ink)}
header{background:#1d2a24;color:#fff;padding:1rem 1.5rem;display:flex;flex-wrap:wrap;gap:.4rem 1.5rem;align-items:baseline}header h1{font-size:1.15rem;margin:0}header a{color:#cfe3d3}header span{color:#b9c7bd;font-size:.88rem}
main{padding:1.2rem clamp(.8rem,3vw,1.5rem) 3rem;max-width:1100px;margin:auto}
.mails{list-style:none;margin:0;padding:0;background:#fff;border:1px solid var(--line);border-radius:12px;overflow:hidden}
.mails li+li{border-top:1px solid var(--line)}
.mails a{display:grid;grid-template-columns:minmax(0,17rem) minmax(0,1fr) auto;gap:.1rem 1.2rem;padding:.7rem 1.2rem;color:inherit;text-decoration:none}.mails a:hover{background:#f4f7fb}.mails a:focus-visible{outline:2px solid var(--blue);outline-offset:-2px}
.mails span{overflow:hidden;text-overflow:ellipsis;white-space:nowrap}.mails time,.mails .to{color:var(--soft)}
.empty{background:#fff;border:1px solid var(--line);border-radius:12px;padding:2rem 1.2rem;text-align:center;color:var(--soft)}
h2{font-size:1.35rem;line-height:1.3;margin:.2rem 0 .4rem;overflow-wrap:anywhere}.back{color:var(--blue)}
dl{display:grid;grid-template-columns:auto minmax(0,1fr);gap:.1rem 1rem;margin:0 0 1rem}dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere}
iframe{display:block;width:100%;height:min(78vh,900px);border:1px solid var(--line);border-radius:12px;background:#fff}
details{background:#fff;border:1px solid var(--line);border-radius:12px;padding:.7rem 1.2rem;margin-top:.8rem}summary{cursor:pointer;font-weight:500}summary:focus-visible{outline:2px solid var(--blue);outline-offset:2px}
pre{white-space:pre-wrap;overflow-wrap:anywhere;font:13px/1.5 ui-monospace,monospace;margin:.6rem 0 .2rem}
@media (max-width:640px){header{padding:1rem .8rem}.mails a{grid-template-columns:minmax(0,1fr) auto;padding:.7rem .9rem}.mails .subject{grid-column:1/-1;grid-row:2}}`;

const time = (at: number): string =>
  new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" }).format(at);

function page(title: string, main: string): Reply {
  return html(
    `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${escape(title)} – ${escape(BRAND)}</title><link rel="icon" href="/favicon.svg" type="image/svg+xml"><style>${STYLE}</style></head><body><header><h1>Mailbox</h1><span>everybody’s mail of the demo shop</span><a href="/">Storefront</a><a href="/_admin">Stand-in</a></header><main>${main}</main></body></html>`,
  );
}

function list(mails: readonly Mail[]): Reply {
  const rows = mails
    .toReversed()
    .map(
      ({ id, at, to, subject }) =>
        `<li><a href="/_mail/${id}"><span class="to">${escape(to.join(", "))}</span><span class="subject">${escape(subject)}</span><time datetime="${new Date(at).toISOString()}">${time(at)}</time></a></li>`,
    )
    .join("");
  return page(
    "Mailbox",
    rows === ""
      ? '<p class="empty">No mail yet. Fill a cart, tick “E-mail me about new pieces” in the checkout, and leave: five minutes later there is one.</p>'
      : `<ul class="mails">${rows}</ul>`,
  );
}

function message({ id, at, from, to, subject, html: body, text, headers }: Mail): Reply {
  const shown =
    body === null
      ? ""
      : `<iframe title="The message" src="/_mail/${id}/body" sandbox="allow-popups allow-popups-to-escape-sandbox"></iframe>`;
  const lines = headers.map(({ name, value }) => `${name}: ${value}`).join("\n");
  return page(
    subject,
    `<a class="back" href="/_mail">All mail</a><h2>${escape(subject)}</h2><dl><dt>From</dt><dd>${escape(from)}</dd><dt>To</dt><dd>${escape(to.join(", "))}</dd><dt>At</dt><dd>${time(at)}</dd></dl>${shown}<details${body === null ? " open" : ""}><summary>Text</summary><pre>${escape(text)}</pre></details><details><summary>Headers</summary><pre>${escape(lines)}</pre></details>`,
  );
}

/** The HTML as a mail program shows it: pictures and styles, no scripts, and links that open beside it. */
function body(text: string): Reply {
  return reply(200, "text/html; charset=utf-8", `<base target="_blank">${text}`, {
    "content-security-policy":
      "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; img-src http: https: data:; style-src 'unsafe-inline' https:; font-src https:",
    "referrer-policy": "no-referrer",
  });
}

/** The mailbox as pages, and as JSON below `/_mail/api`. */
export function mailboxRoutes({ mails }: Mailbox): Route[] {
  const one = (show: (mail: Mail) => Reply) => (request: Request) => {
    const mail = mails.find(({ id }) => String(id) === request.params["id"]);
    return mail === undefined ? reply(404, "text/plain", "No such mail") : show(mail);
  };
  return [
    route("GET", "/_mail", () => list(mails)),
    route("GET", "/_mail/api/messages", ({ url }) => {
      const to = url.searchParams.get("to");
      return json({ items: mails.filter((mail) => to === null || mail.to.includes(to)) });
    }),
    route("GET", "/_mail/:id", one(message)),
    route(
      "GET",
      "/_mail/:id/body",
      one((mail) => body(mail.html ?? `<pre>${escape(mail.text)}</pre>`)),
    ),
  ];
}
