/** Whether the files of the proof prove the claim: the method's calculations, its figures, and the sentences made from them. */
import { CERTIFICATE } from '../proof/certificate';
import { must, quoted } from '../proof/faults';
import type { Method } from '../proof/frozen';
import { close } from '../proof/numbers';
import { adjudicated } from './adjudicated';
import type { Case, Counts, Proven } from './case';
import { certified } from './certified';
import { everything } from './everything';
import { labels } from './labels';
import { ownerCheck } from './owner-check';
import { precision } from './precision';
import { recall } from './recall';
import { type Released, released, releasedImages } from './released';
import { sentences } from './sentences';

const PROVE: Record<Method, (one: Case) => Proven> = { certified, adjudicated, everything, precision, recall, labels };
/** The targets that a method promises. */
const PROMISED: Record<Method, { precision: boolean; recall: boolean }> = {
  certified: { precision: true, recall: true },
  adjudicated: { precision: true, recall: true },
  everything: { precision: true, recall: true },
  precision: { precision: true, recall: false },
  recall: { precision: false, recall: true },
  labels: { precision: true, recall: true }, // a recall of 0 is none
};
/** The figures that are floats: equal up to the rounding that the format allows. The others are whole, and equal exactly. */
const FLOATS = new Set(
  'accept_bound accept_delta reject_bound reject_delta yes_missed_rate no_missed_rate reject_share recall_at_least sure_yes precision_at_least check_delta'.split(
    ' ',
  ),
);

export interface Claim {
  words: string;
  counts: Counts;
  units: Released;
  delivered: number;
  /** Each released image, and the unit of which it is a copy. */
  images: Map<string, string | null>;
}

export function prove(one: Case): Claim {
  const { frozen, certificate } = one;
  const proven = PROVE[frozen.method](one);
  const before = released(one, proven);
  const check = frozen.checkDelta > 0 ? ownerCheck(one, before) : { counts: {}, units: before };
  const units = check.units;
  const delivered = units.ranks.size + units.known.size;
  const counts: Counts = {
    ...proven.counts,
    ...proven.reported?.(delivered),
    ...(frozen.gold ? { withheld: before.withheld } : {}),
    ...check.counts,
  };
  compare(one, counts);
  must(
    certificate.delivered === delivered,
    CERTIFICATE,
    `it delivers ${certificate.delivered} units, but its proof ${delivered}`,
  );
  const images = releasedImages(one, units);
  const words = sentences({
    frozen,
    counts,
    delivered,
    files: images.size,
    slips: one.slips,
    withheld: before.withheld,
  });
  must(certificate.words === words, CERTIFICATE, 'its sentences are not those that its figures give');
  return { words, counts, units, delivered, images };
}

function compare(one: Case, counts: Counts): void {
  const { certificate, frozen } = one;
  const { targets } = certificate;
  const promised = PROMISED[frozen.method];
  must(close(targets.delta, frozen.delta), CERTIFICATE, 'the delta of its result is not the one that was frozen');
  const targetsFit =
    same(targets.precision, promised.precision ? frozen.p : null) &&
    same(targets.recall, promised.recall && frozen.r > 0 ? frozen.r : null);
  must(targetsFit, CERTIFICATE, 'the targets of its result are not those that this method promises');
  const said = certificate.counts;
  said.only(...Object.keys(counts));
  for (const [name, value] of Object.entries(counts)) {
    const fits = FLOATS.has(name) ? close(said.real(name), value) : said.real(name) === value;
    must(fits, CERTIFICATE, `${quoted(name)} of its figures is recomputed as ${value}`);
  }
}

const same = (said: number | null, target: number | null): boolean =>
  said === null || target === null ? said === target : close(said, target);
