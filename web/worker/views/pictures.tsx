import { useEffect, useLayoutEffect, useRef, useState } from 'react';
import { Sign } from '../../look/signs';
import type { Says } from '../../wire/generated';
import { type Intent, intent, left, right, taught } from '../keys';
import { createStage, type Stage } from '../stage';
import { useStore } from '../store';
import { answeredCount, isAnswered, next, type Task } from '../task';
import type { Handed } from './handed';
import { type Panel, Panels } from './panels';
import { Offline, Others, WORDS } from './parts';
import { type Side, useSwipe } from './swipe';

const SPOKEN_EVERY_MS = 1_000;
const LEASE_WARNING_MS = 10 * 60_000;

/** One large picture at a time. The swap happens in the input's own handler; the store hears of it afterwards. */
export function Pictures(handed: Handed) {
  const { store, flows } = handed;
  const task = useStore(store, (state) => state.task);
  const preferences = useStore(store, (state) => state.session.preferences);
  const host = useRef<HTMLDivElement>(null);
  const stage = useRef<Stage | null>(null);
  const [broken, setBroken] = useState(false);
  const [panel, setPanel] = useState<Panel | null>(null);
  const [spoken, say] = useSpoken();
  const work = task.work;

  // biome-ignore lint/correctness/useExhaustiveDependencies: one stage for one assignment; the rest is read when it is used
  useLayoutEffect(() => {
    if (!host.current || !work) return;
    const made = createStage(host.current, work.pictures, {
      shown: (position, atMs, ready) => {
        setBroken(false);
        if (store.getState().task.position === position) store.dispatch({ type: 'pictureShown', atMs, ready });
      },
      broken: () => {
        setBroken(true);
        void flows.lookAgain();
      },
    });
    stage.current = made;
    made.show(store.getState().task.position);
    return () => made.close();
  }, [work?.token]);

  useLayoutEffect(() => {
    // keys are heard from the start and after a dialog, in a frame too; the next space means unsure, not the menu again
    if (!panel) host.current?.focus({ preventScroll: true });
  }, [panel]);

  const act = (wanted: Intent, atMs: number) => {
    const present = store.getState().task;
    const shown = stage.current;
    if (!shown || present.view !== 'pictures') return;
    if (wanted === 'closer') return void open(closer(present), '', 'noopener');
    if (wanted === 'help' || wanted === 'pause') return setPanel(wanted === 'help' ? 'explanation' : 'pause');
    if (wanted === 'back') {
      if (present.position === 0) return;
      shown.show(present.position - 1);
      store.dispatch({ type: 'wentBack', atMs });
    } else if (wanted === 'forward') {
      if (!isAnswered(present, present.position)) return;
      swap(shown, next(present));
      store.dispatch({ type: 'wentForward', atMs });
    } else {
      // nobody answers a picture they have not seen; one that cannot be seen may be left as unsure
      const condition = shown.condition();
      if (condition !== 'ready' && !(condition === 'broken' && wanted === 'unsure')) return;
      swap(shown, next(present));
      store.dispatch({ type: 'pictureAnswered', position: present.position, says: wanted, atMs, dateMs: Date.now() });
    }
    setBroken(false);
    const now = store.getState().task;
    const what = wanted === 'back' || wanted === 'forward' ? '' : `${WORDS[wanted]}. `;
    say(now.view === 'pictures' ? `${what}Picture ${now.position + 1} of ${now.traces.length}` : '');
  };

  useKeys((pressed) => {
    if (panel) return;
    const wanted = intent(pressed, store.getState().session.preferences);
    if (!wanted) return;
    // space on a focused button belongs to the button
    if (pressed.key === ' ' && pressed.target instanceof HTMLButtonElement) return;
    pressed.preventDefault();
    act(wanted, pressed.timeStamp);
  });
  const answerOf = (side: Side) => (side === 'right' ? right : left)(preferences);
  const swipe = useSwipe((side, atMs) => act(answerOf(side), atMs));

  if (!work) return null;
  const says = task.traces[task.position]?.says ?? null;
  return (
    <div className="labelling dark-ground">
      <Head {...handed} open={setPanel} />
      <main className="stage" ref={host} tabIndex={-1} aria-label="The picture" {...swipe.on} />
      <Over broken={broken} side={swipe.leaning} answerOf={answerOf} again={() => stage.current?.again()} />
      <Controls {...handed} says={says} first={task.position === 0} act={act} />
      <p className="unseen" role="status">
        {spoken}
      </p>
      {panel && <Panels {...handed} panel={panel} open={setPanel} />}
    </div>
  );
}

