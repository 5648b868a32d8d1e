import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { Unreadable, Wrong } from '../proof/faults';
import { Samples } from './archive';
import { linesOf } from './lines';
import { digestOf, fileDigest, Reader } from './reading';

const LARGE = 9 * 2 ** 20; // more than one window

function bytes(size: number): Uint8Array<ArrayBuffer> {
  const made = new Uint8Array(size);
  for (let at = 0; at < Math.min(size, 1009); at += 1) made[at] = (at * 31 + (at >> 3)) & 255;
  for (let at = 1009; at < size; at += at) made.copyWithin(at, 0, Math.min(at, size - at));
  return made;
}
const sha256 = (data: Uint8Array): string => createHash('sha256').update(data).digest('hex');

test('a file is hashed at once or in windows, with the same digest, and the bytes are told of', async () => {
  for (const size of [0, 100, 5000, LARGE]) {
    const data = bytes(size);
    for (const atOnce of [LARGE, 1000]) {
      const told: number[] = [];
      expect(await fileDigest(new Blob([data]), 'x', (more) => told.push(more), atOnce)).toBe(sha256(data));
      expect(told.reduce((sum, more) => sum + more, 0)).toBe(size);
      if (size === LARGE) expect(told.length).toBe(atOnce === LARGE ? 1 : 2);
    }
  }
});

test('a reader gives each byte once', async () => {
  const data = bytes(LARGE);
  const reader = new Reader(new Blob([data]), 'x');
  expect([...(await reader.take(3))]).toEqual([...data.subarray(0, 3)]);
  expect(await digestOf(reader, LARGE - 10)).toBe(sha256(data.subarray(3, LARGE - 7)));
  expect(reader.left).toBe(7);
  expect((await reader.take(100)).length).toBe(7);
  expect((await reader.take(1)).length).toBe(0);
});

test('lines are found across windows, and the last must end', async () => {
  const lines = ['a', '', 'b'.repeat(9 * 2 ** 20), 'c'];
  const found: number[] = [];
  for await (const line of linesOf(new Blob([`${lines.join('\n')}\n`]), 'log')) found.push(line.length);
  expect(found).toEqual(lines.map((line) => line.length));
  const open = async (): Promise<void> => {
    for await (const _ of linesOf(new Blob(['a\nb']), 'log'));
  };
  await expect(open()).rejects.toThrow(Wrong);
});

const ID = sha256(bytes(700));

/** A header of a tar archive. */
function header(name: string, size: number, kind = '0'): Uint8Array<ArrayBuffer> {
  const block = new Uint8Array(512);
  const put = (at: number, text: string): void => block.set(new TextEncoder().encode(text), at);
  put(0, name);
  put(100, '0000644\0');
  put(124, `${size.toString(8).padStart(11, '0')}\0`);
  put(148, ' '.repeat(8));
  put(156, kind);
  put(257, 'ustar\0');
  const sum = block.reduce((total, byte) => total + byte, 0);
  put(148, `${sum.toString(8).padStart(6, '0')}\0 `);
  return block;
}

function archive(members: [string, Uint8Array][], end = 1024, kind = '0'): Blob {
  const parts = members.flatMap(([name, data]) => [
    header(name, data.length, kind),
    data,
    new Uint8Array(-data.length & 511),
  ]);
  return new Blob([...(parts as Uint8Array<ArrayBuffer>[]), new Uint8Array(end)]);
}

function facts(more: object = {}): Uint8Array {
  const sample = {
    id: ID,
    format: 'PNG',
    width: 3,
    height: 4,
    score: 0.1235,
    answer: 'yes',
    inherited: false,
    ...more,
  };
  return new TextEncoder().encode(JSON.stringify(sample));
}

async function read(file: Blob): Promise<void> {
  const rows = new Map([[ID, { width: 3, height: 4, score: Math.fround(0.12345), inherited: false }]]);
  const samples = new Samples(new Map([[ID, null]]), rows);
  await samples.shard(new Reader(file, 'x.tar'), 'x.tar');
  samples.done('webdataset/');
}

test('an archive holds each released image with what the table says of it, and nothing else', async () => {
  const picture: [string, Uint8Array] = [`${ID}.jpg`, bytes(700)];
  const sample: [string, Uint8Array] = [`${ID}.json`, facts()];
  await read(archive([picture, sample]));
  await read(archive([picture, sample], 10_240));
  const refused: [string, Blob][] = [
    ['a picture of other bytes', archive([[`${ID}.jpg`, bytes(701)], sample])],
    ['a picture twice', archive([picture, picture, sample])],
    ['no sample', archive([picture])],
    ['another member', archive([picture, sample, ['notes.txt', bytes(3)]])],
    ['a link', archive([picture, sample], 1024, '2')],
    ['a further field', archive([picture, [`${ID}.json`, facts({ checked: true })]])],
    ['another width', archive([picture, [`${ID}.json`, facts({ width: 4 })]])],
    ['another score', archive([picture, [`${ID}.json`, facts({ score: 0.1237 })]])],
    ['a score with more digits', archive([picture, [`${ID}.json`, facts({ score: 0.12346 })]])],
    ['no end', archive([picture, sample], 0)],
    ['half an end', archive([picture, sample], 512)],
    ['bytes after the end', new Blob([archive([picture, sample]), 'more'])],
    ['half of it', archive([picture, sample]).slice(0, 900)],
  ];
  for (const [name, file] of refused) await expect(read(file), name).rejects.toThrow(Wrong);
  await expect(read(archive([picture, [`${ID}.json`, bytes(20)]]))).rejects.toThrow(Unreadable);
});
