/** release.json: the hash of every other file, and what the card says. */
import { must, quoted } from '../proof/faults';
import { Fields } from '../proof/fields';
import { LAST_MS } from '../proof/frozen';
import type { Json } from '../proof/json';

export const MANIFEST = 'release.json';
export const FORMATS = ['folder', 'webdataset', 'table'] as const;
export type Format = (typeof FORMATS)[number];

export interface Wording {
  text: string;
  instructions: string;
  atMs: number;
}

export interface Manifest {
  files: Map<string, { bytes: number; sha256: string }>;
  category: string;
  question: string;
  version: number;
  images: number;
  counts: { yes: number; no: number; unknown: number };
  formats: Map<Format, Record<string, number>>;
  pool: number;
  round: number | null;
  atMs: number;
  wordings: Wording[];
  yesBy: { labelled: number; inherited: number; scored: number };
}

const NUMBERS: Record<Format, string[]> = { folder: ['images'], webdataset: ['samples', 'shards'], table: ['rows'] };
const NAMES =
  'files category question version id images counts formats pool round at_ms fingerprint contents thresher wordings yes_by';

export function readManifest(value: Json): Manifest {
  const found = Fields.of(value, MANIFEST, 'the manifest').only(...NAMES.split(' '));
  const counts = found.fields('counts').only('yes', 'no', 'unknown');
  const yesBy = found.fields('yes_by').only('labelled', 'inherited', 'scored');
  const manifest: Manifest = {
    files: readFiles(found.fields('files')),
    category: found.text('category'),
    question: found.text('question'),
    version: found.whole('version'),
    images: found.whole('images'),
    counts: { yes: counts.whole('yes'), no: counts.whole('no'), unknown: counts.whole('unknown') },
    formats: readFormats(found.fields('formats')),
    pool: found.whole('pool'),
    round: found.wholeOrNull('round'),
    atMs: found.whole('at_ms', 0, LAST_MS),
    wordings: found.list('wordings').map(readWording),
    yesBy: {
      labelled: yesBy.whole('labelled'),
      inherited: yesBy.whole('inherited'),
      scored: yesBy.whole('scored'),
    },
  };
  const { yes, no, unknown } = manifest.counts;
  const { labelled, inherited, scored } = manifest.yesBy;
  must(manifest.pool === yes + no + unknown, MANIFEST, 'its counts do not add up to its pool');
  must(manifest.images === yes, MANIFEST, 'images is not the number of yes');
  must(labelled + inherited + scored === yes, MANIFEST, 'yes_by does not add up to its images');
  const last = manifest.wordings.at(-1);
  must(last?.text === manifest.question, MANIFEST, 'the last wording is not the question');
  return manifest;
}

function readFiles(files: Fields): Manifest['files'] {
  const found: Manifest['files'] = new Map();
  for (const path of files.object.keys()) {
    const parts = path.split('/');
    const plain = !path.includes('\\') && parts.every((part) => part !== '' && part !== '.' && part !== '..');
    must(plain, MANIFEST, `${quoted(path)} is no path that a release may have`);
    const file = files.fields(path).only('bytes', 'sha256');
    found.set(path, { bytes: file.whole('bytes'), sha256: file.digest('sha256') });
  }
  return found;
}

function readFormats(formats: Fields): Manifest['formats'] {
  formats.only(...FORMATS);
  const found: Manifest['formats'] = new Map();
  for (const format of FORMATS) {
    if (!formats.has(format)) continue;
    const numbers = formats.fields(format).only(...NUMBERS[format]);
    found.set(format, Object.fromEntries(NUMBERS[format].map((name) => [name, numbers.whole(name)])));
  }
  return found;
}

function readWording(value: Json): Wording {
  const wording = Fields.of(value, MANIFEST, 'a wording').only('version', 'text', 'instructions', 'at_ms');
  return {
    text: wording.text('text'),
    instructions: wording.text('instructions'),
    atMs: wording.whole('at_ms', 0, LAST_MS),
  };
}
