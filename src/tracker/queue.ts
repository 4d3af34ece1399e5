import { here } from "./address.ts";
import { Key } from "./config.ts";
import { isOpen, verdict } from "./gate.ts";
import { guard } from "./guard.ts";
import { config } from "./settings.ts";
import { read, write } from "./storage.ts";
import { uuid } from "./uuid.ts";
import { visitor } from "./visitor.ts";
import type { TrackedEvent } from "./wire.ts";

const enum Limit {
  Events = 100,
  /**
   * Characters of a body, and of one event: at most 60 KB in UTF-8, below the server's 64 KB, which is also the
   * browser's for all running keepalive requests together.
   */
  Body = 2e4,
  Event = 19_000,
}

export const enum Delay {
  CollectMs = 250,
  TitleMs = 200,
  RetryMs = 1000,
}

type Queue = Record<string, TrackedEvent>;

/** What waits; before consent it is nowhere else. */
let queue: Queue = {};
/** Set while something is waiting that no request has taken yet. */
let timer: number | undefined;
/** A request is on its way, or a retry waits for its time. */
let busy: unknown;
let wait: number = Delay.RetryMs;
/** Most events of a body; 1 once the server has refused a body, so that one bad event does not cost the others. */
let most: number | undefined;

const create = (type: string, data?: unknown, referrer?: string): TrackedEvent => ({
  id: uuid().slice(20),
  type,
  at: Date.now(),
  url: here(),
  title: document.title,
  referrer,
  data,
});

/** Takes an event in; it leaves with others a moment later. */
export const add = (type: string, data?: unknown, referrer?: string): TrackedEvent => {
  const event = create(type, data, referrer);
  if (verdict() != false && JSON.stringify(event).length < (Limit.Event as number)) {
    queue[event.id] = event;
    timer = timer || setTimeout(flush, Delay.CollectMs);
  }
  return event;
};

export const empty = (): void => {
  queue = {};
};

/** Together with what other pages have left behind. */
const keep = (): void => {
  queue = Object.fromEntries(Object.entries({ ...read<Queue>(Key.Queue), ...queue }).slice(-Limit.Events));
};

/**
 * Sends what is waiting. `leaving`: the page is going away, so events behind a running request go as well.
 * An erasure that the server has not heard of goes first.
 */
export const flush = guard((leaving?: unknown): void => {
  if (busy && !(leaving && timer)) return;
  timer = 0;
  const gone = read<string>(Key.Forget);
  if (!gone && !isOpen()) return;
  keep();
  if (!gone) write(Key.Queue, queue);
  let events = gone ? [create("forget")] : Object.values(queue).slice(0, most);
  if (!events[0]) return;
  busy = 1;
  let body: string;
  do {
    body = JSON.stringify({
      shop: config.s,
      visitor: gone || visitor(),
      events,
      consent: read(Key.Consent),
      sent: Date.now(),
    });
  } while (body.length > (Limit.Body as number) && (events = events.slice(0, events.length / 2)));
  const url = config.o + "/ff";
  // Without keepalive, a leaving page hands its last words to sendBeacon; whether they arrived is not known.
  if (leaving && !("keepalive" in Request.prototype)) navigator.sendBeacon(url, body);
  else
    // A string body is text/plain: no preflight.
    fetch(url, { method: "POST", body, keepalive: true, credentials: config.f })
      .then(({ status }) => {
        // 429 and 5xx: later. Anything else is final.
        if (status > 428) throw 0;
        if (gone) write(Key.Forget);
        else if (status == 400 && events[1]) most = 1;
        else {
          keep();
          for (const { id } of events) delete queue[id];
          write(Key.Queue, queue);
        }
        wait = Delay.RetryMs;
        resume();
      })
      .catch(() => setTimeout(resume, (wait *= 2)));
});

/** Goes on now: after a request, a pause, or when the network is back. */
export const resume = (): void => {
  busy = 0;
  flush();
};
