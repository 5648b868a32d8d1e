import { Button } from '@mantine/core';
import { useState } from 'react';
import type { TaskWire } from '../../../wire/generated';
import { useTasksQuery } from '../../app/api';
import { LIVE } from '../../shared/live';
import { whole } from '../../shared/numbers';
import { Empty, Waiting, Wide } from '../../shared/page';
import { Failed } from '../../shared/problem';
import { When } from '../../shared/when';
import { useCategory } from '../categories/category';
import { UploadButton } from './upload';

const PAGE = 100;

export function Tasks() {
  const { name } = useCategory();
  const [starts, setStarts] = useState([0]);
  return (
    <>
      <div className="row end">
        <UploadButton category={name} />
      </div>
      {starts.map((after, index) => (
        <Sheet
          key={after}
          name={name}
          after={after}
          last={index === starts.length - 1}
          more={(next) => setStarts([...starts, next])}
        />
      ))}
    </>
  );
}

interface SheetProps {
  name: string;
  after: number;
  last: boolean;
  more: (after: number) => void;
}

function Sheet({ name, after, last, more }: SheetProps) {
  const { data, error } = useTasksQuery({ name, after, limit: PAGE }, LIVE);
  if (error) return <Failed error={error} />;
  if (!data) return <Waiting />;
  const end = data.at(-1);
  if (!end) {
    return after > 0 ? null : (
      <Empty title="No task yet">
        <p>The loop makes tasks by itself. You can also make a task from your own list of pictures.</p>
      </Empty>
    );
  }
  return (
    <>
      <Wide caption={after > 0 ? `Tasks after no. ${after}` : 'Tasks, in the order they were made'}>
        <thead>
          <tr>
            <th scope="col">No.</th>
            <th scope="col">Name</th>
            <th scope="col">For</th>
            <th scope="col">Pictures</th>
            <th scope="col">Done</th>
            <th scope="col">In progress</th>
            <th scope="col">Made</th>
          </tr>
        </thead>
        <tbody>
          {/* a withdrawn task keeps its number and has no places */}
          {data
            .filter((task) => task.places > 0)
            .map((task) => (
              <Row key={task.number} task={task} />
            ))}
        </tbody>
      </Wide>
      {last && data.length === PAGE && (
        <Button className="more" variant="default" onClick={() => more(end.number)}>
          Show more
        </Button>
      )}
    </>
  );
}

function Row({ task }: { task: TaskWire }) {
  return (
    <tr>
      <th scope="row">{task.number}</th>
      <td>{task.name || <span className="quiet">made by the loop</span>}</td>
      <td>{task.owner_only ? 'the owner' : 'workers'}</td>
      <td>{whole(task.images)}</td>
      <td>
        {task.done} of {task.places}
      </td>
      <td>{Math.max(0, task.taken - task.done)}</td>
      <td>
        <When ms={task.published_ms} />
      </td>
    </tr>
  );
}
