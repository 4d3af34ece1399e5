import wasm from "mrml/bundler/mrml_wasm_bg.wasm";
import * as mrml from "mrml/bundler/mrml_wasm_bg.js";

let isReady = false;

/** MRML is built for bundlers that instantiate WebAssembly by themselves; a Worker gets the module and does it here. */
function engine(): mrml.Engine {
  if (!isReady) {
    const { exports } = new WebAssembly.Instance(wasm, { "./mrml_wasm_bg.js": { ...mrml } });
    mrml.__wbg_set_wasm(exports);
    const start = exports["__wbindgen_start"];
    if (typeof start === "function") start();
    isReady = true;
  }
  return new mrml.Engine();
}

export type MjmlOutcome = { ok: true; html: string } | { ok: false; detail: string; at: number | null };

/** HTML of an MJML document that looks alike in the mail programs people use. It can include nothing. */
export function toHtml(mjml: string): MjmlOutcome {
  const made = engine();
  try {
    // Fonts of others' servers would tell them who reads it; and few mail programs load them.
    made.setRenderOptions({ disableComments: false, socialIconOrigin: null, fonts: {} });
    const result = made.toHtml(mjml);
    if (result.type === "success") return { ok: true, html: result.content };
    const at = result.origin === "parser" && "position" in result.details ? result.details.position.start : null;
    return { ok: false, detail: result.message, at };
  } finally {
    made.free();
  }
}
