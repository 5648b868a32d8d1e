/** evidence.parquet: what was answered and what holds today; and the evidence that the formulas take from both. */
import type { Certificate } from './certificate';
import { must } from './faults';
import type { Log } from './log';
import { knownUnits, type Pool } from './pool';

export const EVIDENCE = 'evidence.parquet';
export const EVIDENCE_COLUMNS = {
  id: 'string',
  rank: 'int64',
  stratum: 'string',
  first: 'string',
  now: 'string',
  source: 'string',
  purpose: 'string',
  votes: 'int32',
  word: 'string',
  accept_draw: 'int64',
  reject_draw: 'int64',
} as const;
/** The columns that count; `purpose` and `votes` are information only. */
export const EVIDENCE_NEEDED = [
  'id',
  'rank',
  'stratum',
  'first',
  'now',
  'source',
  'word',
  'accept_draw',
  'reject_draw',
] as const;
export interface EvidenceTable {
  id: (string | null)[];
  rank: (number | null)[];
  stratum: (string | null)[];
  first: (string | null)[];
  now: (string | null)[];
  source: (string | null)[];
  word: (string | null)[];
  accept_draw: (number | null)[];
  reject_draw: (number | null)[];
}

export const NO = 0;
export const YES = 1;
export const UNSURE = 2;
const SAYS = ['no', 'yes', 'unsure'];

export interface Today {
  /** The trusted label of today. */
  now: number | null;
  source: string | null;
}

export interface Evidence {
  /** e(k): the first label of a rank, 2 where that of today is another one or gone, undefined without an answer. */
  e: (rank: number) => number | undefined;
  /** The word of a rank, undefined where it is absent. */
  word: (rank: number) => number | undefined;
  /** What holds today of a rank that has a row. */
  today: Map<number, Today>;
  /** What holds today of an image without a rank that has a row, by its id. */
  todayOf: Map<string, Today>;
  /** Known units that the owner's check does not draw from, and that are not released. */
  heldBack: Set<string>;
  /** The ranks with an answer in the log, ascending. */
  answered: number[];
  Y: number;
  U: number;
  draws: { accept: Map<number, number>; reject: Map<number, number> };
}

/** Read the table, and compare it with log and pool. */
export function readEvidence(table: EvidenceTable, certificate: Certificate, pool: Pool, log: Log): Evidence {
  const { frozen } = certificate;
  const today = new Map<number, Today>();
  const todayOf = new Map<string, Today>();
  const draws = { accept: new Map<number, number>(), reject: new Map<number, number>() };
  let lastRank = -1;
  let lastId = '';
  for (const [at, id] of table.id.entries()) {
    const row = `row ${at + 1}`;
    const cell = <K extends keyof EvidenceTable>(name: K) => table[name][at] ?? null;
    const rank = table.rank[at] ?? null;
    const [first, word, now] = [codeOf(cell('first'), row), codeOf(cell('word'), row), codeOf(cell('now'), row)];
    const source = table.source[at] ?? null;
    must(id !== null, EVIDENCE, `${row} has no id`);
    sourced(now, source, frozen.truth, row);
    must(cell('stratum') === stratumOf(rank, certificate), EVIDENCE, `${row} is of another stratum`);
    if (rank === null) {
      must(id > lastId, EVIDENCE, 'the rows without a rank are not in the order of their ids, each once');
      lastId = id;
      const known = pool.known.get(id);
      must(
        first === (known === undefined ? null : SAYS.indexOf(known)),
        EVIDENCE,
        `the first label of ${row} is not that of the freeze`,
      );
      must(known !== undefined || (pool.unitOf.has(id) && now !== null), EVIDENCE, `${row} has no place in this table`);
      const blank = word === null && cell('accept_draw') === null && cell('reject_draw') === null;
      must(blank, EVIDENCE, `${row} has a word or a draw without a rank`);
      todayOf.set(id, { now, source });
      continue;
    }
    must(rank > lastRank && lastId === '', EVIDENCE, 'the rows are not in the order of their ranks, each once');
    lastRank = rank;
    must(pool.ranking[rank] === id, EVIDENCE, `${row} has not the id that its rank has in the pool`);
    must(first === (log.answers.get(rank) ?? null), EVIDENCE, `the first label of rank ${rank} is not that of the log`);
    must(word === (log.words.get(rank) ?? null), EVIDENCE, `the word of rank ${rank} is not that of the log`);
    must(first !== null || word !== null, EVIDENCE, `rank ${rank} has a row, but nothing in the log`);
    today.set(rank, { now, source });
    for (const urn of ['accept', 'reject'] as const) {
      const number = cell(`${urn}_draw`);
      if (typeof number === 'number') draws[urn].set(rank, number);
    }
  }
  for (const rank of [...log.answers.keys(), ...log.words.keys()]) {
    must(today.has(rank), EVIDENCE, `rank ${rank} is in the log, and has no row`);
  }
  for (const id of pool.known.keys()) must(todayOf.has(id), EVIDENCE, 'an image with a known label has no row');
  return evidenceOf(certificate, pool, log, { today, todayOf, draws });
}

function codeOf(text: unknown, row: string): number | null {
  if (text === null) return null;
  const code = SAYS.indexOf(String(text));
  must(code >= 0, EVIDENCE, `a label of ${row} is none of yes, no, unsure`);
  return code;
}

function sourced(now: number | null, source: string | null, truth: string, row: string): void {
  if (now === null) {
    must(source === null, EVIDENCE, `${row} has a source, and no label of today`);
    return;
  }
  const trusted = source === 'owner' || (truth === 'people' && source === 'adjudicated');
  must(trusted, EVIDENCE, `the label of today of ${row} is not from a source that this release trusts`);
}

function stratumOf(rank: number | null, { accepted, rejected }: Certificate): string {
  if (rank === null) return 'known';
  if (rank < accepted) return 'accepted';
  return rank < rejected ? 'middle' : 'rejected';
}

function evidenceOf(
  { frozen }: Certificate,
  pool: Pool,
  log: Log,
  found: Pick<Evidence, 'today' | 'todayOf' | 'draws'>,
): Evidence {
  const { today, todayOf } = found;
  const heldBack = new Set<string>();
  let [lost, opened, yesLost, notNo] = [0, 0, 0, 0];
  for (const [id, known] of knownUnits(pool)) {
    const { now = null, source = null } = todayOf.get(id) ?? {};
    const held = frozen.checkDelta > 0 && known !== 'yes' && now === YES && source !== 'owner';
    if (held) heldBack.add(id);
    if (known === 'yes' && now !== YES) lost += 1;
    if (known !== 'unsure' && (now === UNSURE || now === null || held)) opened += 1;
  }
  const corrected = new Set<number>();
  for (const [rank, first] of log.answers) {
    const now = today.get(rank)?.now ?? null;
    if (now === first) continue;
    corrected.add(rank);
    if (first === YES) yesLost += 1;
    if (now !== NO) notNo += 1;
  }
  return {
    ...found,
    heldBack,
    e: (rank) => (corrected.has(rank) ? UNSURE : log.answers.get(rank)),
    word: (rank) => log.words.get(rank),
    answered: [...log.answers.keys()].sort((one, other) => one - other),
    Y: frozen.knownYes - lost - yesLost,
    U: frozen.knownUnanswerable + opened + notNo,
  };
}
