import type { Work } from '../../wire/generated';
import { type Intent, taught } from '../keys';
import { type Store, useStore } from '../store';
import type { Handed } from './handed';
import { ANSWERS, Answer, count, Page } from './parts';
import { SettingsButton } from './settings';

/** Before the first picture: the question, how to answer it, pictures whose answer is known, and the keys. */
export function Explanation(handed: Handed) {
  const { store, flows } = handed;
  const work = useStore(store, (state) => state.task.work);
  const owner = useStore(store, (state) => state.session.me?.owner);
  if (!work) return null;
  return (
    <Page title={work.question}>
      <p>
        {count(work.pictures.length, 'picture')}, one at a time. Answer yes or no, or unsure when you cannot tell. You
        can pause, go back and change an answer until you send.
      </p>
      <Instructions work={work} />
      <Keys store={store} />
      <p>
        <SettingsButton {...handed} />
      </p>
      <p className="quiet">
        {owner
          ? 'You are the owner: your answers are taken as true.'
          : 'The answers to some of the pictures are known already. They are used to check the task. If it is not accepted, you are told why.'}
      </p>
      <div className="bottom">
        <button type="button" onClick={() => void flows.giveBack()}>
          Not now
        </button>
        <button type="button" className="primary" onClick={() => store.dispatch({ type: 'explanationRead' })}>
          Start
        </button>
      </div>
    </Page>
  );
}

export function Instructions({ work }: { work: Work }) {
  return (
    <>
      {work.instructions && <p className="instructions">{work.instructions}</p>}
      {ANSWERS.map((says) => {
        const pictures = work.examples.filter((example) => example.says === says);
        if (pictures.length === 0) return null;
        return (
          <section key={says}>
            <h2>
              The answer is <Answer says={says} />
            </h2>
            <div className="examples">
              {pictures.map((example, index) => (
                <img
                  key={example.picture}
                  src={example.picture}
                  alt={`Example ${index + 1}: the answer is ${says}`}
                  loading="lazy"
                />
              ))}
            </div>
          </section>
        );
      })}
    </>
  );
}

const TAUGHT: readonly (readonly [Intent, string])[] = [
  ['yes', 'Yes'],
  ['no', 'No'],
  ['unsure', 'Unsure'],
  ['back', 'Back'],
  ['forward', 'Forward again'],
  ['pause', 'Pause'],
  ['closer', 'Look closer'],
];

export function Keys({ store }: { store: Store }) {
  const preferences = useStore(store, (state) => state.session.preferences);
  return (
    <section aria-labelledby="keys">
      <h2 id="keys">How to answer</h2>
      <p className="for-touch">
        Tap the buttons, or swipe the picture: {preferences.swapped ? 'left' : 'right'} is yes,{' '}
        {preferences.swapped ? 'right' : 'left'} is no.
      </p>
      <dl className="keys for-keys">
        {TAUGHT.map(([wanted, word]) => (
          <div key={wanted}>
            <dt>{word}</dt>
            <dd>
              {taught(wanted, preferences).map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
