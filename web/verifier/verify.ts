/**
 * The verdict on a release, recomputed from its files by docs/certificate-format.md alone. This is the third verifier: it shares no line
 * with the Python ones.
 */
import { Samples } from './files/archive';
import { CARD, card } from './files/card';
import {
  checkFolder,
  checkHashes,
  checkLayout,
  checkListed,
  type Directory,
  fileOf,
  isShard,
  SIGNATURE,
} from './files/layout';
import { linesOf } from './files/lines';
import { MANIFEST, type Manifest, readManifest } from './files/manifest';
import { readTable } from './files/parquet';
import { bytesOf, type Progress, Reader } from './files/reading';
import { checkTable, type ImageRow, TABLE, TABLE_COLUMNS, TABLE_NEEDED } from './files/table';
import { Case } from './methods/case';
import { type Claim, prove } from './methods/claim';
import { CERTIFICATE, type Certificate, readCertificate } from './proof/certificate';
import { EVIDENCE, EVIDENCE_COLUMNS, EVIDENCE_NEEDED, readEvidence } from './proof/evidence';
import { must, Unreadable, Wrong } from './proof/faults';
import { type Json, MOST_BYTES, parse, utf8 } from './proof/json';
import { LOG, LogReader } from './proof/log';
import { POOL, POOL_COLUMNS, POOL_NEEDED, readPool } from './proof/pool';
import { Slips } from './proof/slips';

export interface Fault {
  where: string;
  what: string;
}

export interface Verdict {
  answer: 'yes' | 'no' | 'cannot judge';
  /** The sentences that are proven; empty unless the answer is yes. */
  words: string;
  faults: Fault[];
  /** The figures, as they were recomputed. */
  figures: Record<string, number>;
  method: string;
  /** The digests of the first, the last and all lines of the log: to be compared with heads that were published. */
  heads: { first: string; last: string; all: string[] } | null;
  signed: boolean;
  files: number;
  bytes: number;
}

/** Told what is done now, and how much of the whole. */
export type Tell = (step: string, done: number, all: number) => void;

const MOST_FAULTS = 100;
const LARGEST_TABLE = 4 * 2 ** 30;

/** Judge a directory. */
export async function verify(directory: Directory, tell: Tell = () => undefined): Promise<Verdict> {
  return new Run(directory, tell).verdict();
}

class Run {
  private readonly faults: Fault[] = [];
  private unreadable = 0;
  private read = 0;
  private readonly all: number;
  private step = '';
  private heads: Verdict['heads'] = null;
  private figures: Verdict['figures'] = {};
  private method = '';
  private words = '';

  constructor(
    private readonly directory: Directory,
    private readonly tell: Tell,
  ) {
    this.all = [...directory.files.values()].reduce((total, file) => total + file.size, 0);
  }

  async verdict(): Promise<Verdict> {
    await this.attempt(() => this.judge());
    const { faults, directory } = this;
    const holds = faults.length === 0;
    return {
      answer: holds ? 'yes' : faults.length > this.unreadable ? 'no' : 'cannot judge',
      words: holds ? this.words : '',
      faults: faults.slice(0, MOST_FAULTS),
      figures: this.figures,
      method: this.method,
      heads: this.heads,
      signed: directory.files.has(SIGNATURE),
      files: directory.files.size,
      bytes: this.all,
    };
  }

  private async judge(): Promise<void> {
    const { directory } = this;
    this.begin('Reading the certificate');
    const certificate = readCertificate(await this.json(CERTIFICATE));
    this.method = certificate.frozen.method;
    const manifest = await this.attempt(async () => readManifest(await this.json(MANIFEST)));
    const proven = await this.attempt(() => this.proof(certificate));
    if (manifest === undefined) return;
    await this.attempt(() => checkLayout(directory, manifest));
    await this.attempt(() => checkListed(directory, manifest));
    const shards = [...directory.files.keys()].filter((path) => isShard(path, manifest.category)).sort();
    if (proven) await this.released(proven, manifest, shards);
    this.begin('Hashing the files');
    const rest = [...directory.files.keys()].filter((path) => path !== MANIFEST);
    await checkHashes(directory, manifest, rest, { progress: this.progress, wrong: (error) => this.note(error) });
  }

  /** The files of the proof, and what they prove. */
  private async proof(certificate: Certificate): Promise<{ one: Case; claim: Claim }> {
    this.begin('Reading the audit log');
    const reader = new LogReader(certificate);
    for await (const line of linesOf(fileOf(this.directory, LOG), LOG)) reader.line(line);
    const log = reader.done();
    this.heads = { first: log.first, last: log.head, all: log.heads };
    this.begin('Reading the pool and the evidence');
    const images = await readTable(this.table(POOL), POOL, POOL_COLUMNS, POOL_NEEDED);
    const pool = readPool(images.columns, certificate.frozen);
    const { columns } = await readTable(this.table(EVIDENCE), EVIDENCE, EVIDENCE_COLUMNS, EVIDENCE_NEEDED);
    const evidence = readEvidence(columns, certificate, pool, log);
    this.begin('Recomputing draws and bounds');
    await pause();
    const one = new Case(certificate, pool, log, evidence, Slips.of(certificate.frozen));
    const claim = prove(one);
    this.figures = claim.counts;
    this.words = claim.words;
    return { one, claim };
  }

