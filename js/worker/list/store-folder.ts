// The list store of Node: two files in a folder. Each is written under another name and then renamed.
import { createHash, randomUUID } from "node:crypto";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Backend, type Current, counts, type Highest, type Kept, type Part } from "./store.js";

/** Stores one list in a folder, which several processes may share. Doesn't store parts of broken downloads. */
export class Folder implements Backend {
  readonly kind = "folder";
  readonly #folder: string;
  readonly #stem: string;

  constructor(folder: string, list: string) {
    this.#folder = folder;
    this.#stem = join(folder, createHash("sha256").update(list).digest("hex").slice(0, 16));
  }

  /** Reads the file of the release: a line of JSON, then the bytes of the filter. */
  async read(): Promise<Kept | undefined> {
    const file = await found(readFile(`${this.#stem}.list`));
    if (!file) return undefined;
    const end = file.indexOf("\n");
    const { manifest, proof, ...current } = JSON.parse(file.toString("utf8", 0, Math.max(end, 0)));
    const bytesOf = (text: string) => Uint8Array.from(Buffer.from(text, "base64"));
    return {
      current: { ...current, manifest: bytesOf(manifest), proof: proof && bytesOf(proof) },
      bytes: Uint8Array.from(file.subarray(end + 1)),
    };
  }

  async current(): Promise<Current | undefined> {
    return (await this.read())?.current;
  }

  async highest(): Promise<Highest | undefined> {
    const file = await found(readFile(`${this.#stem}.highest`, "utf8"));
    return file && JSON.parse(file);
  }

  async swap({ current, bytes }: Kept): Promise<void> {
    // A file that can't be read any more may be overwritten.
    const old = await this.read().catch(() => undefined);
    if (old && old.current.release > current.release && counts(old.current, current.keys)) return;
    const { etag, release, sha256, checkedAtMs, keys } = current;
    const manifest = Buffer.from(current.manifest).toString("base64");
    const proof = current.proof && Buffer.from(current.proof).toString("base64");
    const head = JSON.stringify({ release, sha256, checkedAtMs, keys, etag, manifest, proof });
    await this.#write("list", Buffer.concat([Buffer.from(`${head}\n`), bytes]));
  }

  async note(current: Current): Promise<void> {
    const old = await this.read();
    if (old?.current.sha256 === current.sha256) await this.swap({ current, bytes: old.bytes });
  }

  async remember(highest: Highest): Promise<void> {
    const old = await this.highest().catch(() => undefined);
    if (!old || old.release <= highest.release || !counts(old, highest.keys))
      await this.#write("highest", JSON.stringify(highest));
  }

  async parts(): Promise<Part[]> {
    return [];
  }

  async addPart(): Promise<void> {}

  async dropParts(): Promise<void> {}

  async #write(kind: string, contents: string | Uint8Array): Promise<void> {
    await mkdir(this.#folder, { recursive: true });
    const beside = `${this.#stem}.${randomUUID()}`;
    try {
      await writeFile(beside, contents);
      await rename(beside, `${this.#stem}.${kind}`);
    } catch (error) {
      await rm(beside, { force: true });
      throw error;
    }
  }
}

async function found<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}
