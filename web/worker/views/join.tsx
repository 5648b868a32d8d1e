import { useState } from 'react';
import { useStore } from '../store';
import type { Handed } from './handed';
import { Offline, Page } from './parts';

/** An invite was opened: say what this is, then make a personal link. */
export function Join({ store, flows }: Handed) {
  const [name, setName] = useState('');
  const waiting = useStore(store, (state) => state.session.waiting);
  return (
    <Page title="You are invited to answer questions about pictures">
      <p>
        You see one picture at a time and answer the same question about each: yes, no or unsure. You can pause, go back
        and change an answer until you send.
      </p>
      <p>
        Joining gives you a personal link. It is your account: no password, no cookie, no e-mail. This browser keeps a
        random mark: people who share a device count as one.
      </p>
      <Offline store={store}>
        {waiting
          ? 'Many people are joining. Your turn comes within a minute.'
          : 'The server cannot be reached. Try again.'}
      </Offline>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          void flows.join(name.trim());
        }}
      >
        <label className="field">
          <span>
            Your name <small>You may leave this empty.</small>
          </span>
          <input
            value={name}
            maxLength={80}
            autoComplete="nickname"
            onInput={(event) => setName(event.currentTarget.value)}
          />
        </label>
        <button type="submit" className="primary" disabled={waiting}>
          {waiting ? 'Joining…' : 'Join'}
        </button>
      </form>
    </Page>
  );
}
