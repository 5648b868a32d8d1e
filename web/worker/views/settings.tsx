import { useState } from 'react';
import type { Preferences } from '../events';
import { useStore } from '../store';
import { Dialog } from './dialog';
import type { Handed } from './handed';

export function SettingsButton(handed: Handed) {
  const [open, setOpen] = useState(false);
  return (
    <>
      <button type="button" className="plain" onClick={() => setOpen(true)}>
        Settings
      </button>
      {open && <Settings {...handed} close={() => setOpen(false)} />}
    </>
  );
}

export function Settings({ store, memory, close }: Handed & { close: () => void }) {
  const preferences = useStore(store, (state) => state.session.preferences);
  const change = (changed: Partial<Preferences>) => {
    const all = { ...preferences, ...changed };
    memory.keepPreferences(all);
    store.dispatch({ type: 'preferencesChanged', preferences: all });
  };
  return (
    <Dialog title="Settings" close={close} done="Done">
      <label className="check">
        <input
          type="checkbox"
          checked={preferences.swapped}
          onChange={(event) => change({ swapped: event.currentTarget.checked })}
        />
        <span>
          Yes on the left, no on the right
          <small>Arrow keys and swipes change sides too.</small>
        </span>
      </label>
      <label className="check">
        <input
          type="checkbox"
          checked={preferences.letters}
          onChange={(event) => change({ letters: event.currentTarget.checked })}
        />
        <span>
          Letter keys answer too
          <small>Switch this off if you use speech input.</small>
        </span>
      </label>
    </Dialog>
  );
}
