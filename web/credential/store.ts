/** What the voting host keeps on the device: wallets, the browser's sealing key, and a registration that is under way. */

import { type Bytes, equal } from "../common/bytes";
import { newBrowserKey, type WalletRecord } from "./wallet";

/** A voting passkey that was made here, until and after it is in the enrolment log. */
export interface VotingPasskey {
  /** Origin line of the election's log: a passkey is made before the election has a fingerprint. */
  election: string;
  credential: Bytes;
  /** SHA-256 of the COSE key, computed here, in hex. */
  digest: string;
  enrolment: string;
  channel: string;
  logged: boolean;
}

/** The device could not store durably, or read back something else. */
export class StorageError extends Error {}

export interface WalletStore {
  load(election: string): Promise<WalletRecord | null>;
  /** Store a new wallet and read it back. Throws StorageError if the election has one, or what is read back differs. */
  create(record: WalletRecord): Promise<void>;
  /** Replace the election's wallet and read it back. */
  replace(record: WalletRecord): Promise<void>;
  browserKey(): Promise<CryptoKey>;
}

const NAME = "evoting";
const VERSION = 1;
type Table = "wallets" | "passkeys" | "keys";

function settled<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(new StorageError(request.error?.name));
  });
}

export class DeviceStore implements WalletStore {
  readonly #database: IDBDatabase;

  private constructor(database: IDBDatabase) {
    this.#database = database;
  }

  static async open(factory: IDBFactory = indexedDB): Promise<DeviceStore> {
    const request = factory.open(NAME, VERSION);
    request.onupgradeneeded = () => {
      request.result.createObjectStore("wallets", { keyPath: "election" });
      request.result.createObjectStore("passkeys", { keyPath: "election" });
      request.result.createObjectStore("keys");
    };
    return new DeviceStore(await settled(request));
  }

  async #read<T>(table: Table, key: string): Promise<T | null> {
    const request = this.#database.transaction(table).objectStore(table).get(key);
    return ((await settled(request)) as T | undefined) ?? null;
  }

  /** Resolves when the write is durable, as far as the browser tells. */
  async #write(table: Table, write: (store: IDBObjectStore) => IDBRequest): Promise<void> {
    const transaction = this.#database.transaction(table, "readwrite", { durability: "strict" });
    const done = new Promise<void>((resolve, reject) => {
      transaction.oncomplete = () => resolve();
      transaction.onabort = () => reject(new StorageError(transaction.error?.name));
    });
    write(transaction.objectStore(table));
    await done;
  }

  load(election: string): Promise<WalletRecord | null> {
    return this.#read("wallets", election);
  }

  async create(record: WalletRecord): Promise<void> {
    // `add` fails where there is one: two tabs cannot make two wallets.
    await this.#write("wallets", (store) => store.add(record));
    await this.#readBack(record);
  }

  async replace(record: WalletRecord): Promise<void> {
    await this.#write("wallets", (store) => store.put(record));
    await this.#readBack(record);
  }

  async #readBack(record: WalletRecord): Promise<void> {
    const stored = await this.load(record.election);
    if (!stored || !equal(stored.sealed, record.sealed) || !equal(stored.nonce, record.nonce))
      throw new StorageError("what was read back is not what was written");
  }

  async browserKey(): Promise<CryptoKey> {
    const existing = await this.#read<CryptoKey>("keys", "wallet");
    if (existing) return existing;
    const key = await newBrowserKey();
    await this.#write("keys", (store) => store.put(key, "wallet"));
    return key;
  }

  passkey(election: string): Promise<VotingPasskey | null> {
    return this.#read("passkeys", election);
  }

  keepPasskey(passkey: VotingPasskey): Promise<void> {
    return this.#write("passkeys", (store) => store.put(passkey));
  }
}
