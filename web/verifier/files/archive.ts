/** The shards of the WebDataset: tar archives that are read once from front to end, in windows, whatever their size. */
import { must, quoted, Wrong } from '../proof/faults';
import { Fields } from '../proof/fields';
import { MOST_BYTES, parse, utf8 } from '../proof/json';
import { digestOf, type Read, type Reader } from './reading';
import type { ImageRow } from './table';

const BLOCK = 512;

/** A member of an archive: its name and its bytes. */
export interface Member {
  name: string;
  size: number;
}

/** What the samples must be: each released image once, over all shards together. */
export class Samples {
  private readonly pictures = new Set<string>();
  private readonly facts = new Set<string>();

  /** `rows` is null where the release has no table. */
  constructor(
    private readonly released: ReadonlyMap<string, string | null>,
    private readonly rows: ReadonlyMap<string, ImageRow> | null,
  ) {}

  /** Read one shard to its end. */
  async shard(reader: Reader, where: string): Promise<void> {
    for (;;) {
      const header = await reader.take(BLOCK);
      if (header.length < BLOCK) throw new Wrong(where, 'the archive ends without its end: it was cut off');
      if (header.every((byte) => byte === 0)) break;
      const { name, size } = memberOf(header, where);
      const padded = Math.ceil(size / BLOCK) * BLOCK;
      if (size > reader.left) throw new Wrong(where, `the member ${quoted(name)} is longer than the archive`);
      await this.member(name, { reader, size, where });
      must((await reader.take(padded - size)).length === padded - size, where, 'the archive was cut off');
    }
    const last = await reader.take(BLOCK);
    must(last.length === BLOCK, where, 'the archive ends without its end: it was cut off');
    for (let rest = last; rest.length > 0; rest = await reader.take(BLOCK)) {
      must(
        rest.every((byte) => byte === 0),
        where,
        'there are bytes after the end of the archive',
      );
    }
  }

  private async member(name: string, { reader, size, where }: Read): Promise<void> {
    const [, id, kind] = /^([0-9a-f]{64})\.(jpg|json)$/.exec(name) ?? [];
    if (id === undefined || !this.released.has(id)) throw new Wrong(where, `${quoted(name)} is of no released image`);
    const seen = kind === 'jpg' ? this.pictures : this.facts;
    must(!seen.has(id), where, `${quoted(name)} is there twice`);
    seen.add(id);
    if (kind === 'jpg') {
      must((await digestOf(reader, size)) === id, where, `the bytes of ${quoted(name)} are another image`);
    } else {
      must(size <= MOST_BYTES, where, `${quoted(name)} is too large`);
      this.sample(id, await reader.take(size), `${where}, ${name}`);
    }
  }

  private sample(id: string, bytes: Uint8Array, where: string): void {
    const facts = Fields.of(parse(utf8(bytes, where), where), where, 'the sample');
    facts.only('id', 'format', 'width', 'height', 'score', 'answer', 'inherited');
    must(facts.text('id') === id && facts.text('answer') === 'yes', where, 'its id or its answer is another');
    facts.text('format');
    const [width, height, score] = [facts.wholeOrNull('width'), facts.wholeOrNull('height'), facts.realOrNull('score')];
    const inherited = facts.get('inherited');
    must(typeof inherited === 'boolean', where, 'inherited is neither true nor false');
    const row = this.rows?.get(id);
    if (row === undefined) return;
    const same = width === row.width && height === row.height && inherited === row.inherited;
    must(same && rounds(row.score, score), where, 'it is not what images.parquet says of this image');
  }

  /** Every released image has had its picture and its sample. */
  done(where: string): void {
    const all = this.released.size;
    must(this.pictures.size === all && this.facts.size === all, where, 'a released image is missing from it');
  }
}

/** Whether `said` is a score rounded to four digits; a tie may go either way, as languages round it differently. */
function rounds(score: number | null, said: number | null): boolean {
  if (score === null || said === null) return score === said;
  return Math.abs(score - said) <= 0.5e-4 + 1e-9 && Math.abs(said * 1e4 - Math.round(said * 1e4)) < 1e-6;
}

/** What a header of POSIX ustar says. Only plain files are members of a shard. */
function memberOf(header: Uint8Array, where: string): Member {
  const text = (from: number, length: number): string => {
    const field = header.subarray(from, from + length);
    const end = field.indexOf(0);
    return new TextDecoder('latin1').decode(end < 0 ? field : field.subarray(0, end));
  };
  const octal = (from: number, length: number): number => {
    const digits = text(from, length).trim();
    if (!/^[0-7]{1,15}$/.test(digits))
      throw new Wrong(where, 'it is no tar archive: a header has no number where one must be');
    return Number.parseInt(digits, 8);
  };
  let sum = 0;
  for (let at = 0; at < BLOCK; at += 1) sum += at >= 148 && at < 156 ? 32 : (header[at] ?? 0);
  if (sum !== octal(148, 8)) throw new Wrong(where, 'it is no tar archive: the sum of a header is wrong');
  const kind = header[156];
  const [name, prefix] = [text(0, 100), text(257, 5) === 'ustar' ? text(345, 155) : ''];
  must(kind === 0 || kind === 48, where, `the member ${quoted(name)} is no plain file`);
  return { name: prefix ? `${prefix}/${name}` : name, size: octal(124, 12) };
}
