type Read = (statements: D1PreparedStatement[]) => Promise<D1Result[]>;

interface Wave {
  statements: D1PreparedStatement[];
  /** Where the answer to a text with its values is, so that equal questions are asked once. */
  places: Map<string, number>;
  answered: PromiseWithResolvers<D1Result[]>;
}

/**
 * Runs works that read and decide, all at the same time, with as many round trips as the longest of them needs alone:
 * what they ask (`first`, `all` and `batch` of the database each is given) travels as one batch, as soon as every one of
 * them waits for an answer or has ended. Nothing may be written through it; statements that were only prepared are for
 * the real database's `batch`. Fails when any of them does.
 */
export async function readTogether<T>(db: D1Database, works: ((db: D1Database) => Promise<T>)[]): Promise<T[]> {
  /** Works that neither wait nor have ended. */
  let busy = works.length;
  let wave: Wave | null = null;

  function send(): void {
    if (busy > 0 || wave === null) return;
    const { statements, answered } = wave;
    wave = null;
    db.batch(statements).then(answered.resolve, answered.reject);
  }

  async function run(work: (db: D1Database) => Promise<T>): Promise<T> {
    let waiting = 0;
    const read: Read = async (statements) => {
      if (waiting++ === 0) busy--;
      wave ??= { statements: [], places: new Map(), answered: Promise.withResolvers() };
      const { places, statements: asked, answered } = wave;
      const mine = statements.map((statement) => {
        const name = questions.get(statement);
        const place = (name === undefined ? undefined : places.get(name)) ?? asked.push(statement) - 1;
        if (name !== undefined) places.set(name, place);
        return place;
      });
      // What is asked in the same breath still comes along.
      queueMicrotask(send);
      try {
        const results = await answered.promise;
        return mine.flatMap((place) => results[place] ?? []);
      } finally {
        if (--waiting === 0) busy++;
      }
    };
    try {
      return await work(asking(db, read));
    } finally {
      busy--;
      queueMicrotask(send);
    }
  }

  return Promise.all(works.map(run));
}

/** What a statement asks: its text and values. */
const questions = new WeakMap<D1PreparedStatement, string>();

/** The database with its reads handed to `read`. */
function asking(db: D1Database, read: Read): D1Database {
  return new Proxy(db, {
    get(target, property) {
      if (property === "prepare") return (text: string) => statementOf(target.prepare(text), text, read);
      if (property === "batch") return read;
      const value: unknown = Reflect.get(target, property, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

/** The very statement, so that the real database takes it; only its reads are led elsewhere. */
function statementOf(statement: D1PreparedStatement, text: string, read: Read): D1PreparedStatement {
  const bind = statement.bind.bind(statement);
  const all = async () => (await read([statement]))[0];
  return Object.assign(statement, {
    bind: (...values: unknown[]) => {
      const bound = statementOf(bind(...values), text, read);
      questions.set(bound, JSON.stringify([text, values]));
      return bound;
    },
    all,
    first: async () => (await all())?.results[0] ?? null,
  });
}
