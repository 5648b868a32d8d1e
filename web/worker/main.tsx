import { createRoot } from 'react-dom/client';
import { App } from './app';
import { drafts } from './drafts';
import { flows } from './flows';
import { memory } from './keep';
import { server } from './server';
import { createStore } from './store';
import '../look/tokens.css';
import './style.css';

const store = createStore();
const api = server();
const kept = memory(window);
const does = flows(store, api, kept, window);
const outbox = drafts(store, api, kept, does.failed);

const preferences = kept.preferences();
if (preferences) store.dispatch({ type: 'preferencesChanged', preferences });

document.addEventListener('visibilitychange', () => {
  const why = 'hidden';
  const atMs = performance.now();
  if (document.hidden) outbox.flush(true);
  else void does.lookAgain();
  store.dispatch({ type: document.hidden ? 'lookedAway' : 'lookedBack', why, atMs });
});
addEventListener('pagehide', () => outbox.flush(true));
addEventListener('offline', () => store.dispatch({ type: 'wentOffline' }));
addEventListener('online', () => {
  store.dispatch({ type: 'cameOnline' });
  outbox.flush(false);
});
addEventListener('hashchange', () => void does.open());

const root = document.getElementById('app');
if (root) createRoot(root).render(<App store={store} flows={does} memory={kept} />);
void does.open();
