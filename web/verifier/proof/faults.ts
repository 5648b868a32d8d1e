/** Why a release does not hold, and why it cannot be judged. */

/** The release is not as the format says, or does not prove its claim: the answer is no. */
export class Wrong extends Error {
  constructor(
    readonly where: string,
    readonly what: string,
  ) {
    super(`${where}: ${what}`);
    this.name = 'Wrong';
  }
}

/** What was given cannot be judged: no release, a file of the proof is missing or cannot be read. */
export class Unreadable extends Error {
  constructor(
    readonly where: string,
    readonly what: string,
  ) {
    super(`${where}: ${what}`);
    this.name = 'Unreadable';
  }
}

/** Go on only if `holds`; else the release does not hold, by `what`, in the file `where`. */
export function must(holds: boolean, where: string, what: string): asserts holds {
  if (!holds) throw new Wrong(where, what);
}

/** A text of a file in a message: short, on one line. */
export function quoted(text: string): string {
  const plain = JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text).slice(1, -1);
  return `“${plain}”`;
}
