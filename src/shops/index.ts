export { cachedShop, findShop, forgetCachedShop, getShopOrThrow } from "./load";
export { DEFAULT_SETTINGS, Settings, SettingsPatch } from "./settings";
export { type Shop, toShop } from "./shop";
