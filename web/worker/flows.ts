/** What the page asks of the server, and what it makes of the answers. */

import type { Joined, Work } from '../wire/generated';
import type { Kept, Trouble } from './events';
import type { Memory } from './keep';
import { union } from './outbox';
import { Failure, type Server } from './server';
import type { Store } from './store';
import { entries } from './task';
import { count } from './views/parts';

export interface Flows {
  /** The first thing: an invite, an assignment that was under way, or the worker's own page. */
  open(): Promise<void>;
  join(name: string): Promise<void>;
  home(): Promise<void>;
  /** Look for new work; a failure is not worth a word. */
  refresh(): Promise<void>;
  start(category: string, unfinished: boolean): Promise<void>;
  /** Answers whether the assignment is with the server for good. */
  send(): Promise<boolean>;
  giveBack(): Promise<void>;
  /** Go to the worker's page; the assignment stays theirs, and its answers are kept. */
  leave(): Promise<void>;
  /** See whether the lease still holds, as when a picture did not come, and what another device answered meanwhile. */
  lookAgain(): Promise<void>;
  /** Tell the worker when a failure ends what they were doing; a passing one only marks the page as offline. */
  failed(failure: unknown): void;
}

/** The two places a page can be opened at: `/join/<invite>` and `/work#t=<worker token>`. */
export function placeOf(location: { pathname: string; hash: string }): { invite: string; worker: string } {
  const invite = /^\/join\/(.+?)\/?$/.exec(location.pathname)?.[1] ?? '';
  const worker = new URLSearchParams(location.hash.slice(1)).get('t') ?? '';
  return { invite: decodeURIComponent(invite), worker };
}

