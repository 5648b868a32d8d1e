/**
 * SHA-256 (FIPS 180-4) piece by piece, and HMAC (RFC 2104) with it. The browser's own code hashes a whole buffer only, so it cannot hash
 * a file that is larger than the memory, and it cannot be asked for one digest after another without waiting.
 */

// the first 32 bits of the fractions of square roots (of 8 primes) and of cube roots (of 64), in whole numbers: no table to mistype
const PRIMES: readonly number[] = (() => {
  const found: number[] = [];
  for (let n = 2; found.length < 64; n += 1) if (found.every((prime) => n % prime)) found.push(n);
  return found;
})();

/** The largest whole number whose power does not exceed `n`. */
function root(n: bigint, power: bigint): bigint {
  let [low, high] = [0n, 1n << 40n];
  while (low < high) {
    const middle = (low + high + 1n) >> 1n;
    if (middle ** power <= n) low = middle;
    else high = middle - 1n;
  }
  return low;
}

const START = Int32Array.from(PRIMES.slice(0, 8), (prime) => Number(BigInt.asIntN(32, root(BigInt(prime) << 64n, 2n))));
const ROUNDS = Int32Array.from(PRIMES, (prime) => Number(BigInt.asIntN(32, root(BigInt(prime) << 96n, 3n))));
const BLOCK = 64;
const schedule = new Int32Array(64);

export class Sha256 {
  private readonly state = START.slice();
  private readonly rest = new Uint8Array(BLOCK);
  private kept = 0;
  private length = 0;

  /** A second one that has taken the same bytes. */
  copy(): Sha256 {
    const other = new Sha256();
    other.state.set(this.state);
    other.rest.set(this.rest);
    other.kept = this.kept;
    other.length = this.length;
    return other;
  }

  add(bytes: Uint8Array): this {
    this.length += bytes.length;
    let at = 0;
    if (this.kept > 0) {
      at = Math.min(BLOCK - this.kept, bytes.length);
      this.rest.set(bytes.subarray(0, at), this.kept);
      this.kept += at;
      if (this.kept < BLOCK) return this;
      compress(this.state, this.rest, 0, 1);
    }
    const blocks = Math.floor((bytes.length - at) / BLOCK);
    compress(this.state, bytes, at, blocks);
    const left = bytes.subarray(at + blocks * BLOCK);
    this.rest.set(left);
    this.kept = left.length;
    return this;
  }

  /** The digest of all that was added, after which nothing more may be. */
  digest(): Uint8Array<ArrayBuffer> {
    const end = new Uint8Array(this.kept < 56 ? BLOCK : 2 * BLOCK);
    end.set(this.rest.subarray(0, this.kept));
    end[this.kept] = 0x80;
    new DataView(end.buffer).setBigUint64(end.length - 8, BigInt(this.length) * 8n);
    compress(this.state, end, 0, end.length / BLOCK);
    const digest = new DataView(new ArrayBuffer(32));
    for (const [at, word] of this.state.entries()) digest.setInt32(4 * at, word);
    return new Uint8Array(digest.buffer);
  }
}

/** HMAC-SHA-256 under one key, of many messages. */
export class Hmac {
  private readonly inner: Sha256;
  private readonly outer: Sha256;

  constructor(key: Uint8Array) {
    const padded = new Uint8Array(BLOCK);
    padded.set(key.length > BLOCK ? new Sha256().add(key).digest() : key);
    this.inner = new Sha256().add(padded.map((byte) => byte ^ 0x36));
    this.outer = new Sha256().add(padded.map((byte) => byte ^ 0x5c));
  }

  of(message: Uint8Array): Uint8Array<ArrayBuffer> {
    return this.outer.copy().add(this.inner.copy().add(message).digest()).digest();
  }
}

/** Take whole blocks into the state. */
function compress(state: Int32Array, bytes: Uint8Array, from: number, blocks: number): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let block = 0; block < blocks; block += 1) one(state, view, from + block * BLOCK);
}

/** Take one block. This is where the time goes: what is written out here is what the machine does in one step. */
function one(state: Int32Array, view: DataView, from: number): void {
  const w = schedule;
  for (let i = 0; i < 16; i += 1) w[i] = view.getInt32(from + 4 * i);
  for (let i = 16; i < 64; i += 1) {
    const x = w[i - 15] as number;
    const y = w[i - 2] as number;
    const small0 = ((x << 25) | (x >>> 7)) ^ ((x << 14) | (x >>> 18)) ^ (x >>> 3);
    const small1 = ((y << 15) | (y >>> 17)) ^ ((y << 13) | (y >>> 19)) ^ (y >>> 10);
    w[i] = (small1 + (w[i - 7] as number) + small0 + (w[i - 16] as number)) | 0;
  }
  let a = (state[0] as number) | 0;
  let b = (state[1] as number) | 0;
  let c = (state[2] as number) | 0;
  let d = (state[3] as number) | 0;
  let e = (state[4] as number) | 0;
  let f = (state[5] as number) | 0;
  let g = (state[6] as number) | 0;
  let h = (state[7] as number) | 0;
  for (let i = 0; i < 64; i += 1) {
    const large1 = ((e << 26) | (e >>> 6)) ^ ((e << 21) | (e >>> 11)) ^ ((e << 7) | (e >>> 25));
    const first = (h + large1 + ((e & f) ^ (~e & g)) + (ROUNDS[i] as number) + (w[i] as number)) | 0;
    const large0 = ((a << 30) | (a >>> 2)) ^ ((a << 19) | (a >>> 13)) ^ ((a << 10) | (a >>> 22));
    const second = (large0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + first) | 0;
    d = c;
    c = b;
    b = a;
    a = (first + second) | 0;
  }
  state[0] = (a + (state[0] as number)) | 0;
  state[1] = (b + (state[1] as number)) | 0;
  state[2] = (c + (state[2] as number)) | 0;
  state[3] = (d + (state[3] as number)) | 0;
  state[4] = (e + (state[4] as number)) | 0;
  state[5] = (f + (state[5] as number)) | 0;
  state[6] = (g + (state[6] as number)) | 0;
  state[7] = (h + (state[7] as number)) | 0;
}
