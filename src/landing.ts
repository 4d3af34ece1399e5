/** The page at `/`: what runs here, and where to go on. Says nothing about the shops it serves. */
export function landing(request: Request): Response {
  const { origin } = new URL(request.url);
  return new Response(page(origin), {
    headers: {
      "content-type": "text/html; charset=utf-8",
      "cache-control": "public, max-age=300",
      "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; base-uri 'none'",
      "x-content-type-options": "nosniff",
      "referrer-policy": "no-referrer",
    },
  });
}

function page(origin: string): string {
  const tag = `&lt;script async src="${origin}/ff.js?shop=YOUR-SHOP.myshopify.com"&gt;&lt;/script&gt;`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Footfall</title>
<link rel="icon" href="/favicon.svg" type="image/svg+xml">
<style>
:root { color-scheme: light dark; --ink: #1d2521; --soft: #5b6862; --line: #dfe5e1; --paper: #fbfcfb; --mark: #1f6f54; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e8eeea; --soft: #9fada6; --line: #2c3732; --paper: #141a17; --mark: #6fc7a5; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.6 system-ui, sans-serif; }
main { max-width: 44rem; margin: 0 auto; padding: 4rem 1.5rem; }
header { display: flex; align-items: center; gap: .75rem; }
header img { width: 2.5rem; height: 2.5rem; }
h1 { font-size: 1.6rem; margin: 0; letter-spacing: -.01em; }
h2 { font-size: 1rem; margin: 2.5rem 0 .5rem; }
p { margin: .75rem 0; }
.lead { font-size: 1.1rem; color: var(--soft); max-width: 36rem; }
ul { list-style: none; margin: 1rem 0 0; padding: 0; border-top: 1px solid var(--line); }
li { border-bottom: 1px solid var(--line); }
li a { display: flex; justify-content: space-between; gap: 1rem; padding: .7rem 0; text-decoration: none; }
li span { color: var(--soft); font-weight: 400; text-align: right; }
a { color: var(--mark); font-weight: 600; }
a:focus-visible { outline: 2px solid var(--mark); outline-offset: 3px; border-radius: 2px; }
pre { overflow-x: auto; padding: .9rem 1rem; border: 1px solid var(--line); border-radius: 8px; font-size: .85rem; }
</style>
</head>
<body>
<main>
<header><img src="/favicon.svg" alt=""><h1>Footfall</h1></header>
<p class="lead">From the first visit to the customer: a visitor tracker and CRM for Shopify that runs in your own
Cloudflare account. This is your installation; it is up.</p>
<ul>
<li><a href="/docs">REST API <span>every resource, with its schema</span></a></li>
<li><a href="/v1/openapi.json">OpenAPI 3.1 <span>for code generators</span></a></li>
<li><a href="/health">Health <span>answers while the Worker runs</span></a></li>
</ul>
<h2>Put it on a shop</h2>
<pre tabindex="0">${tag}</pre>
<p>Make the shop first with <code>POST /v1/shops</code> and the operator token; beacons are taken from then on.</p>
</main>
</body>
</html>
`;
}
