/** Reading the fields of an object of JSON: each must be there, of its type, and no other may be. */
import { must, quoted, Wrong } from './faults';
import type { Json, JsonObject } from './json';

/** An object whose fields are read by name; `where` is its file, `name` what a message calls it. */
export class Fields {
  constructor(
    readonly object: JsonObject,
    private readonly where: string,
    private readonly name: string,
  ) {}

  static of(value: Json | undefined, where: string, name: string): Fields {
    if (!(value instanceof Map)) throw new Wrong(where, `${name} is no object`);
    return new Fields(value, where, name);
  }

  /** Every field is one of these. */
  only(...names: string[]): this {
    for (const key of this.object.keys()) {
      must(names.includes(key), this.where, `${this.name} has a field that the format does not know: ${quoted(key)}`);
    }
    return this;
  }

  has(key: string): boolean {
    return this.object.has(key);
  }

  get(key: string): Json {
    const value = this.object.get(key);
    if (value === undefined) throw new Wrong(this.where, `${this.name} has no ${quoted(key)}`);
    return value;
  }

  text(key: string): string {
    const value = this.get(key);
    if (typeof value !== 'string') this.no(key, 'is no text');
    return value;
  }

  oneOf<T extends string>(key: string, choices: readonly T[]): T {
    const found = choices.find((choice) => choice === this.text(key));
    if (found === undefined) this.no(key, `is none of ${choices.join(', ')}`);
    return found;
  }

  digest(key: string): string {
    const value = this.text(key);
    if (!/^[0-9a-f]{64}$/.test(value)) this.no(key, 'is no digest: 64 lower-case hexadecimal digits');
    return value;
  }

  /** A whole number, not negative unless `least` allows it. */
  whole(key: string, least = 0, largest = Number.MAX_SAFE_INTEGER): number {
    const value = this.get(key);
    if (typeof value !== 'bigint') this.no(key, 'is no whole number');
    if (value < BigInt(least) || value > BigInt(largest)) this.no(key, `is not from ${least} to ${largest}`);
    return Number(value);
  }

  wholeOrNull(key: string): number | null {
    return this.get(key) === null ? null : this.whole(key);
  }

  /** A number, whole or not. */
  real(key: string): number {
    const value = this.get(key);
    if (typeof value !== 'bigint' && typeof value !== 'number') this.no(key, 'is no number');
    return Number(value);
  }

  realOrNull(key: string): number | null {
    return this.get(key) === null ? null : this.real(key);
  }

  list(key: string): Json[] {
    const value = this.get(key);
    if (!Array.isArray(value)) this.no(key, 'is no list');
    return value;
  }

  fields(key: string): Fields {
    return Fields.of(this.get(key), this.where, `${key} of ${this.name}`);
  }

  no(key: string, what: string): never {
    throw new Wrong(this.where, `${quoted(key)} of ${this.name} ${what}`);
  }
}
