import { Button, FileButton, Modal, Textarea, TextInput } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import type { Uploaded } from '../../../wire/generated';
import { useUploadTaskMutation } from '../../app/api';
import { count, whole } from '../../shared/numbers';
import { Failed } from '../../shared/problem';
import { idsIn } from './ids';

export function UploadButton({ category }: { category: string }) {
  const [opened, setOpened] = useState(false);
  return (
    <>
      <Button variant="default" onClick={() => setOpened(true)}>
        Make a task from a list
      </Button>
      <Modal opened={opened} onClose={() => setOpened(false)} title="Make a task from a list">
        <Form category={category} close={() => setOpened(false)} />
      </Modal>
    </>
  );
}

function Form({ category, close }: { category: string; close: () => void }) {
  const [name, setName] = useState('');
  const [text, setText] = useState('');
  const [upload, { data, error, isLoading }] = useUploadTaskMutation();
  const { images, problem } = idsIn(text);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!problem) void upload({ name: category, upload: { name, images } });
  };
  const read = async (file: File | null) => {
    if (!file) return;
    setText(await file.text());
    if (!name) setName(file.name.replace(/\.[^.]*$/, ''));
  };
  if (data) return <Told uploaded={data} close={close} />;
  return (
    <form onSubmit={submit} className="stack">
      <TextInput
        label="Name of the task"
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
        maxLength={120}
        required
        data-autofocus
      />
      <Textarea
        label="Images"
        description="One image per line, by file name, URL or SHA-256; or a CSV with a column image, file or url."
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
        rows={8}
        required
        error={text.trim() === '' ? undefined : problem || undefined}
      />
      <div className="row">
        <FileButton accept=".txt,.csv,text/plain,text/csv" onChange={read}>
          {(props) => (
            <Button variant="default" {...props}>
              Read a file
            </Button>
          )}
        </FileButton>
        <p className="quiet grow">{images.length > 0 && count(images.length, 'image')}</p>
      </div>
      <Failed error={error} />
      <div className="row end">
        <Button variant="default" onClick={close}>
          Cancel
        </Button>
        <Button type="submit" loading={isLoading} disabled={text.trim() !== '' && problem !== ''}>
          Make the task
        </Button>
      </div>
    </form>
  );
}

/** What became of the list: the tasks, what is known already, and the names nobody here knows. */
function Told({ uploaded, close }: { uploaded: Uploaded; close: () => void }) {
  const { tasks, images, known, known_names, unknown, unknown_names } = uploaded;
  return (
    <div className="stack">
      <p role="status">
        {images > 0
          ? `${count(tasks.length, 'task')} made from ${count(images, 'image')} (${tasks.map((task) => `no. ${task}`).join(', ')}).`
          : known > 0
            ? 'Nothing is left to ask about, so no task was made.'
            : 'None of these images is in the pool, so no task was made.'}
      </p>
      {known > 0 && (
        <>
          <p>
            {whole(known)} {known === 1 ? 'image is' : 'images are'} gold. They stay gold, and these tasks show them as
            such{known > known_names.length && `; the first ${known_names.length}`}:
          </p>
          <ul className="names">
            {known_names.map(({ image, says }) => (
              <li key={image}>
                <code>{image}</code> {says}
              </li>
            ))}
          </ul>
        </>
      )}
      {unknown > 0 && (
        <>
          <p>
            {whole(unknown)} {unknown === 1 ? 'name is' : 'names are'} not in this pool
            {unknown > unknown_names.length && `; the first ${unknown_names.length}`}:
          </p>
          <ul className="names">
            {unknown_names.map((name) => (
              <li key={name}>
                <code>{name}</code>
              </li>
            ))}
          </ul>
        </>
      )}
      <div className="row end">
        <Button onClick={close}>Done</Button>
      </div>
    </div>
  );
}
