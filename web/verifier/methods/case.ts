/** What a method reads: the frozen description, the answers, and where the prover stopped. */
import type { Certificate } from '../proof/certificate';
import { draws, ofHex } from '../proof/digest';
import { EVIDENCE, type Evidence } from '../proof/evidence';
import { must, Wrong } from '../proof/faults';
import { deltaOfAudits, type Frozen, type Rung } from '../proof/frozen';
import type { Log } from '../proof/log';
import type { Pool } from '../proof/pool';
import type { Slips } from '../proof/slips';

export const PROOF = 'the proof';

export type Counts = Record<string, number>;

/** What a method has proven, before it is known how much is released. */
export interface Proven {
  counts: Counts;
  /** Whether a rank is in the accepted set: released as it is, unless its label of today is not yes. */
  accepts: (rank: number) => boolean;
  /** Whether a rank was looked at one by one, which the bounds allow slips for. */
  single: (rank: number) => boolean;
  /** The figures that need the number of released units. */
  reported?: (delivered: number) => Counts;
}

export class Case {
  readonly seed: Uint8Array;

  constructor(
    readonly certificate: Certificate,
    readonly pool: Pool,
    readonly log: Log,
    readonly evidence: Evidence,
    readonly slips: Slips,
  ) {
    this.seed = ofHex(certificate.frozen.seed);
  }

  get frozen(): Frozen {
    return this.certificate.frozen;
  }

  get n(): number {
    return this.frozen.n;
  }

  get accepted(): number {
    return this.certificate.accepted;
  }

  get rejected(): number {
    return this.certificate.rejected;
  }

  /** The highest rung. */
  get top(): Rung {
    const [first] = this.frozen.ladder;
    if (first === undefined) throw new Wrong(PROOF, 'the ladder has no rung');
    return first;
  }

  /** A rank that must have evidence. */
  evidenceOf(rank: number): number {
    const found = this.evidence.e(rank);
    if (found === undefined) throw new Wrong(PROOF, `rank ${rank} has no first answer, but the proof needs one`);
    return found;
  }

  /** How many ranks of [from, to) have evidence that `fits`. */
  count(from: number, to: number, fits: (e: number, rank: number) => boolean = () => true): number {
    let found = 0;
    for (const rank of this.evidence.answered) {
      if (rank >= from && rank < to && fits(this.evidenceOf(rank), rank)) found += 1;
    }
    return found;
  }

  /** Every rank of [from, to) has evidence. */
  complete(from: number, to: number, name: string): void {
    must(this.count(from, to) === Math.max(to - from, 0), PROOF, `not every rank of ${name} has a first answer`);
  }

  /** A whole number that the certificate says and that is not recomputed. */
  said(name: string, largest: number): number {
    return this.certificate.counts.whole(name, 0, largest);
  }

  /** The ranks that an audit drew, in order: the first `count` of a stage, whose items are these. */
  drawn(stage: string, size: number, count: number, rankOf: (item: number) => number): number[] {
    must(count <= size, PROOF, `it says that more was drawn from ${stage} than there is`);
    return draws(this.seed, stage, size, count).map(rankOf);
  }

  /** The numbers of the draws in the table of evidence are these, and each has evidence. */
  numbered(urn: 'accept' | 'reject', ranks: number[]): void {
    const numbers = this.evidence.draws[urn];
    for (const [at, rank] of ranks.entries()) {
      this.evidenceOf(rank);
      must(
        numbers.get(rank) === at,
        EVIDENCE,
        `rank ${rank} was draw ${at} of the ${urn} audit, but the table says otherwise`,
      );
    }
    must(numbers.size === ranks.length, EVIDENCE, `it numbers other draws of the ${urn} audit than were made`);
  }

  /** What the ladder spends is allowed, up to a relative error of 1e-6. */
  spends(delta: number): void {
    must(
      delta <= deltaOfAudits(this.frozen) * (1 + 1e-6),
      PROOF,
      'the ladder spends more of delta than this freeze may',
    );
  }

  /** The place of the rung that was accepted. */
  rung(): number {
    const at = this.frozen.ladder.findIndex(({ rank }) => rank === this.accepted);
    must(at >= 0, PROOF, 'accepted is the rank of no rung');
    return at;
  }
}

export const sum = (numbers: number[]): number => numbers.reduce((total, one) => total + one, 0);
export const largest = (numbers: number[]): number => Math.max(0, ...numbers);

/** (1-r)/r times x. */
export const missable = (r: number, x: number): number => ((1 - r) / r) * x;
