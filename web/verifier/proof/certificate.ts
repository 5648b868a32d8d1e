/** certificate.json: the claim, and where the prover stopped. */
import { must, Unreadable, Wrong } from './faults';
import { Fields } from './fields';
import { type Frozen, METHODS, readFrozen, TRUTHS } from './frozen';
import { canonical, type Json } from './json';

export const CERTIFICATE = 'certificate.json';

export interface Certificate {
  words: string;
  category: string;
  question: string;
  version: number;
  frozen: Frozen;
  /** The canonical JSON of `frozen`, to be compared with that of the log. */
  frozenText: string;
  accepted: number;
  rejected: number;
  delivered: number;
  /** The figures as the file says them. */
  counts: Fields;
  /** The targets as `result` says them. */
  targets: { precision: number | null; recall: number | null; delta: number };
  logHead: string;
}

/** Read it. A certificate of another format cannot be judged, one that certifies nothing proves nothing. */
export function readCertificate(value: Json): Certificate {
  if (!(value instanceof Map)) throw new Unreadable(CERTIFICATE, 'it is no certificate');
  const found = new Fields(value, CERTIFICATE, 'the certificate');
  if (value.get('certified') === false) {
    throw new Wrong(CERTIFICATE, 'it says that it certifies nothing: this release claims nothing that could be proven');
  }
  found.get('format');
  if (value.get('format') !== 2n) throw new Unreadable(CERTIFICATE, 'this page reads format 2 only');
  must(value.get('certified') === true, CERTIFICATE, 'it does not say whether it certifies anything');
  found.only(
    ...'format certified words method truth category question question_version epoch frozen result log_head round'.split(
      ' ',
    ),
  );
  const frozen = readFrozen(found.get('frozen'));
  must(found.oneOf('method', METHODS) === frozen.method, CERTIFICATE, 'method is another than that of frozen');
  must(found.oneOf('truth', TRUTHS) === frozen.truth, CERTIFICATE, 'truth is another than that of frozen');
  must(found.whole('epoch') === frozen.epoch + 1, CERTIFICATE, 'epoch is not the one after that of frozen');
  if (found.has('round')) found.wholeOrNull('round'); // information only
  const category = found.text('category');
  const named = /^[a-z0-9][a-z0-9._-]{0,63}$/.test(category) && !category.includes('..');
  must(named, CERTIFICATE, 'the category is no name that a category may have');
  const result = found
    .fields('result')
    .only(...'precision recall delta accepted rejected delivered asked counts'.split(' '));

  return {
    words: found.text('words'),
    category,
    question: found.text('question'),
    version: found.whole('question_version'),
    frozen,
    frozenText: canonical(found.get('frozen')),
    accepted: result.whole('accepted', 0, frozen.n),
    rejected: result.whole('rejected', 0, frozen.n),
    delivered: result.whole('delivered'),
    counts: result.fields('counts'),
    targets: {
      precision: result.realOrNull('precision'),
      recall: result.realOrNull('recall'),
      delta: result.real('delta'),
    },
    logHead: found.digest('log_head'),
  };
}
