export { authenticate } from "./authenticate";
export { createApiKey } from "./create";
