/** pool.parquet: every image at the freeze; the three digests of the frozen description commit to it. */
import { DIGEST, Hash, ofHex } from './digest';
import { must } from './faults';
import type { Frozen } from './frozen';

export const POOL = 'pool.parquet';
export const POOL_COLUMNS = { id: 'string', rank: 'int64', unit: 'string', known: 'string' } as const;
export const POOL_NEEDED = ['id', 'rank', 'unit', 'known'] as const;
export interface PoolTable {
  id: (string | null)[];
  rank: (number | null)[];
  unit: (string | null)[];
  known: (string | null)[];
}

export interface Pool {
  /** The ids of the ranks, best first. */
  ranking: string[];
  rankOf: Map<string, number>;
  /** The unit of each image that is not its own. */
  unitOf: Map<string, string>;
  /** The label at the freeze of every image that had one, units and copies. */
  known: Map<string, string>;
  /** Every image, in the order of the table. */
  ids: string[];
}

const SAYS = new Set(['yes', 'no', 'unsure']);

/** Read the pool, and compare it with what was frozen. */
export function readPool(table: PoolTable, frozen: Frozen): Pool {
  const pool: Pool = { ranking: [], rankOf: new Map(), unitOf: new Map(), known: new Map(), ids: [] };
  const own = new Set<string>();
  let before = '';
  for (const [at, id] of table.id.entries()) {
    const [rank, unit, known] = [table.rank[at] ?? null, table.unit[at] ?? null, table.known[at] ?? null];
    must(id !== null && DIGEST.test(id), POOL, `the id of row ${at + 1} is no digest`);
    must(unit !== null, POOL, `row ${at + 1} has no unit`);
    must(known === null || SAYS.has(known), POOL, `the known label of row ${at + 1} is none of yes, no, unsure`);
    if (rank === null) {
      must(id > before, POOL, 'the rows without a rank are not in the order of their ids, each once');
      before = id;
    } else {
      must(rank === pool.ranking.length && before === '', POOL, 'the ranks are not 0, 1, 2, ... from the first row on');
      must(!pool.rankOf.has(id), POOL, 'an id is there twice');
      pool.rankOf.set(id, rank);
      pool.ranking.push(id);
    }
    if (unit === id) {
      must(
        (rank === null) !== (known === null),
        POOL,
        `the unit of row ${at + 1} has not either a rank or a known label`,
      );
      own.add(id);
    } else {
      must(rank === null, POOL, `row ${at + 1} is a copy with a rank`);
      pool.unitOf.set(id, unit);
    }
    if (known !== null) pool.known.set(id, known);
    pool.ids.push(id);
  }
  must(new Set(pool.ids).size === pool.ids.length, POOL, 'an id is there twice');
  for (const unit of pool.unitOf.values())
    must(own.has(unit), POOL, 'the unit of a copy is not its own unit in the pool');
  committed(pool, own.size, frozen);
  return pool;
}

/** The known labels of units only. */
export function* knownUnits(pool: Pool): Generator<[string, string]> {
  for (const entry of pool.known) if (!pool.unitOf.has(entry[0])) yield entry;
}

function committed(pool: Pool, units: number, frozen: Frozen): void {
  must(pool.ranking.length === frozen.n, POOL, 'it has not as many ranks as were frozen');
  must(units === frozen.units, POOL, 'it has not as many units as were frozen');
  const ranking = new Hash();
  for (const id of pool.ranking) ranking.add(ofHex(id));
  must(ranking.hex() === frozen.ranking, POOL, 'its ranking is not the one that was frozen');
  must(digestOf(pool.known) === frozen.known, POOL, 'its known labels are not those that were frozen');
  must(digestOf(pool.unitOf) === frozen.copies, POOL, 'its copies are not those that were frozen');
  const says = [...knownUnits(pool)].map(([, known]) => known);
  const yes = says.filter((known) => known === 'yes').length;
  const unsure = says.filter((known) => known === 'unsure').length;
  must(yes === frozen.knownYes, POOL, 'it has not as many known yes as were frozen');
  must(
    unsure === frozen.knownUnanswerable,
    POOL,
    'it has not as many known images that nobody can answer as were frozen',
  );
}

function digestOf(lines: Map<string, string>): string {
  const hash = new Hash();
  for (const [id, value] of [...lines].sort(([one], [other]) => (one < other ? -1 : 1))) hash.add(`${id} ${value}\n`);
  return hash.hex();
}
