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
        <Targets category={category} />
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
            Decided by {category.certified ? 'the certificate on the scores' : 'the labels and the thresholds'} of{' '}
            <Link to="rounds">round {category.rounds}</Link>.
          </>
        ) : (
          'No round yet: only pictures that people or you answered are decided.'
        )}
        {category.yes_by.inherited > 0 && (
          <>
            {' '}
            Of the yes, {whole(category.yes_by.labelled)} have a label of their own and{' '}
            {whole(category.yes_by.inherited)} follow a copy.
          </>
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

// the words of the records, as a reader says them
const PURPOSES: Record<string, string> = {
  learn: 'to train the classifier',
  middle: 'to decide between the thresholds',
  'audit recall': 'to measure recall',
  'audit precision': 'to measure precision',
  adjudicate: 'to settle disagreements, by the owner',
  'mine gold': 'to find gold, by the owner',
  check: 'to check what is released, by the owner',
  upload: 'from an uploaded list',
};
const STAGES: Record<string, string> = {
  leased: 'in progress',
  sent: 'being checked',
  weighted: 'accepted with less weight',
  returned: 'given back',
};

/** Every human answer, by what it was for; then the pictures that still wait for one. */
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
          ['by workers, on pictures to label', whole(category.answers)],
          ['by workers, on gold', whole(category.gold_answers)],
          ['by the owner', whole(category.owner_answers)],
          ['reserved by open assignments', whole(category.reserved_answers)],
          ['per picture decided yes', delivered === null ? 'none yet' : delivered.toFixed(1)],
        ]}
      />
      <h3>Answers asked for</h3>
      <Counted counts={category.asks_open} words={PURPOSES} none="No picture waits for an answer." />
      <h3>Labels</h3>
      <Counted counts={category.labels} none="No label yet." />
      <h3>Assignments</h3>
      <Counted counts={category.assignments} words={STAGES} none="Nobody has taken a task yet." />
    </section>
  );
}

// the methods whose audits prove a precision that the owner could check
const CHECKED = ['certified', 'adjudicated', 'precision'];

/** Whether the owner checks what is released, as the targets say. */
function checked({ check, method, truth }: CategoryWire['targets']) {
  if (truth === 'owner' || !CHECKED.includes(method ?? '')) return 'no';
  if (check == null) return 'if annotators are strangers who are paid';
  return check ? 'yes' : 'no';
}

function Targets({ category }: { category: CategoryWire }) {
  const { targets } = category;
  return (
    <section className="panel">
      <h2>Targets</h2>
      <Facts
        rows={[
          ['precision', `≥ ${percent(targets.precision ?? 0, 0)}`],
          ['recall', targets.recall ? `≥ ${percent(targets.recall, 0)}` : 'no target'],
          ['answers, at most', targets.answers == null ? 'no limit' : whole(targets.answers)],
          ['method', targets.method ?? ''],
          ...(targets.chosen ? [['why this method', targets.chosen] as [string, string]] : []),
          ['ground truth', targets.truth === 'owner' ? "the owner's answers" : "people's adjudicated answers"],
          ["owner's check", checked(targets)],
        ]}
      />
      <h3>
        <span className="grain" aria-hidden="true" /> Gold
      </h3>
      <p className="quiet">
        Pictures whose answer the owner confirmed. They are hidden in every assignment to check the workers.
      </p>
      <Facts
        rows={[
          ['yes', whole(category.gold_yes)],
          ['no', whole(category.gold_no)],
        ]}
      />
    </section>
  );
}

interface CountedProps {
  counts: Record<string, number>;
  /** How a reader says the name of a count, where that differs. */
  words?: Record<string, string>;
  none: string;
}

function Counted({ counts, words = {}, none }: CountedProps) {
  const rows = Object.entries(counts)
    .filter(([, number]) => number > 0)
    .sort(([, one], [, other]) => other - one);
  if (rows.length === 0) return <p className="quiet">{none}</p>;
  return <Facts rows={rows.map(([name, number]) => [words[name] ?? name, whole(number)])} />;
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
