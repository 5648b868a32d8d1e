/** The verdict as a part of the page. Whatever a release says is shown as text, never as HTML. */
import { counted, tenDigits } from './proof/numbers';
import type { Verdict } from './verify';

const SIGNS: Record<Verdict['answer'], string> = {
  yes: 'M5 12.5l4.5 4.5L19 7.5',
  no: 'M6 6l12 12M18 6L6 18',
  'cannot judge': 'M12 6v7M12 17.5v.1',
};
const TITLES: Record<Verdict['answer'], string> = {
  yes: 'Yes: this release proves its claim',
  no: 'No: this release does not prove its claim',
  'cannot judge': 'This cannot be judged',
};
/** What the figures of the certificate are, in words. */
const FIGURES: Record<string, string> = {
  base: 'Images counted as yes',
  middle: 'Images of the middle, all labelled',
  middle_yes: 'Yes among them',
  attempt: 'Attempt',
  singles: 'Images adjudicated one by one',
  adjudicated: 'Images adjudicated one by one',
  unanswerable: 'Images that nobody could answer',
  accept_size: 'Images of the accepted set',
  accept_drawn: 'Drawn from the accepted',
  accept_bad: 'Not yes among them',
  accept_bound: 'Proven: at most so many not yes',
  accept_delta: 'Delta of this audit',
  reject_drawn: 'Drawn from the rejected',
  reject_bad: 'Yes among them',
  reject_unanswerable: 'Unanswerable among them',
  reject_bound: 'Proven: at most so many yes missed',
  reject_delta: 'Delta of that audit',
  rung: 'Rank from which the rejected are drawn',
  sure_yes: 'Yes that are surely there',
  recall_at_least: 'Recall, reported',
  precision_at_least: 'Precision, reported',
  yes_missed_rate: 'Yes called no, at most',
  no_missed_rate: 'No called yes, at most',
  refuted_at_most: 'Refuted images allowed for',
  reject_share: 'Share of delta for that',
  withheld: 'Yes that are withheld',
  check_attempt: "Attempt of the owner's check",
  check_size: 'Images that the owner drew from',
  check_drawn: 'Drawn by the owner',
  check_bad: 'Not yes by the owner',
  check_delta: "Delta of the owner's check",
  check_rejected: 'Rejected images',
  check_rejected_drawn: 'Drawn of them by the owner',
  check_rejected_bad: 'Not no by the owner',
  check_missed_at_most: 'Yes among the rejected, at most',
};
const UNKNOWABLE = [
  'Whether the answers are true: they are taken as the truth, as the sentence says.',
  'Whether seed, ranking and plan were fixed before the first answer: compare the log with a head that was published.',
  'Whether the category was certified before, or has other releases.',
  'Whether gold was asked as it says, and which labels are the owner’s.',
  'Whether the pool is the one that you mean: its images are in pool.parquet.',
];

type Child = Node | string;

function element<K extends keyof HTMLElementTagNameMap>(
  name: K,
  properties: Partial<HTMLElementTagNameMap[K]> = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

export function shown(verdict: Verdict, name: string): Child[] {
  const kind = verdict.answer === 'cannot judge' ? 'cannot' : verdict.answer;
  const title = element('h2', {}, TITLES[verdict.answer]);
  const parts: Child[] = [element('div', { className: `answer ${kind}` }, sign(verdict.answer), title)];
  if (name) parts.push(element('p', { className: 'quiet' }, `${name}: ${about(verdict)}`));
  if (verdict.answer === 'yes') parts.push(element('p', { className: 'claim' }, verdict.words));
  else parts.push(...faults(verdict));
  if (verdict.heads) parts.push(log(verdict.heads));
  if (verdict.signed) parts.push(signature());
  if (verdict.answer === 'yes') parts.push(figures(verdict));
  const unknowable = UNKNOWABLE.map((line) => element('li', {}, line));
  parts.push(
    element('details', {}, element('summary', {}, 'What no verifier can know'), element('ul', {}, ...unknowable)),
  );
  return parts;
}

function sign(answer: Verdict['answer']): SVGElement {
  const [svg, path] = ['svg', 'path'].map((name) => document.createElementNS('http://www.w3.org/2000/svg', name));
  path?.setAttribute('d', SIGNS[answer]);
  for (const [key, value] of [
    ['viewBox', '0 0 24 24'],
    ['width', '32'],
    ['height', '32'],
    ['aria-hidden', 'true'],
  ]) {
    svg?.setAttribute(key ?? '', value ?? '');
  }
  if (path) svg?.append(path);
  return svg as SVGElement;
}

const about = ({ files, bytes }: Verdict): string =>
  `${counted(files)} ${files === 1 ? 'file' : 'files'}, ${size(bytes)}`;

/** A number of bytes, for people. */
export function size(bytes: number): string {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB'];
  let [value, unit] = [bytes, 0];
  while (value >= 1000 && unit < units.length - 1) [value, unit] = [value / 1000, unit + 1];
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}

function faults({ answer, faults: all }: Verdict): Child[] {
  const lines = all.map(({ where, what }) => element('li', {}, element('code', {}, where), `: ${what}.`));
  const next =
    answer === 'cannot judge'
      ? [element('p', {}, 'Next: choose the folder of a release, the one with its certificate.json.')]
      : [];
  return [element('ul', { className: 'faults' }, ...lines), ...next];
}

/** The head of the log, and a field that compares it with one that was published. */
function log({ first, last, all }: NonNullable<Verdict['heads']>): Child {
  const input = element('input', { type: 'text', id: 'head', spellcheck: false, autocomplete: 'off' });
  const said = element('p', { role: 'status' });
  input.addEventListener('input', () => {
    const wanted = input.value.trim().toLowerCase();
    const at = all.indexOf(wanted);
    if (!/^[0-9a-f]{64}$/.test(wanted)) said.textContent = wanted ? 'A head has 64 hexadecimal digits.' : '';
    else if (at < 0)
      said.textContent = 'No: the log has no line with this head, so it is another log than the published one.';
    else said.textContent = `Yes: this is the head of line ${counted(at + 1)} of ${counted(all.length)} of this log.`;
  });
  return element(
    'details',
    {},
    element('summary', {}, 'Compare with a head that was published'),
    element('p', {}, 'Only a head that was published before tells that the log was not written anew.'),
    element('p', { className: 'digest' }, `first line ${first}`),
    element('p', { className: 'digest' }, `last line ${last}`),
    element('label', { htmlFor: 'head' }, 'Published head'),
    input,
    said,
  );
}

function signature(): Child {
  const command = element('code', {}, 'thresher verify FOLDER --signers FILE');
  return element(
    'p',
    { className: 'quiet' },
    'The log is signed. This page does not know whose keys you trust; ',
    command,
    ' does.',
  );
}

function figures({ figures: all, method }: Verdict): Child {
  const rows = Object.entries(all).map(([name, value]) =>
    element(
      'tr',
      {},
      element('th', { scope: 'row' }, FIGURES[name] ?? name),
      element('td', {}, Number.isInteger(value) ? counted(value) : tenDigits(Number(value.toPrecision(6)))),
    ),
  );
  const body = element('table', {}, element('tbody', {}, ...rows));
  return element(
    'details',
    {},
    element('summary', {}, 'The figures, as recomputed'),
    element('p', {}, `Method: ${method}`),
    body,
  );
}
