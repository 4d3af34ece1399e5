/** A label as a name: snake_case without accents, at most `most` characters; `otherwise` where it has no Latin letter. */
export function snakeCase(label: string, most: number, otherwise: string): string {
  const plain = label
    .toLowerCase()
    .replaceAll("ß", "ss")
    .normalize("NFKD")
    .replaceAll(/\p{M}/gu, "")
    .replaceAll(/[^a-z0-9]+/g, "_")
    .replaceAll(/^[_0-9]+/g, "")
    .slice(0, most)
    .replaceAll(/_+$/g, "");
  return plain || otherwise;
}
