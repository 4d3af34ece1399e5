export { createShop } from "./create";
export { cachedShop, findShop, forgetCachedShop, getShopOrThrow } from "./load";
export { DEFAULT_SETTINGS, OPTIONAL_SCOPES, type OptionalScope, Settings, SettingsPatch } from "./settings";
export { type Shop, toShop } from "./shop";
export { isWatched, readWatched } from "./watched";
