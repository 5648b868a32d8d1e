/** SHA-256, all at once or piece by piece, and the stream of random words that HMAC-SHA-256 makes of a seed. */
import { Hmac, Sha256 } from './sha256';

export const DIGEST = /^[0-9a-f]{64}$/;
const utf8 = new TextEncoder();

export const toHex = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');

/** The bytes of hexadecimal digits. */
export function ofHex(text: string): Uint8Array {
  return Uint8Array.from({ length: text.length / 2 }, (_, at) => Number.parseInt(text.slice(2 * at, 2 * at + 2), 16));
}

/** The digest of bytes, or of texts in UTF-8, that come in pieces. */
export class Hash {
  private readonly state = new Sha256();

  add(bytes: Uint8Array | string): this {
    this.state.add(typeof bytes === 'string' ? utf8.encode(bytes) : bytes);
    return this;
  }

  hex(): string {
    return toHex(this.state.digest());
  }
}

export const sha256Of = (bytes: Uint8Array): string => new Hash().add(bytes).hex();

/** The words of a stream: 64-bit numbers, four to each HMAC of `stage|0`, `stage|1`, ... under the seed. */
export class Words {
  private block = new DataView(new ArrayBuffer(0));
  private at = 0;
  private counter = 0;

  private readonly hmac: Hmac;

  constructor(
    seed: Uint8Array,
    private readonly stage: string,
  ) {
    this.hmac = new Hmac(seed);
  }

  next(): bigint {
    if (this.at >= this.block.byteLength) {
      this.block = new DataView(this.hmac.of(utf8.encode(`${this.stage}|${this.counter}`)).buffer);
      this.counter += 1;
      this.at = 0;
    }
    this.at += 8;
    return this.block.getBigUint64(this.at - 8);
  }

  /** A number below `m`, each as likely. */
  below(m: number): number {
    const size = BigInt(m);
    const usable = 2n ** 64n - (2n ** 64n % size);
    for (;;) {
      const word = this.next();
      if (word < usable) return Number(word % size);
    }
  }
}

/** The random order of 0, ..., size - 1, drawn as far as it is read: a Fisher-Yates shuffle from the front. */
export function* order(seed: Uint8Array, stage: string, size: number): Generator<number> {
  const words = new Words(seed, stage);
  const moved = new Map<number, number>(); // what lies where it did not begin: nothing else is kept of a large urn
  for (let i = 0; i < size; i += 1) {
    const j = i + words.below(size - i);
    const drawn = moved.get(j) ?? j;
    moved.set(j, moved.get(i) ?? i);
    moved.delete(i);
    yield drawn;
  }
}

/** The first draws of an order. */
export function draws(seed: Uint8Array, stage: string, size: number, count: number): number[] {
  const found: number[] = [];
  if (count <= 0) return found;
  for (const item of order(seed, stage, size)) {
    found.push(item);
    if (found.length === count) break;
  }
  return found;
}
