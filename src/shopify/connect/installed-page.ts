/** The page after an install. Only a store's domain of the anchored pattern is ever put into it. */
export function installedPage(domain: string, cookies: string[]): Response {
  const headers = new Headers({
    "content-type": "text/html; charset=utf-8",
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
  });
  for (const value of cookies) headers.append("set-cookie", value);
  return new Response(page(domain), { headers });
}

function page(domain: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Connected - Footfall</title>
<style>
:root { color-scheme: light dark; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; font: 16px/1.6 system-ui, sans-serif; }
main { max-width: 34rem; padding: 2rem; }
h1 { font-size: 1.4rem; margin: 0 0 .5rem; }
</style>
</head>
<body>
<main>
<h1>${domain} is connected</h1>
<p>Customers, orders and products are being imported, the most recent first. You can close this page.</p>
<p><a href="https://${domain}/admin">Back to Shopify</a></p>
</main>
</body>
</html>
`;
}
