/** The two files of mrml that a Worker loads by itself; the package types only their sum. */
declare module "mrml/bundler/mrml_wasm_bg.js" {
  export { Engine } from "mrml/bundler/mrml_wasm";
  export function __wbg_set_wasm(exports: WebAssembly.Exports): void;
}

declare module "mrml/bundler/mrml_wasm_bg.wasm" {
  const module: WebAssembly.Module;
  export default module;
}
