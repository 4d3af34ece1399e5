const LIQUID = /\{\{[\s\S]*?\}\}|\{%[\s\S]*?%\}/g;

/** Elements whose children are elements: what else stands in them goes through MJML as `mj-raw`. */
const STRUCTURE = new Set(["mj-body", "mj-wrapper", "mj-section", "mj-group", "mj-column", "mj-hero"]);

const TOKEN = /<!--[\s\S]*?-->|<(\/?)([a-z][\w-]*)((?:"[^"]*"|'[^']*'|[^<>"'])*?)(\/?)>|ffliquid\d+x/gi;

/**
 * Takes the Liquid out of a source, so that a parser of markup does not stumble over it, and puts it back into what the
 * parser made. In MJML a tag between elements, such as a loop around sections, is wrapped as MJML wants it.
 */
export function protect(source: string, isMjml: boolean): { source: string; restore: (made: string) => string } {
  const taken: string[] = [];
  const bare = source.replace(LIQUID, (code) => `ffliquid${taken.push(code) - 1}x`);
  return {
    source: isMjml ? wrapped(bare) : bare,
    restore: (made) => made.replace(/ffliquid(\d+)x/g, (_, index: string) => taken[Number(index)] ?? ""),
  };
}

function wrapped(bare: string): string {
  const open: string[] = [];
  return bare.replace(TOKEN, (token, closing: string | undefined, name: string | undefined, _rest, single: string) => {
    if (name === undefined) {
      const parent = open.at(-1);
      return token.startsWith("ffliquid") && parent !== undefined && STRUCTURE.has(parent)
        ? `<mj-raw>${token}</mj-raw>`
        : token;
    }
    const element = name.toLowerCase();
    if (closing) {
      const at = open.lastIndexOf(element);
      if (at >= 0) open.length = at;
    } else if (!single) open.push(element);
    return token;
  });
}
