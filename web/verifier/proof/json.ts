/**
 * JSON as the format wants it: whole numbers and floats are told apart (1 and 1.0 differ), a key that is twice in an object, NaN and
 * Infinity are refused, and a value can be written as canonical JSON, which is what Python's `json.dumps` writes with sorted keys and
 * without spaces.
 *
 * A whole number is a bigint, a float a number, and an object a Map, so that no key is special.
 */
import { Unreadable, Wrong } from './faults';

export type Json = null | boolean | string | bigint | number | Json[] | JsonObject;
export type JsonObject = Map<string, Json>;

/** The largest JSON file or line of the log, in bytes. */
export const MOST_BYTES = 64 * 2 ** 20;
const DEEPEST = 200;
const MOST_DIGITS = 400;
const NUMBER = /-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/y;
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON allows none of them in a text
const PLAIN = /[^"\\\u0000-\u001f]*/y;
const SPACE = /[ \t\n\r]*/y;
const ESCAPES: Record<string, string> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};
const WORDS: [string, Json][] = [
  ['true', true],
  ['false', false],
  ['null', null],
];

/** The text of UTF-8 bytes; anything else cannot be read. */
export function utf8(bytes: Uint8Array, where: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new Unreadable(where, 'it is no UTF-8 text');
  }
}

/** The value that a text holds. Throws Unreadable where it is no JSON, and Wrong where it is JSON that the format refuses. */
export function parse(text: string, where: string): Json {
  return new Parser(text, where).whole();
}

class Parser {
  private at = 0;
  private depth = 0;

  constructor(
    private readonly text: string,
    private readonly where: string,
  ) {}

  whole(): Json {
    const value = this.value();
    this.space();
    if (this.at < this.text.length) this.no('more text after its value');
    return value;
  }

  private no(what: string): never {
    throw new Unreadable(this.where, `it is no JSON: ${what} (character ${this.at + 1})`);
  }

  private space(): void {
    SPACE.lastIndex = this.at;
    SPACE.exec(this.text);
    this.at = SPACE.lastIndex;
  }

  private value(): Json {
    this.space();
    const first = this.text[this.at];
    if (first === '{') return this.object();
    if (first === '[') return this.list();
    if (first === '"') return this.string();
    for (const [word, value] of WORDS) {
      if (this.text.startsWith(word, this.at)) {
        this.at += word.length;
        return value;
      }
    }
    if (/^-?(?:NaN|Infinity)/.test(this.text.slice(this.at, this.at + 10))) {
      throw new Wrong(this.where, 'it has NaN or Infinity, which are no numbers of JSON');
    }
    return this.number();
  }

  private number(): Json {
    NUMBER.lastIndex = this.at;
    const found = NUMBER.exec(this.text);
    if (found === null) this.no(this.at < this.text.length ? 'no value' : 'it ends too early');
    this.at = NUMBER.lastIndex;
    const [token, fraction, exponent] = found;
    if (fraction === undefined && exponent === undefined) {
      if (token.length > MOST_DIGITS) throw new Wrong(this.where, 'it has a number of too many digits');
      return BigInt(token);
    }
    const value = Number(token);
    if (!Number.isFinite(value)) throw new Wrong(this.where, 'it has a number that no 64-bit float can be');
    return value;
  }

  private string(): string {
    this.at += 1;
    let text = '';
    for (;;) {
      PLAIN.lastIndex = this.at;
      text += PLAIN.exec(this.text)?.[0] ?? '';
      this.at = PLAIN.lastIndex;
      const next = this.text[this.at];
      if (next === '"') {
        this.at += 1;
        return text;
      }
      if (next !== '\\') this.no('a text that does not end');
      text += this.escaped();
    }
  }

  private escaped(): string {
    const kind = this.text[this.at + 1] ?? '';
    const simple = ESCAPES[kind];
    if (simple !== undefined) {
      this.at += 2;
      return simple;
    }
    const code = this.text.slice(this.at + 2, this.at + 6);
    if (kind !== 'u' || !/^[0-9a-fA-F]{4}$/.test(code)) this.no('an unknown escape');
    this.at += 6;
    return String.fromCharCode(Number.parseInt(code, 16));
  }

  private enter(): void {
    this.at += 1;
    this.depth += 1;
    if (this.depth > DEEPEST) throw new Unreadable(this.where, 'it is nested too deeply');
  }

  private list(): Json[] {
    this.enter();
    const found: Json[] = [];
    this.space();
    if (this.text[this.at] !== ']') {
      do found.push(this.value());
      while (this.another(']'));
    }
    this.leave();
    return found;
  }

  private object(): JsonObject {
    this.enter();
    const found: JsonObject = new Map();
    this.space();
    if (this.text[this.at] !== '}') {
      do {
        this.space();
        if (this.text[this.at] !== '"') this.no('a key that is no text');
        const key = this.string();
        this.space();
        if (this.text[this.at] !== ':') this.no('no colon after a key');
        this.at += 1;
        const value = this.value();
        if (found.has(key)) throw new Wrong(this.where, 'it has a key twice in one object');
        found.set(key, value);
      } while (this.another('}'));
    }
    this.leave();
    return found;
  }

  /** Whether a comma follows; if not, the end must. */
  private another(end: string): boolean {
    this.space();
    const next = this.text[this.at];
    if (next === ',') {
      this.at += 1;
      return true;
    }
    if (next !== end) this.no(`neither a comma nor “${end}”`);
    return false;
  }

  private leave(): void {
    this.at += 1;
    this.depth -= 1;
  }
}

/** A value as canonical JSON. */
export function canonical(value: Json): string {
  if (value === null || typeof value === 'boolean' || typeof value === 'bigint') return String(value);
  if (typeof value === 'number') return shortest(value);
  if (typeof value === 'string') return asciiText(value);
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  const keys = [...value.keys()].sort(byCodePoint);
  return `{${keys.map((key) => `${asciiText(key)}:${canonical(value.get(key) as Json)}`).join(',')}}`;
}

/** The order of Python's strings. JavaScript compares UTF-16 units, which puts U+E000 to U+FFFF after what is beyond them. */
export function byCodePoint(one: string, other: string): number {
  const [left, right] = [[...one], [...other]];
  const common = Math.min(left.length, right.length);
  for (let at = 0; at < common; at += 1) {
    const apart = (left[at]?.codePointAt(0) ?? 0) - (right[at]?.codePointAt(0) ?? 0);
    if (apart) return apart;
  }
  return left.length - right.length;
}

function asciiText(text: string): string {
  // JSON.stringify leaves DEL and what is beyond ASCII as they are; a lone surrogate it escapes as Python does
  return JSON.stringify(text).replace(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** A float as Python's `repr` writes it: the shortest digits that read back to it, with a point or an exponent. */
export function shortest(value: number): string {
  const sign = value < 0 || Object.is(value, -0) ? '-' : '';
  const [digits = '0', power = '0'] = Math.abs(value).toExponential().split('e');
  const exponent = Number(power);
  const all = digits.replace('.', '');
  if (exponent < -4 || exponent >= 16) {
    return `${sign}${digits}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`;
  }
  if (exponent < 0) return `${sign}0.${'0'.repeat(-exponent - 1)}${all}`;
  const whole = all.slice(0, exponent + 1).padEnd(exponent + 1, '0');
  return `${sign}${whole}.${all.slice(exponent + 1) || '0'}`;
}
