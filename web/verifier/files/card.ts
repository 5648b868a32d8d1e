/** README.md: the card, which is a text made from the manifest and the sentences, and nothing else. */
import { day } from '../methods/sentences';
import type { Frozen } from '../proof/frozen';
import { counted } from '../proof/numbers';
import type { Format, Manifest } from './manifest';

export const CARD = 'README.md';

const FORMAT_LINES: [Format, string][] = [
  ['folder', '- `images/`: the unchanged image files, named by their SHA-256'],
  ['webdataset', '- `webdataset/`: the same images as WebDataset shards'],
  ['table', '- `images.parquet`: one row for each image of the pool: names, size, score, decision, votes, round'],
];
const LOG_LINE =
  '- `audit-log.jsonl`: what was frozen before the first draw, and each answer since, in the order of recording';
const SIGNATURE_LINE = "- `audit-log.sig`: the owner's signature of the audit log";
const PROOF_LINES = [
  '- `evidence.parquet`: every label and vote that the certificate depends on, with its draw',
  '- `pool.parquet`: every image of the pool as it was frozen, its rank, and the image that counts for it',
  '- `certificate.json`: the claim, machine-readable; `thresher verify` checks it',
  '- `release.json`: the manifest',
];

/** A text on one line, with one space between its words, and without HTML. */
function plain(text: string): string {
  const words = text.split(SPACES).filter((word) => word !== '');
  return words.join(' ').replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
// what Python's str.split takes as space: JavaScript's \s lacks four separators and U+0085, and has U+FEFF
// biome-ignore lint/suspicious/noControlCharactersInRegex: four of them are spaces of Python
const SPACES = /[\t-\r\u001c-\u0020\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/;

export function card(manifest: Manifest, frozen: Frozen, words: string, signed: boolean): string {
  const { counts, yesBy, formats } = manifest;
  const moment = new Date(manifest.atMs).toISOString().slice(0, 16).replace('T', ' ');
  const round = manifest.round === null ? 'decided by answers alone, without a classifier' : `round ${manifest.round}`;
  return `${[
    `# ${manifest.category}`,
    '',
    `> ${plain(manifest.question)}`,
    '',
    `${counted(counts.yes)} images decided yes, out of a pool of ${counted(manifest.pool)} (${counted(counts.no)} no, ${counted(counts.unknown)} unknown). Released ${moment} UTC, question version ${manifest.version}, ${round}.`,
    '',
    `Of the yes, ${counted(yesBy.labelled)} have a label of their own, ${counted(yesBy.inherited)} inherited the decision on a copy (the same image, encoded or resized anew), and ${counted(yesBy.scored)} were decided by their score.`,
    '',
    ...wordings(manifest),
    '## Certificate',
    '',
    words,
    '',
    errors(frozen),
    '',
    '## Files',
    '',
    ...FORMAT_LINES.filter(([format]) => formats.has(format)).map(([, line]) => line),
    LOG_LINE,
    ...(signed ? [SIGNATURE_LINE] : []),
    ...PROOF_LINES,
    '',
    'The images keep the rights of their owners; `images.parquet` lists the known source and licence of each.',
  ].join('\n')}\n`;
}

function wordings({ wordings: all }: Manifest): string[] {
  if (all.length < 2) return [];
  const lines = all.map(({ text, instructions, atMs }) =>
    `- ${day(atMs)}: ${plain(text)} ${plain(instructions)}`.trimEnd(),
  );
  return ['The answers were given under several wordings of the question, each since its day:', '', ...lines, ''];
}

function errors(frozen: Frozen): string {
  if (frozen.truth === 'owner') {
    return 'The owner gave every answer that this rests on. An error of the owner is in the released set like the truth, and no bound counts it.';
  }
  const people =
    'People gave the answers that this rests on. Each one that an audit drew was adjudicated: an answer leads by three votes, or the owner decided. Errors that most people make together, because an image misleads everybody or because several answer through one model, leave no trace: precision and recall are then lower than claimed.';
  const more =
    frozen.checkDelta > 0
      ? "The owner has checked released images that were drawn at random, so the claimed precision holds by the owner's answers too. The claimed recall does not count errors made together: a yes that most people call no is missed."
      : 'In simulations with a target precision of 0.95, the released images were 0.935 yes where most people were wrong on 3 % of the images, and 0.757 where they were wrong on 10 %. To find out, have somebody whom you trust look at released images that are drawn at random.';
  return `${people} ${more}`;
}
