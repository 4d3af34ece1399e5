import { BLOCK_LABELS, BLOCKS } from "./blocks";
import { LANGUAGE_NAMES } from "./languages";
import { liquidFor } from "./liquid";
import { membersOf, VARIABLES } from "./variables";

/** Everything that a template can name, for people and for the dashboard. */
export function templateCatalogue() {
  const { filters, tags } = liquidFor("html");
  return {
    variables: VARIABLES.flatMap((variable) => [
      variable,
      ...membersOf(variable.name).map(([name, label]) => ({
        name: `${variable.name}[].${name}`,
        label,
        needs: variable.needs,
      })),
    ]),
    blocks: Object.keys(BLOCKS).map((name) => ({
      name,
      label: BLOCK_LABELS[name] ?? name,
      code: `{% render "${name}" %}`,
    })),
    filters: Object.keys(filters).sort(),
    tags: Object.keys(tags).sort(),
    languages: LANGUAGE_NAMES,
  };
}
