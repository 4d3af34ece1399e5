import { escape, html, route, type Route } from "../http.ts";
import { BRAND } from "../shop.ts";

/** The operator's page: what the stand-in knows and has sent, with the merchant's buttons. assets/admin.js fills it. */
export function adminPage(shop: string, footfallUrl: string): Route {
  return route("GET", "/_admin", () =>
    html(`<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Stand-in for Shopify – ${escape(BRAND)}</title><link rel="icon" href="/favicon.svg" type="image/svg+xml"><style>
:root{--line:#dfe3e8;--soft:#5c6773;--ink:#1d2530;--blue:#1f5fbf}
*{box-sizing:border-box}body{margin:0;font:15px/1.5 system-ui,sans-serif;background:#f4f6f8;color:var(--ink)}
header span{overflow-wrap:anywhere}header{background:#1d2a24;color:#fff;padding:1rem 1.5rem;display:flex;flex-wrap:wrap;gap:.4rem 1.5rem;align-items:baseline}header h1{font-size:1.15rem;margin:0}header a{color:#cfe3d3}header span{color:#b9c7bd;font-size:.88rem}
main{padding:1.2rem clamp(.8rem,3vw,1.5rem) 3rem;display:grid;grid-template-columns:minmax(0,1fr);gap:1.2rem;max-width:1500px;margin:auto}
section{background:#fff;border:1px solid var(--line);border-radius:12px;padding:1rem 1.2rem}h2{font-size:1.05rem;margin:0 0 .6rem}
.scroll{overflow:auto;max-height:430px}table{border-collapse:collapse;width:100%;font-size:.9rem}th{position:sticky;top:0;background:#fff;text-align:left;color:var(--soft);font-weight:500}th,td{padding:.4rem .8rem .4rem 0;border-bottom:1px solid var(--line);white-space:nowrap;vertical-align:top}
button{font:500 .84rem/1 system-ui,sans-serif;padding:.45rem .7rem;border:1px solid #c4ccd6;border-radius:7px;background:#fff;cursor:pointer;margin:0 .25rem .25rem 0}button:hover{border-color:var(--blue);color:var(--blue)}button:focus-visible,input:focus-visible{outline:2px solid var(--blue);outline-offset:2px}
form{display:flex;flex-wrap:wrap;gap:.6rem 1.2rem;align-items:center}label{display:inline-flex;gap:.4rem;align-items:center}input[type=number]{width:6.5rem;font:inherit;padding:.3rem .5rem;border:1px solid #c4ccd6;border-radius:7px}
.tag{display:inline-block;background:#e9eef5;border-radius:99px;padding:0 .6rem;font-size:.82rem;margin-right:.2rem}.delivered{color:#17693c}.failed,.dropped{color:#a32a1b}.pending{color:#8a6100}
#said{position:fixed;right:1rem;bottom:1rem;background:#1d2530;color:#fff;padding:.6rem 1rem;border-radius:8px;max-width:32rem}#said:empty{display:none}
</style></head><body><header><h1>Stand-in for Shopify</h1><span>${escape(shop)} → ${escape(footfallUrl)}/webhooks/shopify</span><a href="/">Storefront</a><a href="/_ads">Ads</a><a href="/_mail">Mailbox</a></header><main>
<section><h2>Deliveries behave</h2><form id="chaos"><label>twice, with probability <input type="number" name="duplicate" min="0" max="1" step="0.1"></label><label>lost, with probability <input type="number" name="drop" min="0" max="1" step="0.1"></label><label>late by ms <input type="number" name="delayMs" min="0" step="500"></label><label><input type="checkbox" name="shuffle"> out of order</label><button>Apply</button><button type="button" data-do="flush">Deliver everything now</button><button type="button" data-do="products/announce">Send the catalogue</button><button type="button" data-do="uninstall" data-sure="Tell Footfall that the shop uninstalled it?">Uninstall the app</button></form></section>
<section><h2>Orders</h2><div class="scroll"><table id="orders"></table></div></section>
<section><h2>Customers</h2><div class="scroll"><table id="customers"></table></div></section>
<section><h2>Deliveries, newest first</h2><div class="scroll"><table id="deliveries"></table></div></section>
</main><output id="said" role="status"></output><script src="/assets/admin.js" defer></script></body></html>`),
  );
}
