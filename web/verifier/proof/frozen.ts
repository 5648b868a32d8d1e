/** The frozen description: all that was fixed before the first draw. */
import { must, Wrong } from './faults';
import { Fields } from './fields';
import type { Json } from './json';
import type { Prior } from './urn';

export const METHODS = ['certified', 'adjudicated', 'everything', 'precision', 'recall', 'labels'] as const;
export type Method = (typeof METHODS)[number];
export const TRUTHS = ['people', 'owner'] as const;
export type Truth = (typeof TRUTHS)[number];

export interface Rung {
  rank: number;
  acceptDelta: number;
  rejectDelta: number;
}

export interface Gold {
  yesShown: number;
  yesMissed: number;
  noShown: number;
  noMissed: number;
  audited: number;
}

export interface Frozen {
  method: Method;
  p: number;
  r: number;
  delta: number;
  epoch: number;
  seed: string;
  ranking: string;
  known: string;
  copies: string;
  /** The number of ranks, `n` in the formulas. */
  n: number;
  knownYes: number;
  knownUnanswerable: number;
  units: number;
  truth: Truth;
  atMs: number;
  ladder: Rung[];
  rejectFrom: number;
  acceptPrior: Prior;
  rejectPrior: Prior;
  looks: number;
  adjudicated: number;
  gold: Gold | null;
  checkDelta: number;
}

const WHERE = 'certificate.json';
const NEEDED =
  'format method promise epoch seed ranking known copies ranks known_yes known_unanswerable units truth at_ms ladder reject_from accept_prior reject_prior looks adjudicated gold check_delta';
const PLAN_ONLY = 'batch answers recall_answers curve said_no';
const MOST_PARTS = 100;
/** The last moment that a date can tell: the year 9999. */
export const LAST_MS = 253_402_300_799_999;

/** Read the description. */
export function readFrozen(value: Json | undefined): Frozen {
  const found = Fields.of(value, WHERE, 'frozen').only(...NEEDED.split(' '), ...PLAN_ONLY.split(' '));
  must(found.whole('format') === 2, WHERE, 'frozen is not of format 2');
  const promise = found.fields('promise').only('precision', 'recall', 'delta');
  const [p, r, delta] = [promise.real('precision'), promise.real('recall'), promise.real('delta')];
  const method = found.oneOf('method', METHODS);
  const least = method === 'labels' ? 0 : Number.MIN_VALUE; // labels may be audited for their precision alone
  const possible = p > 0 && p <= 1 && r >= least && r <= 1;
  must(possible, WHERE, 'a target of frozen.promise is not above 0 and at most 1');
  must(delta > 0 && delta < 0.5, WHERE, 'delta of frozen.promise is not above 0 and below 0.5');
  const n = found.whole('ranks', 0, 2 ** 40);
  const frozen: Frozen = {
    method,
    p,
    r,
    delta,
    epoch: found.whole('epoch', 0, 10_000),
    seed: found.digest('seed'),
    ranking: found.digest('ranking'),
    known: found.digest('known'),
    copies: found.digest('copies'),
    n,
    knownYes: found.whole('known_yes'),
    knownUnanswerable: found.whole('known_unanswerable'),
    units: found.whole('units'),
    truth: found.oneOf('truth', TRUTHS),
    atMs: found.whole('at_ms', 0, LAST_MS),
    ladder: readLadder(found.list('ladder'), n),
    rejectFrom: found.whole('reject_from', 0, n),
    acceptPrior: readPrior(found.fields('accept_prior'), 'frozen.accept_prior'),
    rejectPrior: readPrior(found.fields('reject_prior'), 'frozen.reject_prior'),
    looks: found.whole('looks'),
    adjudicated: found.whole('adjudicated'),
    gold: readGold(found),
    checkDelta: found.real('check_delta'),
  };
  must(frozen.checkDelta >= 0, WHERE, 'frozen.check_delta is below 0');
  const ofPeople = frozen.method === 'adjudicated' || frozen.method === 'everything';
  must(!ofPeople || frozen.truth === 'people', WHERE, `the method ${frozen.method} rests on the answers of people`);
  const checked = ['certified', 'adjudicated', 'precision'].includes(frozen.method);
  must(checked || frozen.checkDelta === 0, WHERE, `the method ${frozen.method} has no check of the owner`);
  return frozen;
}

function readLadder(list: Json[], n: number): Rung[] {
  const ladder = list.map((one) => {
    const rung = Fields.of(one, WHERE, 'a rung of frozen.ladder').only('rank', 'accept_delta', 'reject_delta');
    return {
      rank: rung.whole('rank', 0, n),
      acceptDelta: rung.real('accept_delta'),
      rejectDelta: rung.real('reject_delta'),
    };
  });
  must(ladder.length > 0, WHERE, 'frozen.ladder has no rung');
  for (const [at, { rank, acceptDelta, rejectDelta }] of ladder.entries()) {
    const before = ladder[at - 1];
    must(before === undefined || before.rank > rank, WHERE, 'the ranks of frozen.ladder do not descend');
    const fit = [acceptDelta, rejectDelta].every((delta) => delta >= 0 && delta <= 0.5);
    must(fit, WHERE, 'a delta of frozen.ladder is not from 0 to 0.5');
  }
  return ladder;
}

function readPrior(prior: Fields, name: string): Prior {
  const parts = prior.only('parts').list('parts');
  must(parts.length <= MOST_PARTS, WHERE, `${name} has more than ${MOST_PARTS} parts`);
  const read = parts.map((part): readonly [number, number, number] => {
    const numbers = Array.isArray(part) ? part : [];
    const [weight, a, b] = numbers.map((one) =>
      typeof one === 'number' || typeof one === 'bigint' ? Number(one) : NaN,
    );
    const fit = numbers.length === 3 && weight !== undefined && a !== undefined && b !== undefined;
    if (!fit || !(weight >= 0 && a > 0 && b > 0)) {
      throw new Wrong(WHERE, `a part of ${name} is not a weight of at least 0 and two numbers above 0`);
    }
    return [weight, a, b];
  });
  const sum = read.reduce((total, [weight]) => total + weight, 0);
  must(sum > 0, WHERE, `no part of ${name} has a weight`);
  must(sum <= 1 + 1e-9, WHERE, `the weights of ${name} are more than 1 together`);
  return read;
}

function readGold(frozen: Fields): Gold | null {
  if (frozen.get('gold') === null) return null;
  const gold = frozen.fields('gold').only('yes_shown', 'yes_missed', 'no_shown', 'no_missed', 'audited');
  return {
    yesShown: gold.whole('yes_shown'),
    yesMissed: gold.whole('yes_missed'),
    noShown: gold.whole('no_shown'),
    noMissed: gold.whole('no_missed'),
    audited: gold.whole('audited'),
  };
}

/** What of delta this freeze may use, less the owner's check: `D`. Freeze 0 has 0.85 of it, the later ones share the rest. */
export function deltaOf(frozen: Frozen): number {
  const share = frozen.epoch === 0 ? 0.85 : 0.15 * 2 ** -frozen.epoch;
  return share * frozen.delta - frozen.checkDelta;
}

/** What the audits may use of it: `A`. With gold the slips need a tenth. */
export const deltaOfAudits = (frozen: Frozen): number => (frozen.gold ? 0.9 : 1) * deltaOf(frozen);
