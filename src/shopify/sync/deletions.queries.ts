import { z } from "zod";

/** Which of these records are still there: null in the place of one that is not. */
export const STILL_THERE = {
  name: "StillThere",
  text: "query StillThere($ids: [ID!]!) { nodes(ids: $ids) { id } }",
  answer: z.object({ nodes: z.array(z.object({ id: z.string() }).nullable()) }),
};
