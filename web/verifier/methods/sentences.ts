/** The sentences of the certificate, made from the recomputed figures. */
import type { Frozen } from '../proof/frozen';
import { ceil4, counted, cut4, tenDigits } from '../proof/numbers';
import type { Slips } from '../proof/slips';
import type { Counts } from './case';

export interface Figures {
  frozen: Frozen;
  counts: Counts;
  delivered: number;
  files: number;
  slips: Slips;
  withheld: number;
}

export function sentences(of: Figures): string {
  return [claim(of), similar(of), truth(of), ...check(of), ...withheld(of)].join(' ');
}

/** The UTC day of a moment, as YYYY-MM-DD. */
export const day = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

function figure(counts: Counts, name: string): number {
  return counts[name] ?? 0;
}

function claim({ frozen, counts, delivered }: Figures): string {
  const pool = `this pool of ${counted(frozen.units)} images as frozen on ${day(frozen.atMs)}`;
  const answers = frozen.truth === 'people' ? 'adjudicated answers' : "the owner's answers";
  const confidence = `With confidence ${tenDigits(1 - frozen.delta)}, by ${answers}`;
  const [p, r, images] = [tenDigits(frozen.p), tenDigits(frozen.r), counted(delivered)];
  if (frozen.method === 'everything') {
    const open = figure(counts, 'unanswerable');
    const nobody = open === 1 ? 'image that nobody could answer is' : 'images that nobody could answer are';
    const left = open ? `; ${counted(open)} ${nobody} not released` : '';
    const what = delivered
      ? `the ${images} released images are all of its yes`
      : 'it contains no yes, so the released set is empty';
    return `Every image of ${pool} was labelled by people: by these answers ${what}${left}.`;
  }
  if (frozen.method === 'precision') {
    const proven = tenDigits(cut4(1 - figure(counts, 'reject_delta')));
    const least = tenDigits(figure(counts, 'recall_at_least'));
    return `${confidence}: at least ${p} of the ${images} released images are yes. If so, they are, with confidence ${proven}, at least ${least} of all yes of ${pool}; this method has no recall target.`;
  }
  if (delivered === 0 && frozen.r > 0) return `${confidence}: ${pool} contains no yes, so the released set is empty.`;
  if (frozen.method === 'recall') {
    const least = tenDigits(figure(counts, 'precision_at_least'));
    return `${confidence}: at least ${r} of all yes of ${pool} are among the ${images} released images, of which then at least ${least} are yes; this method has no precision target.`;
  }
  const released = `at least ${p} of the ${images} released images are yes`;
  if (frozen.method === 'labels') {
    const base = figure(counts, 'base');
    const untouched = frozen.units === frozen.n && base === frozen.ladder[0]?.rank;
    const called = untouched
      ? `at least ${p} of the ${counted(base)} images that the labels call yes are yes, and `
      : '';
    const [drawn, bad, otherDrawn, otherBad] = ['accept_drawn', 'accept_bad', 'reject_drawn', 'reject_bad'].map(
      (name) => counted(figure(counts, name)),
    );
    const seen = `Of ${drawn} images drawn from those that the labels call yes, ${bad} were not yes`;
    if (frozen.r === 0) return `${confidence}: ${called}${released}; no recall is promised. ${seen}.`;
    const others = `of ${otherDrawn} drawn from the others, ${otherBad} were not no`;
    return `${confidence}: ${called}${released}, and they are at least ${r} of all yes of ${pool}. ${seen}; ${others}.`;
  }
  return `${confidence}: ${released}, and they are at least ${r} of all yes of ${pool}.`;
}

function similar({ files }: Figures): string {
  return `Similar images count once: ${counted(files)} ${files === 1 ? 'file is' : 'files are'} released.`;
}

const TOGETHER = 'an image on which most annotators make the same error is not counted as an error';

function truth({ frozen, slips }: Figures): string {
  const { gold } = frozen;
  if (frozen.method === 'everything') {
    return `The answer of annotators who agree, else the adjudicated one, is taken as the truth: ${TOGETHER}.`;
  }
  if (frozen.truth === 'owner') return "The owner's answers are taken as the truth.";
  if (gold === null) return `The adjudicated answers are taken as the truth: ${TOGETHER}.`;
  const [yes, no] = [tenDigits(ceil4(slips.yes)), tenDigits(ceil4(slips.no))];
  return `Independent errors of adjudication are counted, on at most ${yes} of the yes and ${no} of the no, as measured on ${counted(gold.yesShown)} and ${counted(gold.noShown)} gold images, ${counted(gold.audited)} of them drawn at random by earlier audits; ${TOGETHER}.`;
}

function check({ frozen, counts }: Figures): string[] {
  if (frozen.checkDelta <= 0) return [];
  const [drawn, size, bad, rejectedDrawn, rejectedBad, atMost, rejected] = [
    'check_drawn',
    'check_size',
    'check_bad',
    'check_rejected_drawn',
    'check_rejected_bad',
    'check_missed_at_most',
    'check_rejected',
  ].map((name) => counted(figure(counts, name)));
  const confidence = tenDigits(cut4(1 - figure(counts, 'check_delta')));
  return [
    `The owner checked ${drawn} of the ${size} images that people had proven so, drawn at random, and ${bad} were not yes: by the owner's answers at least ${tenDigits(frozen.p)} of the released images are yes, whatever errors annotators make together. Of ${rejectedDrawn} rejected images ${rejectedBad} were not no: with confidence ${confidence}, at most ${atMost} of the ${rejected} are yes.`,
  ];
}

function withheld({ withheld: count }: Figures): string[] {
  if (count === 0) return [];
  const people = count === 1 ? 'image that people called yes is' : 'images that people called yes are';
  return [`${counted(count)} further ${people} withheld: so many of them may be errors that the claim would not hold.`];
}
