import { useLayoutEffect, useState } from 'react';
import { useStore } from '../store';
import { answeredCount } from '../task';
import { Dialog } from './dialog';
import { Instructions, Keys } from './explanation';
import type { Handed } from './handed';
import { count } from './parts';
import { Settings } from './settings';

export type Panel = 'menu' | 'explanation' | 'pause' | 'settings' | 'return';

interface PanelProps extends Handed {
  open: (panel: Panel | null) => void;
  close: () => void;
}

const PANELS = { menu: Menu, explanation: Explained, pause: Pause, settings: Settings, return: Return };

/** What lies over the pictures. The picture is covered and its clock stands while any of these is open. */
export function Panels({ panel, ...handed }: Omit<PanelProps, 'close'> & { panel: Panel }) {
  const { store, open } = handed;
  useLayoutEffect(() => {
    const why = panel === 'pause' ? 'paused' : 'dialog';
    store.dispatch({ type: 'lookedAway', why, atMs: performance.now() });
    return () => void store.dispatch({ type: 'lookedBack', why, atMs: performance.now() });
  }, [store, panel]);
  const View = PANELS[panel];
  return <View {...handed} close={() => open(null)} />;
}

function Menu({ store, flows, open, close }: PanelProps) {
  const choices: readonly (readonly [string, () => void])[] = [
    ['The question and its examples', () => open('explanation')],
    ['Check your answers', () => store.dispatch({ type: 'reviewOpened', atMs: performance.now() })],
    ['Pause', () => open('pause')],
    ['Settings', () => open('settings')],
    ['Leave and go on later', () => void flows.leave()],
    ['Give this task back', () => open('return')],
  ];
  return (
    <Dialog title="Menu" close={close}>
      <div className="menu">
        {choices.map(([words, choose]) => (
          <button key={words} type="button" onClick={choose}>
            {words}
          </button>
        ))}
      </div>
    </Dialog>
  );
}

function Pause({ close }: PanelProps) {
  return (
    <Dialog title="Paused" close={close}>
      <p>Time is not counted while you pause. The task stays yours for a while.</p>
    </Dialog>
  );
}

function Explained({ store, close }: PanelProps) {
  const work = useStore(store, (state) => state.task.work);
  if (!work) return null;
  return (
    <Dialog title={work.question} close={close}>
      <Instructions work={work} />
      <Keys store={store} />
    </Dialog>
  );
}

function Return({ store, flows, close }: PanelProps) {
  const done = useStore(store, (state) => answeredCount(state.task));
  const [going, setGoing] = useState(false);
  const giveBack = () => {
    setGoing(true);
    void flows.giveBack().then(() => setGoing(false));
  };
  return (
    <Dialog
      title="Give this task back?"
      close={close}
      done="Keep it"
      others={
        <button type="button" disabled={going} onClick={giveBack}>
          Give it back
        </button>
      }
    >
      <p>
        {done > 0 && `Your ${count(done, 'answer')} of this task will be erased. `}
        The task goes to somebody else. This does not count against you.
      </p>
    </Dialog>
  );
}
