// The person's settings, in IndexedDB. IndexedDB stores a list's bytes and is open to every page of the extension,
// including the offscreen document. `chrome.storage` would need a permission, and an offscreen document can't use it.

/** Where the list comes from. */
export type List =
  | { from: "demo" }
  /** A published list: the URL of its manifest, and the trusted public keys. */
  | { from: "source"; url: string; keys: string[] }
  | { from: "url"; url: string }
  | { from: "file"; name: string; bytes: Uint8Array<ArrayBuffer> };

export interface Settings {
  list: List;
  /** Whether a picture that could not be checked is held or passes. */
  unchecked: "hold" | "allow";
  /** Whether the person may let a held file through. */
  override: boolean;
}

export const DEFAULTS: Settings = { list: { from: "demo" }, unchecked: "hold", override: true };

const STORE = "settings";

function open(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open("hashgate-extension", 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

export async function readSettings(): Promise<Settings> {
  const database = await open();
  try {
    return await new Promise((resolve, reject) => {
      const request = database.transaction(STORE).objectStore(STORE).get(STORE);
      request.onsuccess = () => resolve({ ...DEFAULTS, ...request.result });
      request.onerror = () => reject(request.error);
    });
  } finally {
    database.close();
  }
}

export async function writeSettings(settings: Settings): Promise<void> {
  const database = await open();
  try {
    await new Promise<void>((resolve, reject) => {
      const transaction = database.transaction(STORE, "readwrite");
      transaction.objectStore(STORE).put(settings, STORE);
      transaction.oncomplete = () => resolve();
      transaction.onabort = () => reject(transaction.error);
    });
  } finally {
    database.close();
  }
}
