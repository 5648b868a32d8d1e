/** The audit log: a chain of lines, each with the digest of the one before it. */
import type { Certificate } from './certificate';
import { sha256Of } from './digest';
import { must, quoted, Unreadable, Wrong } from './faults';
import { Fields } from './fields';
import { canonical, type Json, parse, utf8 } from './json';

export const LOG = 'audit-log.jsonl';

export interface AcceptedLine {
  cut: number;
  size: number;
  sha256: string;
}

export interface CheckLine {
  size: number;
  sha256: string;
}

export interface Log {
  /** The first label after the freeze, by rank. */
  answers: Map<number, number>;
  /** The word of a rank: 0, 1, or 2 (open). */
  words: Map<number, number>;
  accepted: Map<number, AcceptedLine>;
  checks: CheckLine[];
  checked: Map<number, number>;
  /** The question as it was asked at the freeze. */
  question: string;
  first: string;
  head: string;
  /** The digest of each line. */
  heads: string[];
}

const FIELDS: Record<string, string[]> = {
  freeze: ['frozen', 'category', 'question', 'question_version'],
  words: ['codes'],
  answers: ['codes'],
  accepted: ['attempt', 'cut', 'size', 'sha256'],
  closed: ['answers'],
  ended: ['why'],
  check: ['attempt', 'size', 'sha256'],
  checked: ['codes'],
};
const PLACE = /^(?:0|[1-9][0-9]{0,14})$/;

/** Read the log, in the order in which it was written, beside the certificate that it must be of. */
export class LogReader {
  private readonly log: Log = {
    answers: new Map(),
    words: new Map(),
    accepted: new Map(),
    checks: [],
    checked: new Map(),
    question: '',
    first: '',
    head: '',
    heads: [],
  };

  constructor(private readonly certificate: Certificate) {}

  /** Take the next line. */
  line(bytes: Uint8Array): void {
    const { log } = this;
    const number = log.heads.length + 1;
    const where = `${LOG}, line ${number}`;
    const [text, value] = parsed(bytes, where);
    must(canonical(value) === text, where, 'it is not in canonical JSON');
    const line = Fields.of(value, where, 'the line');
    must(line.text('previous') === log.head, where, 'it does not follow the line before it');
    line.whole('at_ms');
    const kind = line.text('kind');
    const fields = FIELDS[kind];
    if (fields === undefined) throw new Wrong(where, `a line of the kind ${quoted(kind)} is unknown`);
    line.only('previous', 'at_ms', 'kind', ...fields);
    must((kind === 'freeze') === (number === 1), where, 'the first line, and only that, tells what was frozen');
    this.take(kind, line, where);
    log.head = sha256Of(bytes);
    log.first ||= log.head;
    log.heads.push(log.head);
  }

  /** The log, once its last line was taken. */
  done(): Log {
    const { log, certificate } = this;
    must(log.heads.length > 0, LOG, 'it has no line');
    must(log.head === certificate.logHead, LOG, 'its head is not the log_head of the certificate');
    return log;
  }

  private take(kind: string, line: Fields, where: string): void {
    const { log, certificate } = this;
    const { frozen } = certificate;
    const take: Record<string, () => void> = {
      freeze: () => this.freeze(line, where),
      words: () => {
        for (const [rank, code] of codesOf(line, frozen.n, where)) {
          must(!log.words.has(rank), where, `rank ${rank} has a word already`);
          must(!log.answers.has(rank), where, `the word of rank ${rank} comes after its answer`);
          log.words.set(rank, code);
        }
      },
      answers: () => {
        for (const [rank, code] of codesOf(line, frozen.n, where)) {
          must(!log.answers.has(rank), where, `rank ${rank} has a first answer already`);
          log.answers.set(rank, code);
        }
      },
      accepted: () => {
        const attempt = line.whole('attempt');
        must(!log.accepted.has(attempt), where, `attempt ${attempt} has an accepted set already`);
        log.accepted.set(attempt, { cut: line.whole('cut'), size: line.whole('size'), sha256: line.digest('sha256') });
      },
      closed: () => void line.whole('answers'),
      ended: () => {
        throw new Wrong(where, 'the owner ended this freeze, so its log certifies nothing');
      },
      check: () => {
        this.checkable(where);
        must(line.whole('attempt') === log.checks.length, where, 'the attempts of the check are not in their order');
        log.checks.push({ size: line.whole('size'), sha256: line.digest('sha256') });
      },
      checked: () => {
        this.checkable(where);
        for (const [place, code] of codesOf(line, frozen.n + frozen.knownYes, where)) {
          must(!log.checked.has(place), where, `place ${place} was checked already`);
          log.checked.set(place, code);
        }
      },
    };
    take[kind]?.();
  }

  private checkable(where: string): void {
    must(this.certificate.frozen.checkDelta > 0, where, 'it is of a check of the owner, for which no delta was frozen');
  }

  private freeze(line: Fields, where: string): void {
    const { certificate } = this;
    must(canonical(line.get('frozen')) === certificate.frozenText, where, 'frozen is not that of the certificate');
    must(line.text('category') === certificate.category, where, 'the category is not that of the certificate');
    const same = line.whole('question_version') === certificate.version;
    must(same, where, 'the version of the question is not that of the certificate');
    this.log.question = line.text('question');
  }
}

/** A line that is no JSON makes the log wrong, not unreadable: the lines before it are a log. */
function parsed(bytes: Uint8Array, where: string): [string, Json] {
  try {
    const text = utf8(bytes, where);
    return [text, parse(text, where)];
  } catch (error) {
    throw error instanceof Unreadable ? new Wrong(error.where, error.what) : error;
  }
}

function* codesOf(line: Fields, below: number, where: string): Generator<[number, number]> {
  for (const [key, code] of line.fields('codes').object) {
    must(PLACE.test(key) && Number(key) < below, where, `${quoted(key)} is no rank of this pool`);
    if (code !== 0n && code !== 1n && code !== 2n) throw new Wrong(where, 'a code is none of 0, 1, 2');
    yield [Number(key), Number(code)];
  }
}
