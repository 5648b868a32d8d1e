import { Button, Modal, TextInput } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { useAddInviteMutation } from '../../app/api';
import { Command } from '../../shared/copy';
import { Failed } from '../../shared/problem';

interface InviteButtonProps {
  /** Empty for all categories. */
  category: string;
  primary: boolean;
}

export function InviteButton({ category, primary }: InviteButtonProps) {
  const [opened, setOpened] = useState(false);
  return (
    <>
      <Button variant={primary ? 'filled' : 'default'} onClick={() => setOpened(true)}>
        Invite people
      </Button>
      <Modal opened={opened} onClose={() => setOpened(false)} title="Invite people">
        <Form category={category} />
      </Modal>
    </>
  );
}

function Form({ category }: { category: string }) {
  const [note, setNote] = useState('');
  const [add, { data, error, isLoading }] = useAddInviteMutation();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void add({ newInvite: { category, note } });
  };
  if (data) {
    return (
      <div className="stack" role="status">
        <p>Send this link to people. Everybody who opens it gets a personal link, which is their account.</p>
        <Command text={data.link} />
        <p className="quiet">The link stays under Invites, where you can revoke it.</p>
      </div>
    );
  }
  return (
    <form onSubmit={submit} className="stack">
      <p>
        {category ? `This invite is for tasks of ${category} only.` : 'This invite is for tasks of every category.'}{' '}
        Many people can use the same link.
      </p>
      <TextInput
        label="Note"
        description="Who the invite is for. Workers do not see this note."
        value={note}
        onChange={(event) => setNote(event.currentTarget.value)}
        maxLength={200}
        data-autofocus
      />
      <Failed error={error} />
      <div className="row end">
        <Button type="submit" loading={isLoading}>
          Make the link
        </Button>
      </div>
    </form>
  );
}
