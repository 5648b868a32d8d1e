/** The owner's check of a released set that people's answers have proven. */
import { Hash } from '../proof/digest';
import { NO, YES } from '../proof/evidence';
import { must, Wrong } from '../proof/faults';
import { LOG } from '../proof/log';
import { knownUnits } from '../proof/pool';
import { accepts, most, type Prior } from '../proof/urn';
import { type Case, type Counts, PROOF } from './case';
import type { Released } from './released';

const MOST_REJECTED = 30;

/** What the check says, and the released set without what it refutes. */
export function ownerCheck(one: Case, units: Released): { counts: Counts; units: Released } {
  const { frozen, log, n } = one;
  const attempt = log.checks.length - 1;
  const line = log.checks[attempt];
  if (line === undefined) throw new Wrong(LOG, 'it has no check of the owner');
  const yesAtFreeze = [...knownUnits(one.pool)]
    .filter(([, known]) => known === 'yes')
    .map(([id]) => id)
    .sort();
  const idOf = new Map(yesAtFreeze.map((id, at) => [n + at, id]));
  const places = [...units.ranks, ...[...idOf].filter(([, id]) => units.known.has(id)).map(([place]) => place)];
  places.sort((left, right) => left - right);
  const hash = new Hash();
  for (const place of places) hash.add(`${place}\n`);
  const same = line.size === places.length && line.sha256 === hash.hex();
  must(same, LOG, 'the set whose check began last is not the released set');

  const delta = (attempt === 0 ? 0.8 : 0.2 * 2 ** -attempt) * frozen.checkDelta;
  const code = (place: number): number => {
    const found = log.checked.get(place);
    if (found === undefined) throw new Wrong(LOG, `place ${place} was drawn for the owner's check and has no answer`);
    return found;
  };
  const drawn = one.said('check_drawn', places.length);
  const codes = one.drawn(`check|${attempt}`, places.length, drawn, (item) => places[item] ?? 0).map(code);
  const bad = codes.filter((answer) => answer !== YES).length;
  const precise = accepts(
    { size: places.length, drawn, bad },
    (1 - frozen.p) * places.length,
    priorOf(1 - frozen.p),
    delta,
  );
  must(precise, PROOF, "the owner's check does not prove the precision");

  const rejected: number[] = [];
  for (let rank = 0; rank < n; rank += 1) if (!units.ranks.has(rank)) rejected.push(rank);
  const asked = Math.min(MOST_REJECTED, rejected.length);
  const others = one
    .drawn(`check rejected|${attempt}`, rejected.length, asked, (item) => rejected[item] ?? 0)
    .map(code);
  const othersBad = others.filter((answer) => answer !== NO).length;
  const refuted = new Set(places.filter((place) => (log.checked.get(place) ?? YES) !== YES));
  return {
    counts: {
      check_attempt: attempt,
      check_size: places.length,
      check_drawn: drawn,
      check_bad: bad,
      check_delta: delta,
      check_rejected: rejected.length,
      check_rejected_drawn: asked,
      check_rejected_bad: othersBad,
      check_missed_at_most: most({ size: rejected.length, drawn: asked, bad: othersBad }, priorOf(0.02), delta),
    },
    units: {
      ...units,
      ranks: new Set([...units.ranks].filter((rank) => !refuted.has(rank))),
      known: new Set([...units.known].filter((id) => !refutedId(id))),
    },
  };

  function refutedId(id: string): boolean {
    const at = yesAtFreeze.indexOf(id);
    return at >= 0 && refuted.has(n + at);
  }
}

/** The prior for a share that is allowed to be bad. */
function priorOf(allowed: number): Prior {
  const q = Math.min(Math.max(0.12 * allowed, 1e-9), 0.3);
  return [
    [0.95, 1, (1 - q) / q],
    [0.05, 0.5, 0.5],
  ];
}
