/** What the bench asks of `automations-worker.ts`. */
export interface AutomationsOrder {
  do: "enter" | "product" | "bare";
  shop: number;
  /** Moves runs that are due by then, epoch ms. */
  now: number;
  /** Steps that a bare round writes. */
  steps: number;
}

export interface AutomationsAnswer {
  steps: number;
  /** Rows of D1 written and read, and messages that a clock would have sent. */
  written: number;
  read: number;
  messages: number;
}
