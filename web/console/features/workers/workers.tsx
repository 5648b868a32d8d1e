import { UnstyledButton } from '@mantine/core';
import type { WorkerWire } from '../../../wire/generated';
import { useCategoryWorkersQuery, useWorkersQuery } from '../../app/api';
import { useAppDispatch, useAppSelector } from '../../app/hooks';
import { LIVE } from '../../shared/live';
import { duration, percent, whole, wilson } from '../../shared/numbers';
import { Empty, Page, Waiting, Wide } from '../../shared/page';
import { Failed } from '../../shared/problem';
import { When } from '../../shared/when';
import { useCategory } from '../categories/category';
import { GateNotices } from '../categories/gate';
import { type Column, columnChosen, sorted } from './slice';
import { nameOf, Shared, Standing } from './standing';

export function AllWorkers() {
  const { data, error } = useWorkersQuery(undefined, LIVE);
  return (
    <Page title="Workers" lead="The annotators who joined, with their answers in all categories.">
      <GateNotices />
      <Failed error={error} />
      {!data && !error && <Waiting />}
      {data && <WorkersTable workers={data} />}
    </Page>
  );
}

export function CategoryWorkers() {
  const { name } = useCategory();
  const { data, error } = useCategoryWorkersQuery({ name }, LIVE);
  if (error) return <Failed error={error} />;
  return data ? <WorkersTable workers={data} /> : <Waiting />;
}

const COLUMNS: readonly (readonly [Column, string])[] = [
  ['name', 'Name'],
  ['assignments', 'Assignments'],
  ['answers', 'Answers'],
  ['gold', 'Accuracy on gold'],
  ['seconds', 'Seconds per picture'],
  ['joined', 'Joined'],
];

function WorkersTable({ workers }: { workers: readonly WorkerWire[] }) {
  const sorting = useAppSelector((state) => state.workers);
  const dispatch = useAppDispatch();
  if (workers.length === 0) {
    return (
      <Empty title="Nobody has joined yet">
        <p>Invite people from a category: everybody who opens the link gets a personal link and tasks.</p>
      </Empty>
    );
  }
  return (
    <Wide caption="Accuracy on gold with its 95 % interval; seconds are the median">
      <thead>
        <tr>
          {COLUMNS.map(([column, word]) => {
            const here = sorting.column === column;
            const order = here ? (sorting.descending ? 'descending' : 'ascending') : 'none';
            return (
              <th key={column} scope="col" aria-sort={order}>
                <UnstyledButton className="sort" onClick={() => dispatch(columnChosen(column))}>
                  {word} <span aria-hidden="true">{here ? (sorting.descending ? '↓' : '↑') : ''}</span>
                </UnstyledButton>
              </th>
            );
          })}
          <th scope="col">Work</th>
        </tr>
      </thead>
      <tbody>
        {sorted(workers, sorting).map((worker) => (
          <Row key={worker.id} worker={worker} />
        ))}
      </tbody>
    </Wide>
  );
}

function Row({ worker }: { worker: WorkerWire }) {
  return (
    <tr>
      <th scope="row">{nameOf(worker)}</th>
      <td>
        {whole(worker.assignments)}
        <Verdicts worker={worker} />
      </td>
      <td>{whole(worker.answers)}</td>
      <td>
        <Gold worker={worker} />
      </td>
      <td>{worker.seconds == null ? '' : duration(worker.seconds)}</td>
      <td>
        <When ms={worker.joined_ms} />
      </td>
      <td className="roomy">
        <Standing worker={worker} />
        <Shared worker={worker} />
      </td>
    </tr>
  );
}

function Verdicts({ worker }: { worker: WorkerWire }) {
  const told = [
    worker.accepted && `${worker.accepted} accepted`,
    worker.weighted && `${worker.weighted} accepted with less weight`,
    worker.provisional && `${worker.provisional} of them not judged for good`,
    worker.rejected && `${worker.rejected} rejected`,
  ].filter(Boolean);
  return told.length ? <span className="quiet"> · {told.join(', ')}</span> : null;
}

function Gold({ worker }: { worker: WorkerWire }) {
  const found = wilson(worker.gold_right, worker.gold_shown);
  if (!found) return <span className="quiet">none shown</span>;
  return (
    <>
      {percent(found.share)}
      <span className="quiet under">
        {percent(found.lower, 0)} to {percent(found.upper, 0)}, {worker.gold_right} of {worker.gold_shown}
      </span>
    </>
  );
}
