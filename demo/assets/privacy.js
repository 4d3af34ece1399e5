// The Customer Privacy API as themes meet it: absent until asked for with Shopify.loadFeatures, then on
// Shopify.customerPrivacy. Also the shop's consent banner, shown where the visitor's country asks first.
(() => {
  const COOKIE = "demo_consent";
  const region = window.__region;
  const silent = document.currentScript.hasAttribute("data-silent");

  const stored = () => {
    const found = document.cookie.match(new RegExp(`(?:^|; )${COOKIE}=([^;]*)`));
    return found ? JSON.parse(decodeURIComponent(found[1])) : {};
  };
  const word = (value) => (value === undefined ? "" : value ? "yes" : "no");
  const allowed = (purpose) => stored()[purpose] ?? !region.consentRequired;
  const saleAllowed = () => stored().sale_of_data ?? navigator.globalPrivacyControl !== true;

  const api = {
    analyticsProcessingAllowed: () => allowed("analytics"),
    marketingAllowed: () => allowed("marketing"),
    preferencesProcessingAllowed: () => allowed("preferences"),
    saleOfDataAllowed: saleAllowed,
    userCanBeTracked: () => allowed("analytics"),
    currentVisitorConsent: () => {
      const { analytics, marketing, preferences, sale_of_data } = stored();
      return {
        analytics: word(analytics),
        marketing: word(marketing),
        preferences: word(preferences),
        sale_of_data: word(sale_of_data),
      };
    },
    shouldShowBanner: () => region.consentRequired && stored().analytics === undefined,
    getRegion: () => region.country,
    consentId: () => stored().id ?? "",
    setTrackingConsent: (consent, callback) => {
      const merged = { id: crypto.randomUUID(), ...stored(), ...consent };
      document.cookie = `${COOKIE}=${encodeURIComponent(JSON.stringify(merged))}; Path=/; SameSite=Lax; Max-Age=31536000`;
      document.dispatchEvent(
        new CustomEvent("visitorConsentCollected", {
          detail: {
            analyticsAllowed: api.analyticsProcessingAllowed(),
            marketingAllowed: api.marketingAllowed(),
            preferencesAllowed: api.preferencesProcessingAllowed(),
            saleOfDataAllowed: api.saleOfDataAllowed(),
            firstPartyMarketingAllowed: api.marketingAllowed(),
            thirdPartyMarketingAllowed: api.marketingAllowed() && api.saleOfDataAllowed(),
          },
        }),
      );
      callback?.(undefined);
    },
  };

  window.Shopify = window.Shopify || {};
  window.Shopify.loadFeatures = (features, callback) => {
    // Shopify fetches the feature; the wait is what scripts must live with.
    setTimeout(() => {
      if (features.some((feature) => feature.name === "consent-tracking-api")) window.Shopify.customerPrivacy = api;
      callback?.(undefined);
    }, 60);
  };

  const show = () => {
    document.querySelector(".consent")?.remove();
    const banner = document.createElement("section");
    banner.className = "consent";
    banner.setAttribute("role", "dialog");
    banner.setAttribute("aria-labelledby", "consent-title");
    banner.innerHTML =
      '<h2 id="consent-title">May we count your visit?</h2><p>We would like to see which pages help and which do not. You can change your mind at the foot of every page.</p><div><button type="button" class="button" data-consent="yes">Yes, that is fine</button><button type="button" class="button quiet" data-consent="no">No, thank you</button></div>';
    banner.addEventListener("click", ({ target }) => {
      const choice = target.getAttribute("data-consent");
      if (!choice) return;
      const yes = choice === "yes";
      window.Shopify.customerPrivacy.setTrackingConsent({
        analytics: yes,
        marketing: yes,
        preferences: yes,
        sale_of_data: yes,
      });
      banner.remove();
    });
    document.body.append(banner);
  };

  if (silent) return;
  addEventListener("DOMContentLoaded", () => {
    window.Shopify.loadFeatures([{ name: "consent-tracking-api", version: "0.1" }], () => {
      if (api.shouldShowBanner()) show();
    });
    document.addEventListener("click", ({ target }) => {
      if (target instanceof Element && target.closest("[data-privacy]")) show();
    });
  });
})();
