export { collect } from "./collect";
export { needsOptIn } from "./consent";
export { preflight } from "./cors";
export { listDrops } from "./drops";
export { geoOf } from "./geo";
export { pixelScript, trackerScript } from "./script";
