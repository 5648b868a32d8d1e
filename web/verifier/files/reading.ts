/** Reading a file from front to end in windows, and digests: a file may be larger than the memory. */
import { Hash, sha256Of, toHex } from '../proof/digest';
import { Unreadable } from '../proof/faults';

const WINDOW = 8 * 2 ** 20;
/** Up to this size a digest is taken at once, by the browser's own code where it has it. */
const AT_ONCE = 64 * 2 ** 20;

export interface Read {
  reader: Reader;
  size: number;
  where: string;
}

/** Told how many bytes were read since it was last told. */
export type Progress = (bytes: number) => void;

/** The bytes of a file in order. */
export class Reader {
  private window = new Uint8Array(0);
  private at = 0;
  private fetched = 0;

  constructor(
    private readonly file: Blob,
    private readonly where: string,
  ) {}

  get left(): number {
    return this.file.size - this.fetched + this.window.length - this.at;
  }

  /** The next bytes: fewer than asked only at the end. */
  async take(count: number): Promise<Uint8Array> {
    if (this.window.length - this.at < count) await this.more(count);
    const found = this.window.subarray(this.at, this.at + count);
    this.at += found.length;
    return found;
  }

  private async more(count: number): Promise<void> {
    const rest = this.window.subarray(this.at);
    const from = this.fetched;
    const to = Math.min(this.file.size, from + Math.max(WINDOW, count - rest.length));
    if (to === from) return;
    const bytes = await bytesOf(this.file.slice(from, to), this.where);
    this.fetched = to;
    const window = new Uint8Array(rest.length + bytes.length);
    window.set(rest);
    window.set(bytes, rest.length);
    this.window = window;
    this.at = 0;
  }
}

/** The bytes of a file, or of a part of one. */
export async function bytesOf(file: Blob, where: string): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return new Uint8Array(await file.arrayBuffer());
  } catch {
    throw new Unreadable(where, 'the browser cannot read it');
  }
}

/** The digest of the next bytes of a reader. */
export async function digestOf(reader: Reader, size: number): Promise<string> {
  if (size <= WINDOW) return digest(await reader.take(size));
  return inWindows(reader, size);
}

async function inWindows(reader: Reader, size: number, progress: Progress = () => undefined): Promise<string> {
  const hash = new Hash();
  for (let left = size; left > 0; ) {
    const bytes = await reader.take(Math.min(left, WINDOW));
    if (bytes.length === 0) break;
    hash.add(bytes);
    progress(bytes.length);
    left -= bytes.length;
  }
  return hash.hex();
}

/** The digest of a whole file. */
export async function fileDigest(file: Blob, where: string, progress: Progress, atOnce = AT_ONCE): Promise<string> {
  if (file.size > atOnce) return inWindows(new Reader(file, where), file.size, progress);
  const found = await digest(await bytesOf(file, where));
  progress(file.size);
  return found;
}

async function digest(bytes: Uint8Array): Promise<string> {
  // a page that came over plain HTTP from another machine has no WebCrypto, and small pieces cost less without it
  const subtle = globalThis.crypto?.subtle;
  if (subtle === undefined || bytes.length < 4096) return sha256Of(bytes);
  return toHex(new Uint8Array(await subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>)));
}
