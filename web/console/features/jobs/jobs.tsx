import { Button } from '@mantine/core';
import type { JobWire } from '../../../wire/generated';
import { useCancelJobMutation, useJobsQuery } from '../../app/api';
import { LIVE } from '../../shared/live';
import { whole } from '../../shared/numbers';
import { Empty, Page, Waiting, Wide } from '../../shared/page';
import { Failed } from '../../shared/problem';
import { When } from '../../shared/when';

export function Jobs() {
  const { data, error } = useJobsQuery({}, LIVE);
  return (
    <Page
      title="Jobs"
      lead="Each job runs in its own process. It continues when this page is closed or the server stops."
    >
      <Failed error={error} />
      {!data && !error && <Waiting />}
      {data?.length === 0 && (
        <Empty title="No job yet">
          <p>Jobs appear here when a loop or a harvest starts.</p>
        </Empty>
      )}
      {data && data.length > 0 && (
        <Wide caption="Newest first">
          <thead>
            <tr>
              <th scope="col">Job</th>
              <th scope="col">Category</th>
              <th scope="col">State</th>
              <th scope="col">Progress</th>
              <th scope="col">Started</th>
              <th scope="col">Last heartbeat</th>
              <th scope="col">Cancel</th>
            </tr>
          </thead>
          <tbody>
            {data.map((job) => (
              <Row key={job.id} job={job} />
            ))}
          </tbody>
        </Wide>
      )}
    </Page>
  );
}

const STATES: Record<string, string> = { running: 'good', done: '', failed: 'bad', cancelled: 'warn', lost: 'bad' };

function Row({ job }: { job: JobWire }) {
  const [cancel, { error, isLoading }] = useCancelJobMutation();
  return (
    <tr>
      <th scope="row">{job.kind}</th>
      <td>{job.category}</td>
      <td>
        <span className={`machine ${STATES[job.state] ?? ''}`}>{job.state}</span>
      </td>
      <td>
        {job.total > 0 && `${whole(job.done)} of ${whole(job.total)} `}
        <span className="quiet">{job.message}</span>
      </td>
      <td>
        <When ms={job.created_ms} />
      </td>
      <td>
        <When ms={job.heartbeat_ms} />
      </td>
      <td>
        {job.state === 'running' && (
          <Button variant="default" size="xs" loading={isLoading} onClick={() => cancel({ job: job.id })}>
            Cancel
          </Button>
        )}
        <Failed error={error} />
      </td>
    </tr>
  );
}
