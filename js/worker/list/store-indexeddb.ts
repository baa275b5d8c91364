// The list store of browsers: IndexedDB, the only storage of windows, workers and extensions whose writes are atomic.
// In some browsers, requests sometimes get no answer, so each has a time limit.
import { type DBSchema, type IDBPDatabase, type IDBPObjectStore, openDB } from "idb";
import { type Backend, type Current, counts, type Highest, type Kept, type Part, Silent } from "./store.js";

const STORE = "lists";
/** Time limit in milliseconds for opening the database. */
const OPEN_MS = 3000;
/** Time limit in milliseconds for a transaction. Reading or writing a list of tens of megabytes takes a few hundred. */
const TRANSACTION_MS = 10_000;

/**
 * The records of the single object store. Their keys begin with the kind and the list: `["current", list]`, `["part",
 * list, sha256, offset]`.
 */
interface Schema extends DBSchema {
  [STORE]: { key: IDBValidKey; value: unknown };
}

type Store<M extends IDBTransactionMode> = IDBPObjectStore<Schema, [typeof STORE], typeof STORE, M>;

/** Stores one list in the origin's database. */
export class IndexedDb implements Backend {
  readonly kind = "indexeddb";
  readonly #list: string;
  #opened: Promise<IDBPDatabase<Schema>> | undefined;

  constructor(list: string) {
    this.#list = list;
  }

  read(): Promise<Kept | undefined> {
    return this.#in("readonly", async (store) => {
      const current = (await store.get(["current", this.#list])) as Current | undefined;
      const bytes = (await store.get(["file", this.#list])) as Uint8Array | undefined;
      return current && bytes && { current, bytes };
    });
  }

  current(): Promise<Current | undefined> {
    return this.#in("readonly", (store) => store.get(["current", this.#list]) as Promise<Current | undefined>);
  }

  highest(): Promise<Highest | undefined> {
    return this.#in("readonly", (store) => store.get(["highest", this.#list]) as Promise<Highest | undefined>);
  }

  swap({ current, bytes }: Kept): Promise<void> {
    return this.#in("readwrite", async (store) => {
      const old = (await store.get(["current", this.#list])) as Current | undefined;
      if (old && old.release > current.release && counts(old, current.keys)) return;
      await Promise.all([store.put(current, ["current", this.#list]), store.put(bytes, ["file", this.#list])]);
    });
  }

  note(current: Current): Promise<void> {
    return this.#in("readwrite", async (store) => {
      const old = (await store.get(["current", this.#list])) as Current | undefined;
      if (old?.sha256 === current.sha256) await store.put(current, ["current", this.#list]);
    });
  }

  remember(highest: Highest): Promise<void> {
    return this.#in("readwrite", async (store) => {
      const old = (await store.get(["highest", this.#list])) as Highest | undefined;
      if (!old || old.release <= highest.release || !counts(old, highest.keys))
        await store.put(highest, ["highest", this.#list]);
    });
  }

  async parts(sha256: string): Promise<Part[]> {
    return this.#in("readonly", (store) => store.getAll(this.#partsOf(sha256)) as Promise<Part[]>);
  }

  addPart(sha256: string, part: Part): Promise<void> {
    return this.#in("readwrite", async (store) => {
      await store.put(part, ["part", this.#list, sha256, part.offset]);
    });
  }

  dropParts(): Promise<void> {
    return this.#in("readwrite", (store) => store.delete(this.#partsOf()));
  }

  /** Returns the key range of the stored parts. Arrays sort after strings and numbers, so `[]` is an upper bound. */
  #partsOf(...sha256: string[]): IDBKeyRange {
    return IDBKeyRange.bound(["part", this.#list, ...sha256], ["part", this.#list, ...sha256, []]);
  }

  /** Runs `work` in a transaction. Resolves once the transaction is complete. If `work` throws, nothing is stored. */
  async #in<T, M extends IDBTransactionMode>(mode: M, work: (store: Store<M>) => Promise<T>): Promise<T> {
    const database = await this.#open();
    const transaction = database.transaction(STORE, mode);
    const abort = () => {
      try {
        transaction.abort();
      } catch {
        // The transaction has already ended.
      }
    };
    const working = work(transaction.store).catch((error) => {
      abort();
      throw error;
    });
    const all = Promise.all([working, transaction.done]).then(([answer]) => answer);
    return within(all, TRANSACTION_MS, "answer", abort);
  }

  #open(): Promise<IDBPDatabase<Schema>> {
    const forget = () => {
      this.#opened = undefined;
    };
    if (!this.#opened) {
      const opening = openDB<Schema>("hashgate", 1, {
        upgrade: (database) => void database.createObjectStore(STORE),
        // Closes the database, because another tab wants to upgrade or delete it.
        blocking: (_, __, event) => {
          (event.target as IDBDatabase).close();
          forget();
        },
        // The browser closed the database, for example because the user cleared the site's data.
        terminated: forget,
      });
      // Closes a database that opens after the time limit.
      const late = () => void opening.then((database) => database.close()).catch(() => {});
      this.#opened = within(opening, OPEN_MS, "open", late);
      this.#opened.catch(forget);
    }
    return this.#opened;
  }
}

/** Returns the promise's result. If that takes too long, calls `giveUp` and rejects with {@link Silent}. */
function within<T>(promise: Promise<T>, ms: number, what: string, giveUp: () => void): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const silence = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Silent(`IndexedDB didn't ${what} within ${ms} ms`));
      giveUp();
    }, ms);
  });
  return Promise.race([promise, silence]).finally(() => clearTimeout(timer));
}
