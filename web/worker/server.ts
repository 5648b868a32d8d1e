/** The worker API, as this page uses it. Every answer is the server's own shape; every failure is one `Failure`. */

import type { Drafts, Entry, Joined, Kept, Me, Problem, Sent, Work } from '../wire/generated';

/** The server said no (status 400 and above), or could not be reached (status 0). */
export class Failure extends Error {
  // declared only: a field of its own brings 900 bytes of helpers with it for the browsers that are supported
  declare readonly status: number;
  declare readonly detail: string;
  /** When the server wants to be asked again; 0 where it does not say. */
  declare readonly afterMs: number;

  constructor(status: number, detail: string, afterMs = 0) {
    super(detail);
    Object.assign(this, { status, detail, afterMs });
  }

  /** Trying again later can help: no connection, a server that restarts, a busy one. */
  get passing(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

export interface Server {
  join(invite: string, name: string, device: string): Promise<Joined>;
  me(worker: string): Promise<Me>;
  /** Null when there is nothing left to answer. */
  deal(worker: string, category: string, device: string): Promise<Work | null>;
  assignment(token: string): Promise<Work>;
  keepDrafts(token: string, sequence: number, entries: Entry[], closing: boolean): Promise<Kept>;
  send(token: string, entries: Entry[]): Promise<Sent>;
  giveBack(token: string): Promise<void>;
}

export function server(root = '/api/work'): Server {
  const call = async <T>(method: string, path: string, token = '', body?: unknown, keepalive = false): Promise<T> => {
    const headers: Record<string, string> = {};
    if (token) headers.authorization = `Bearer ${token}`;
    if (body !== undefined) headers['content-type'] = 'application/json';
    let response: Response;
    try {
      const sent = body === undefined ? null : JSON.stringify(body);
      response = await fetch(root + path, { method, headers, body: sent, keepalive, credentials: 'omit' });
    } catch {
      throw new Failure(0, 'The server cannot be reached.');
    }
    if (!response.ok) {
      const afterMs = 1000 * Number(response.headers.get('retry-after'));
      throw new Failure(response.status, await detail(response), afterMs);
    }
    return (response.status === 204 ? null : await response.json()) as T;
  };
  return {
    join: (invite, name, device) => call('POST', '/join', '', { invite, name, device }),
    me: (worker) => call('GET', '/me', worker),
    deal: (worker, category, device) => call('POST', '/assignments', worker, { category, device }),
    assignment: (token) => call('GET', '/assignment', token),
    keepDrafts: (token, sequence, entries, closing) =>
      call('PUT', '/drafts', token, { sequence, entries } satisfies Drafts, closing),
    send: (token, entries) => call('POST', '/send', token, { entries }),
    giveBack: (token) => call('POST', '/return', token),
  };
}

async function detail(response: Response): Promise<string> {
  try {
    const problem = (await response.json()) as Partial<Problem> | null;
    if (problem?.detail) return `${sentence(problem.detail)} ${sentence(problem.next ?? '')}`.trim();
  } catch {
    // a proxy's own page is no problem document; the status alone has to do
  }
  return `The server answered ${response.status}.`;
}

/** The server's clauses as sentences: "ask for a new one" becomes "Ask for a new one." */
function sentence(text: string): string {
  return text && text.charAt(0).toUpperCase() + text.slice(1) + (text.endsWith('.') ? '' : '.');
}
