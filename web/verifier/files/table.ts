/** images.parquet: the whole pool of today, decided or not. */
import type { Case } from '../methods/case';
import type { Claim } from '../methods/claim';
import { DIGEST } from '../proof/digest';
import { must } from '../proof/faults';
import type { Manifest } from './manifest';

export const TABLE = 'images.parquet';
export const TABLE_COLUMNS = {
  id: 'string',
  alias: 'string',
  url: 'string',
  width: 'int32',
  height: 'int32',
  score: 'float32',
  decision: 'string',
  votes: 'int32',
  votes_yes: 'int32',
  votes_no: 'int32',
  label: 'string',
  label_source: 'string',
  label_purpose: 'string',
  similar_to: 'string',
  inherited: 'bool',
  source: 'string',
  licence: 'string',
  query: 'string',
  round: 'int32',
} as const;
export const TABLE_NEEDED = [
  'id',
  'decision',
  'similar_to',
  'inherited',
  'label',
  'label_source',
  'width',
  'height',
  'score',
] as const;

export interface ImagesTable {
  id: (string | null)[];
  decision: (string | null)[];
  similar_to: (string | null)[];
  inherited: (boolean | null)[];
  label: (string | null)[];
  label_source: (string | null)[];
  width: (number | null)[];
  height: (number | null)[];
  score: (number | null)[];
}

/** What the table says of a released image, for the samples of the WebDataset. */
export interface ImageRow {
  width: number | null;
  height: number | null;
  score: number | null;
  inherited: boolean;
}

const SAYS = ['no', 'yes', 'unsure'];

/** Compare the table with the released set, the labels of today and the manifest. */
export function checkTable(table: ImagesTable, one: Case, claim: Claim, manifest: Manifest): Map<string, ImageRow> {
  const { pool, evidence, frozen } = one;
  const released = new Map<string, ImageRow>();
  const seen = new Set<string>();
  const counts = { yes: 0, no: 0, unknown: 0 };
  const by = { labelled: 0, inherited: 0, scored: 0 };
  for (const [at, id] of table.id.entries()) {
    const row = `row ${at + 1}`;
    must(id !== null && DIGEST.test(id), TABLE, `the id of ${row} is no digest`);
    must(!seen.has(id), TABLE, `the id of ${row} is there twice`);
    seen.add(id);
    const decision = table.decision[at];
    must(
      decision === 'yes' || decision === 'no' || decision === 'unknown',
      TABLE,
      `the decision of ${row} is none of yes, no, unknown`,
    );
    counts[decision] += 1;
    const label = table.label[at] ?? null;
    const source = table.label_source[at] ?? null;
    must(
      label === null ? source === null : SAYS.includes(label),
      TABLE,
      `${row} has a label that is none, or a source without one`,
    );
    const trusted = source === 'owner' || (frozen.truth === 'people' && source === 'adjudicated');
    const rank = pool.rankOf.get(id);
    const inPool = rank !== undefined || pool.unitOf.has(id) || pool.known.has(id);
    const now = (rank === undefined ? evidence.todayOf.get(id) : evidence.today.get(rank))?.now ?? null;
    if (inPool) {
      const same = trusted ? now !== null && label === SAYS[now] : now === null;
      must(same, TABLE, `the label of ${row} is not that of today by the evidence`);
    }
    const unit = claim.images.get(id);
    must(
      (decision === 'yes') === (unit !== undefined),
      TABLE,
      `${row} is ${decision}, but by the proof it is ${unit === undefined ? 'not ' : ''}released`,
    );
    if (unit === undefined) continue;
    must(
      (table.similar_to[at] ?? null) === unit,
      TABLE,
      `${row} is not told to be a copy of the image that it is a copy of`,
    );
    const inherited = unit !== null && now === null;
    must(table.inherited[at] === inherited, TABLE, `inherited of ${row} is not ${inherited}`);
    by[inherited ? 'inherited' : label !== null ? 'labelled' : 'scored'] += 1;
    const { width, height, score } = table;
    released.set(id, { width: width[at] ?? null, height: height[at] ?? null, score: score[at] ?? null, inherited });
  }
  for (const id of pool.ids) must(seen.has(id), TABLE, 'an image of the pool is not in it');
  must(released.size === claim.images.size, TABLE, 'a released image is not in it');
  for (const name of ['yes', 'no', 'unknown'] as const) {
    must(counts[name] === manifest.counts[name], TABLE, `it has not as many ${name} as the manifest says`);
  }
  for (const name of ['labelled', 'inherited', 'scored'] as const) {
    must(by[name] === manifest.yesBy[name], TABLE, `yes_by of the manifest gives another number for ${name}`);
  }
  return released;
}