function swap(stage: Stage, to: number | 'review'): void {
  if (to !== 'review') stage.show(to);
}

/** The present picture in a size to look at closely, which the browser itself enlarges and moves, in its own window. */
function closer({ work, position }: Task): string {
  return `${work?.pictures[position]}?large=1`;
}

function Head({ store, open }: Handed & { open: (panel: Panel) => void }) {
  const task = useStore(store, (state) => state.task);
  const done = answeredCount(task);
  const all = task.traces.length;
  return (
    <header>
      <div className="head-row">
        <h1>{task.work?.question}</h1>
        <button type="button" className="plain" onClick={() => open('menu')}>
          Menu
        </button>
      </div>
      <p className="progress-text number">
        You have answered {done} of {all}
        <LeaseLeft store={store} />
        <a href={closer(task)} target="_blank" rel="noopener">
          Look closer
        </a>
      </p>
      <div className="bar" aria-hidden="true">
        <span style={{ transform: `scaleX(${all ? done / all : 0})` }} />
      </div>
      <Others store={store} />
      <Offline store={store}>You are offline. Go on: your answers are kept on this device and sent later.</Offline>
    </header>
  );
}

/** The time left is told when it gets short; each batch of answers that arrives makes it long again. */
function LeaseLeft({ store }: { store: Handed['store'] }) {
  const until = useStore(store, (state) => state.outbox.leaseUntilMs);
  const leftMs = until - Date.now();
  if (leftMs > LEASE_WARNING_MS || leftMs < 0) return null;
  return <span className="warn"> · {Math.max(1, Math.round(leftMs / 60_000))} min left</span>;
}

interface OverProps {
  broken: boolean;
  side: Side | null;
  answerOf: (side: Side) => Says & Intent;
  again: () => void;
}

/** What lies over the stage: the answer a swipe leans to, or word of a picture that did not come. */
function Over({ broken, side, answerOf, again }: OverProps) {
  if (broken) {
    return (
      <div className="over" role="alert">
        <p>This picture did not load. Try again, or answer unsure.</p>
        <button type="button" onClick={again}>
          Try again
        </button>
      </div>
    );
  }
  if (!side) return null;
  const says = answerOf(side);
  return (
    <div className={`lean ${side} ${says}`} aria-hidden="true">
      <Sign kind={says} size={20} /> {WORDS[says]}
    </div>
  );
}

interface ControlsProps extends Handed {
  says: Says | null;
  first: boolean;
  act: (wanted: Intent, atMs: number) => void;
}

function Controls({ store, says, first, act }: ControlsProps) {
  const preferences = useStore(store, (state) => state.session.preferences);
  const order: readonly Says[] = [left(preferences), 'unsure', right(preferences)];
  return (
    // a press of the mouse leaves the focus where it is: the next space means unsure, not this button again
    // biome-ignore lint/a11y/noStaticElementInteractions: it only keeps the focus from moving
    <footer onMouseDown={(event) => event.preventDefault()}>
      <button type="button" className="back" aria-disabled={first} onClick={(event) => act('back', event.timeStamp)}>
        <svg className="sign" width="20" height="20" viewBox="0 0 16 16" aria-hidden="true">
          <path d="M7 3 2 8l5 5M2.5 8H14" />
        </svg>
        <span>Back</span>
      </button>
      {order.map((answer) => (
        <button
          key={answer}
          type="button"
          className={`choice ${answer}`}
          aria-pressed={says === answer}
          onClick={(event) => act(answer, event.timeStamp)}
        >
          <Sign kind={answer} size={20} />
          <span>{WORDS[answer]}</span>
          <span className="key" aria-hidden="true">
            {taught(answer, preferences)[0]}
          </span>
        </button>
      ))}
    </footer>
  );
}

function useKeys(pressed: (event: KeyboardEvent) => void): void {
  const latest = useRef(pressed);
  latest.current = pressed;
  useLayoutEffect(() => {
    const listener = (event: KeyboardEvent) => latest.current(event);
    addEventListener('keydown', listener);
    return () => removeEventListener('keydown', listener);
  }, []);
}

/** What a screen reader says, at most once a second, so that fast answers do not queue up as speech. */
function useSpoken(): [string, (text: string) => void] {
  const [spoken, setSpoken] = useState('');
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const waiting = useRef('');
  useEffect(() => () => clearTimeout(timer.current), []);
  const say = (text: string) => {
    waiting.current = text;
    if (timer.current !== undefined) return;
    timer.current = setTimeout(() => {
      timer.current = undefined;
      setSpoken(waiting.current);
    }, SPOKEN_EVERY_MS);
  };
  return [spoken, say];
}
