import type { ReactNode } from 'react';
import { Link } from 'react-router';
import type { CategoryWire } from '../../../wire/generated';
import { Command, commandsIn, WithCommands } from '../../shared/copy';
import { count, percent, whole } from '../../shared/numbers';
import { PoolBar } from './bar';
import { useCategory } from './category';

/** What is, what it waits for, what it has cost: before anything can be changed. */
export function CategoryState() {
  const category = useCategory();
  return (
    <div className="state">
      <Pool category={category} />
      <WaitsFor category={category} />
      <div className="columns">
        <Answers category={category} />
        <Wanted category={category} />
      </div>
      {category.instructions && (
        <section className="panel">
          <h2>Instructions</h2>
          <p className="instructions">{category.instructions}</p>
        </section>
      )}
    </div>
  );
}

function Pool({ category }: { category: CategoryWire }) {
  return (
    <section className="panel">
      <h2>
        The pool <span className="quiet number">{count(category.images, 'picture')}</span>
      </h2>
      <PoolBar counts={category} />
      <p className="quiet">
        {category.rounds > 0 ? (
          <>
            As decided by <Link to="rounds">round {category.rounds}</Link> and the labels.
          </>
        ) : (
          'No round yet: everything is unknown until the first training.'
        )}
        {category.refused > 0 && (
          <>
            {' '}
            <Link to="refused">{count(category.refused, 'candidate')} refused</Link> at harvest.
          </>
        )}
      </p>
    </section>
  );
}

function WaitsFor({ category }: { category: CategoryWire }) {
  return (
    <section className="panel">
      <h2>What it waits for</h2>
      <p className="waits">
        <WithCommands text={category.waits_for} />
      </p>
      {commandsIn(category.waits_for).map((command) => (
        <Command key={command} text={command} />
      ))}
      <p className={category.loop_running ? 'machine good' : 'machine'}>
        {category.loop_running ? 'The loop is running' : 'The loop is not running'}
      </p>
    </section>
  );
}

/** Every human answer, by what it was for; then the wishes that are still open. */
function Answers({ category }: { category: CategoryWire }) {
  const all = category.answers + category.gold_answers + category.owner_answers;
  const delivered = category.yes > 0 ? all / category.yes : null;
  return (
    <section className="panel">
      <h2>
        Answers <span className="quiet number">{whole(all)}</span>
      </h2>
      <Facts
        rows={[
          ['on asked pictures', whole(category.answers)],
          ['on gold, to check workers', whole(category.gold_answers)],
          ['by the owner', whole(category.owner_answers)],
          ['for each picture decided yes', delivered === null ? 'none yet' : delivered.toFixed(1)],
        ]}
      />
      <h3>Still asked</h3>
      <Counted counts={category.asks_open} none="Nothing is asked right now." />
      <h3>Labels held</h3>
      <Counted counts={category.labels} none="No label yet." />
      <h3>Assignments</h3>
      <Counted counts={category.assignments} none="Nobody has taken a task yet." />
    </section>
  );
}

function Wanted({ category }: { category: CategoryWire }) {
  const { targets } = category;
  return (
    <section className="panel">
      <h2>Wanted</h2>
      <Facts
        rows={[
          ['precision', `≥ ${percent(targets.precision ?? 0, 0)}`],
          ['recall', `≥ ${percent(targets.recall ?? 0, 0)}`],
          ['answers at most', targets.answers == null ? 'no cap' : whole(targets.answers)],
          ['method', targets.method ?? ''],
          ['the truth is', targets.truth === 'owner' ? "the owner's word" : 'what people agree on'],
        ]}
      />
      <h3>
        <span className="grain" aria-hidden="true" /> Gold
      </h3>
      <p className="quiet">Pictures whose answer is known, hidden in every assignment.</p>
      <Facts
        rows={[
          ['yes', whole(category.gold_yes)],
          ['no', whole(category.gold_no)],
        ]}
      />
    </section>
  );
}

function Counted({ counts, none }: { counts: Record<string, number>; none: string }) {
  const rows = Object.entries(counts)
    .filter(([, number]) => number > 0)
    .sort(([, one], [, other]) => other - one);
  if (rows.length === 0) return <p className="quiet">{none}</p>;
  return <Facts rows={rows.map(([word, number]) => [word, whole(number)])} />;
}

function Facts({ rows }: { rows: readonly (readonly [string, ReactNode])[] }) {
  return (
    <dl className="facts">
      {rows.map(([word, value]) => (
        <div key={word}>
          <dt>{word}</dt>
          <dd className="number">{value}</dd>
        </div>
      ))}
    </dl>
  );
}
