/** Whether a worker gets work, who shares a device or an address with them, and what the owner decides. */

import { Button, Modal, TextInput } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import type { WorkerWire } from '../../../wire/generated';
import { useAdmitWorkerMutation, useExcludeWorkerMutation } from '../../app/api';
import { count } from '../../shared/numbers';
import { Failed } from '../../shared/problem';

const WORDS: Record<WorkerWire['standing'], string> = {
  free: '',
  waiting: 'Waits for you: they, or somebody at their device, were rejected too often or excluded',
  excluded: 'Excluded',
  closed: 'Their invite was revoked',
};

export function nameOf(worker: WorkerWire) {
  return worker.name || (worker.owner ? 'The owner' : <span className="quiet">{worker.id.slice(-6)}</span>);
}

/** A shared device makes people one; a shared address is told, and means nothing by itself. */
export function Shared({ worker }: { worker: WorkerWire }) {
  const { same_device: device, same_address: address } = worker;
  return (
    <>
      {device > 0 && (
        <span className="quiet under">shares a device with {count(device, 'other', 'others')}, counts once</span>
      )}
      {address > 0 && <span className="quiet under">shares an address with {count(address, 'other', 'others')}</span>}
    </>
  );
}

export function Standing({ worker }: { worker: WorkerWire }) {
  const [asked, setAsked] = useState(false);
  const [admit, { error, isLoading }] = useAdmitWorkerMutation();
  if (worker.owner) return null;
  const { id, standing, excluded_why: why } = worker;
  return (
    <>
      {standing !== 'free' && (
        <p>
          {WORDS[standing]}
          {why && <span className="quiet under">{why}</span>}
        </p>
      )}
      <span className="row">
        {standing !== 'free' && (
          <Button variant="default" size="xs" loading={isLoading} onClick={() => admit({ worker: id })}>
            Let go on
          </Button>
        )}
        {standing !== 'excluded' && (
          <Button variant="default" size="xs" onClick={() => setAsked(true)}>
            Exclude
          </Button>
        )}
      </span>
      <Failed error={error} />
      <Modal opened={asked} onClose={() => setAsked(false)} title="Exclude this worker?">
        <Reason worker={worker} close={() => setAsked(false)} />
      </Modal>
    </>
  );
}

function Reason({ worker, close }: { worker: WorkerWire; close: () => void }) {
  const [why, setWhy] = useState('');
  const [exclude, { error, isLoading }] = useExcludeWorkerMutation();
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const done = await exclude({ worker: worker.id, exclusion: { why } });
    if (!done.error) close();
  };
  return (
    <form onSubmit={submit} className="stack">
      <p>
        {nameOf(worker)} gets no more tasks, and what they have begun ends. What they have sent stays and is paid. You
        can let them in again.
      </p>
      <TextInput
        label="Reason"
        description="They read it on their page."
        value={why}
        onChange={(event) => setWhy(event.currentTarget.value)}
        pattern=".*\S.*"
        maxLength={500}
        required
        data-autofocus
      />
      <Failed error={error} />
      <div className="row end">
        <Button variant="default" onClick={close}>
          Cancel
        </Button>
        <Button type="submit" loading={isLoading}>
          Exclude
        </Button>
      </div>
    </form>
  );
}
