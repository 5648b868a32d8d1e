import { useState } from 'react';
import type { Says, Work } from '../../wire/generated';
import { useStore } from '../store';
import { answeredCount, firstUnanswered } from '../task';
import type { Handed } from './handed';
import { ANSWERS, Answer, count, Offline, Others, Page, WORDS } from './parts';

/** Before sending: how many of each answer, every picture with its answer, and the way back to any of them. */
export function Review({ store, flows }: Handed) {
  const task = useStore(store, (state) => state.task);
  const waiting = useStore(store, (state) => state.session.waiting);
  const [failed, setFailed] = useState(false);
  if (!task.work) return null;
  const left = task.traces.length - answeredCount(task);
  const jump = (position: number) => store.dispatch({ type: 'jumpedTo', position, atMs: performance.now() });
  return (
    <Page title={left > 0 ? `${count(left, 'picture')} left` : 'Check your answers'}>
      <p>
        {left > 0
          ? 'You can check the answers you have given so far.'
          : 'Open a picture to see it again and change its answer. Then send all answers.'}
      </p>
      {ANSWERS.map((says) => (
        <Group key={says} says={says} work={task.work as Work} positions={positionsOf(task.traces, says)} jump={jump} />
      ))}
      <Others store={store} />
      <Offline store={store}>
        {failed && 'Your answers were not sent. '}You are offline. Your answers are kept on this device; send them
        later.
      </Offline>
      <div className="bottom sticky">
        <p className="quiet">{task.work.question}</p>
        {left > 0 ? (
          <button type="button" className="primary" onClick={() => jump(firstUnanswered(task.traces))}>
            Go on
          </button>
        ) : (
          <button
            type="button"
            className="primary"
            disabled={waiting}
            onClick={async () => setFailed(!(await flows.send()))}
          >
            {waiting ? 'Sending…' : `Send ${count(task.traces.length, 'answer')}`}
          </button>
        )}
      </div>
    </Page>
  );
}

function positionsOf(traces: readonly { says: Says | null }[], says: Says): number[] {
  return traces.flatMap((trace, position) => (trace.says === says ? [position] : []));
}

interface GroupProps {
  says: Says;
  work: Work;
  positions: number[];
  jump: (position: number) => void;
}

function Group({ says, work, positions, jump }: GroupProps) {
  return (
    <section>
      <h2>
        <Answer says={says} /> <span className="number">{positions.length}</span>
      </h2>
      {positions.length > 0 && (
        <ul className={`thumbs ${says}`}>
          {positions.map((position) => (
            <li key={position}>
              <button
                type="button"
                aria-label={`Picture ${position + 1}, answered ${WORDS[says].toLowerCase()}. Look again`}
                onClick={() => jump(position)}
              >
                <img src={work.pictures[position]} alt="" loading="lazy" decoding="async" />
              </button>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