export function flows(store: Store, server: Server, memory: Memory, view: Window): Flows {
  const { dispatch } = store;
  const worker = () => placeOf(view.location).worker;
  const token = () => store.getState().task.work?.token ?? '';

  const failed = (failure: unknown) => {
    if (!(failure instanceof Failure)) throw failure;
    dispatch({ type: 'waitEnded' });
    if (failure.passing) dispatch({ type: 'wentOffline' });
    else end(failure);
  };

  const end = (failure: Failure) => {
    const { dirty, posted } = store.getState().outbox;
    memory.keepDraft(null);
    dispatch({ type: 'troubleCame', trouble: troubleOf(failure, token() !== '', union(dirty, posted).length) });
  };

  const dealt = (work: Work, kept: Kept | null, resumed: boolean) => {
    dispatch({ type: 'workDealt', work, kept, resumed, dateMs: Date.now() });
  };

  /** Ask, while the page says that it waits; null when the asking failed, which has been told then. */
  const waiting = async <T>(ask: () => Promise<T>): Promise<{ answer: T } | null> => {
    dispatch({ type: 'waitBegan' });
    try {
      return { answer: await ask() };
    } catch (failure) {
      failed(failure);
      return null;
    }
  };

  const home = async () => {
    const found = await waiting(() => server.me(worker()));
    if (found) dispatch({ type: 'homeOpened', me: found.answer });
    else if (store.getState().session.place === 'starting') {
      dispatch({ type: 'troubleCame', trouble: UNREACHABLE });
    }
  };

  /** Join, after a while where the server lets only so many in at once. */
  const admitted = async (invite: string, name: string): Promise<Joined> => {
    try {
      return await server.join(invite, name, memory.device());
    } catch (failure) {
      if (!(failure instanceof Failure && failure.afterMs > 0)) throw failure;
      dispatch({ type: 'wentOffline' });
      await new Promise((done) => setTimeout(done, failure.afterMs));
      return admitted(invite, name);
    }
  };

  /** Go on where this page was before it was reloaded. Answers whether it could. */
  const resume = async (kept: Kept): Promise<boolean> => {
    try {
      dealt(await server.assignment(kept.token), kept, true);
      return true;
    } catch (failure) {
      if (!(failure instanceof Failure)) throw failure;
      if (failure.passing) dispatch({ type: 'troubleCame', trouble: UNREACHABLE });
      else if (failure.status === 410) end(failure);
      else memory.keepDraft(null);
      return failure.passing || failure.status === 410;
    }
  };

  return {
    failed,
    home,
    async open() {
      const { invite } = placeOf(view.location);
      if (invite) return void dispatch({ type: 'inviteOpened' });
      if (!worker()) return void dispatch({ type: 'troubleCame', trouble: NO_LINK });
      const kept = memory.draft();
      if (kept && (await resume(kept))) return;
      await home();
    },
    async join(name) {
      const found = await waiting(() => admitted(placeOf(view.location).invite, name));
      if (!found) return;
      memory.keepDevice(found.answer.device);
      // from here on the address itself is the personal link, so a reload joins nobody twice
      view.history.replaceState(null, '', `/work#t=${encodeURIComponent(found.answer.token)}`);
      dispatch({ type: 'joined', link: found.answer.link });
      await home();
    },
    async refresh() {
      try {
        const me = await server.me(worker());
        const { place, waiting: busy } = store.getState().session;
        if (place === 'home' && !busy) dispatch({ type: 'homeOpened', me });
      } catch (failure) {
        if (failure instanceof Failure && failure.passing) dispatch({ type: 'wentOffline' });
      }
    },
    async start(category, unfinished) {
      const found = await waiting(() => server.deal(worker(), category, memory.device()));
      if (!found) return;
      // somebody else took the last one: the worker's page says so by what it shows
      if (!found.answer) return home();
      memory.keepDevice(found.answer.device ?? '');
      const kept = memory.draft();
      const mine = kept?.token === found.answer.token ? kept : null;
      dealt(found.answer, mine, unfinished && (mine !== null || found.answer.entries.length > 0));
    },
    async send() {
      const { traces } = store.getState().task;
      const found = await waiting(() => server.send(token(), entries(traces, traces.keys())));
      if (!found) return false;
      memory.keepDraft(null);
      dispatch({ type: 'taskSent', sent: found.answer });
      return true;
    },
    async giveBack() {
      const done = await waiting(() => server.giveBack(token()));
      if (!done) return;
      memory.keepDraft(null);
      dispatch({ type: 'workReturned' });
      await home();
    },
    async leave() {
      const { task, outbox } = store.getState();
      const positions = [...outbox.posted, ...outbox.dirty];
      const unkept = positions.length > 0;
      const kept = await waiting(async () => {
        if (unkept) await server.keepDrafts(token(), outbox.sequence + 1, entries(task.traces, positions), false);
        return server.me(worker());
      });
      if (kept) dispatch({ type: 'homeOpened', me: kept.answer });
    },
    async lookAgain() {
      if (!token() || store.getState().session.waiting) return;
      try {
        dispatch({ type: 'workSeen', work: await server.assignment(token()) });
      } catch (failure) {
        failed(failure);
      }
    },
  };
}

const NO_LINK: Trouble = {
  title: 'This page needs your personal link',
  detail: 'Open the whole link that you got when you joined, or ask the person who invited you for one.',
  again: false,
};

const UNREACHABLE: Trouble = {
  title: 'The server cannot be reached',
  detail: 'Nothing is lost. Check your connection and try again.',
  again: true,
};

/** In a worker's words: what happened and what to do, as the server says it; `late` answers did not arrive in time. */
function troubleOf({ status, detail }: Failure, working: boolean, late: number): Trouble {
  const lost = late > 0 ? ` ${count(late, 'answer')} on this page came too late for it.` : '';
  if (working && (status === 410 || status === 409)) {
    return { title: 'This task has ended', detail: detail + lost, again: true };
  }
  const refused = status === 401 || status === 403 || status === 410;
  return { title: refused ? 'This link does not work' : 'This did not work', detail, again: !refused };
}