  /** What else the release says and holds is what was proven. */
  private async released(
    { one, claim }: { one: Case; claim: Claim },
    manifest: Manifest,
    shards: string[],
  ): Promise<void> {
    const { directory } = this;
    await this.attempt(() => agree(manifest, one, claim));
    await this.attempt(async () => {
      const bytes = await bytesOf(fileOf(directory, CARD), CARD);
      sameText(bytes, card(manifest, one.frozen, claim.words, directory.files.has(SIGNATURE)));
    });
    let rows: Map<string, ImageRow> | null = null;
    if (manifest.formats.has('table')) {
      this.begin('Comparing the table of images');
      rows = (await this.attempt(() => this.images(one, claim, manifest))) ?? null;
    }
    if (manifest.formats.has('folder')) {
      await this.attempt(() => {
        checkFolder(directory, claim.images);
        must(
          manifest.formats.get('folder')?.images === claim.images.size,
          MANIFEST,
          'it gives another number of images for the format folder',
        );
      });
    }
    if (manifest.formats.has('webdataset')) await this.shards(claim, manifest, { shards, rows });
  }

  private async images(one: Case, claim: Claim, manifest: Manifest): Promise<Map<string, ImageRow>> {
    const { rows, columns } = await readTable(this.table(TABLE), TABLE, TABLE_COLUMNS, TABLE_NEEDED);
    must(rows === manifest.pool, TABLE, 'it has not as many rows as the manifest says of the pool');
    must(
      manifest.formats.get('table')?.rows === rows,
      MANIFEST,
      'it gives another number of rows for the format table',
    );
    return checkTable(columns, one, claim, manifest);
  }

  private async shards(
    claim: Claim,
    manifest: Manifest,
    { shards, rows }: { shards: string[]; rows: Map<string, ImageRow> | null },
  ): Promise<void> {
    this.begin('Reading the WebDataset');
    const samples = new Samples(claim.images, rows);
    for (const path of shards) {
      await this.attempt(() => samples.shard(new Reader(fileOf(this.directory, path), path), path));
    }
    await this.attempt(() => {
      samples.done('webdataset/');
      const numbers = manifest.formats.get('webdataset');
      const same = numbers?.samples === claim.images.size && numbers?.shards === shards.length;
      must(same, MANIFEST, 'it gives other numbers for the format webdataset');
    });
  }

  private async json(path: string): Promise<Json> {
    const file = fileOf(this.directory, path);
    if (file.size > MOST_BYTES) throw new Unreadable(path, 'it is larger than 64 MiB');
    return parse(utf8(await bytesOf(file, path), path), path);
  }

  private table(path: string): Blob {
    const file = fileOf(this.directory, path);
    if (file.size > LARGEST_TABLE) throw new Unreadable(path, 'it is too large for a browser');
    return file;
  }

  private begin(step: string): void {
    this.step = step;
    this.tell(step, this.read, this.all);
  }

  private readonly progress: Progress = (bytes) => {
    this.read += bytes;
    this.tell(this.step, this.read, this.all);
  };

  /** Do one part; what is wrong in it is noted, and the other parts are still looked at. */
  private async attempt<T>(part: () => T | Promise<T>): Promise<T | undefined> {
    try {
      return await part();
    } catch (error) {
      this.note(error);
      return undefined;
    }
  }

  private note(error: unknown): void {
    if (error instanceof Unreadable) this.unreadable += 1;
    else if (!(error instanceof Wrong)) {
      this.unreadable += 1;
      this.faults.push({
        where: 'this page',
        what: `it failed: ${error instanceof Error ? error.message : String(error)}`,
      });
      return;
    }
    this.faults.push({ where: error.where, what: error.what });
  }
}

/** Let the browser draw before a long calculation. */
const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));

/** What the manifest says is what the certificate says and proves. */
function agree(manifest: Manifest, { certificate, log, pool }: Case, claim: Claim): void {
  const { category, question, version } = certificate;
  const same = manifest.category === category && manifest.question === question && manifest.version === version;
  must(same, MANIFEST, 'its category or question is not that of the certificate');
  const asked = manifest.wordings.some(({ text }) => text === log.question);
  must(asked, MANIFEST, 'the question of the log is none of its wordings');
  must(manifest.images === claim.images.size, MANIFEST, 'it gives another number of released images than the proof');
  must(manifest.pool >= pool.ids.length, MANIFEST, 'its pool is smaller than the one that was frozen');
}

function sameText(bytes: Uint8Array, made: string): void {
  const found = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes); // the manifest's hash tells what is no UTF-8
  if (found === made) return;
  const [lines, wanted] = [found.split('\n'), made.split('\n')];
  const at = wanted.findIndex((line, place) => line !== lines[place]);
  throw new Wrong(CARD, `line ${(at < 0 ? wanted.length : at) + 1} is not what the manifest and the proof say`);
}
