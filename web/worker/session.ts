/** Where the worker is on the page, and what the server last told them. Pure. */

import type { Me, Sent } from '../wire/generated';
import type { Happened, Preferences, Trouble } from './events';

export interface Session {
  place: 'starting' | 'invited' | 'home' | 'task' | 'sent' | 'trouble';
  /** The personal link, once, right after joining. */
  link: string;
  me: Me | null;
  sent: Sent | null;
  trouble: Trouble | null;
  /** The server is being asked for something the worker waits for. */
  waiting: boolean;
  online: boolean;
  preferences: Preferences;
}

export const NEW_SESSION: Session = {
  place: 'starting',
  link: '',
  me: null,
  sent: null,
  trouble: null,
  waiting: false,
  online: true,
  preferences: { swapped: false, letters: true },
};

export function session(state: Session, event: Happened): Session {
  switch (event.type) {
    case 'inviteOpened':
      return { ...state, place: 'invited' };
    case 'joined':
      return { ...state, link: event.link };
    case 'homeOpened':
      return { ...state, place: 'home', me: event.me, sent: null, trouble: null, waiting: false, online: true };
    case 'waitBegan':
      return { ...state, waiting: true };
    case 'waitEnded':
      return { ...state, waiting: false };
    case 'workDealt':
      return { ...state, place: 'task', waiting: false, link: '', online: true };
    case 'taskSent':
      return { ...state, place: 'sent', sent: event.sent, waiting: false, online: true };
    case 'workReturned':
      return { ...state, waiting: false };
    case 'troubleCame':
      return { ...state, place: 'trouble', trouble: event.trouble, waiting: false };
    case 'wentOffline':
    case 'draftsFailed':
      return { ...state, online: false };
    case 'cameOnline':
    case 'draftsKept':
      return { ...state, online: true };
    case 'preferencesChanged':
      return { ...state, preferences: event.preferences };
    default:
      return state;
  }
}
