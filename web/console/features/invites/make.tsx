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
        <p>Hand this link out. Whoever opens it gets a personal link, which is their account.</p>
        <Command text={data.link} />
        <p className="quiet">You find it again under Invites, where you can revoke it.</p>
      </div>
    );
  }
  return (
    <form onSubmit={submit} className="stack">
      <p>
        {category ? `An invite gives work in ${category} only.` : 'An invite gives work in every category.'} One link
        can be handed to many people.
      </p>
      <TextInput
        label="Note"
        description="For yourself: who it is for. Workers do not see it."
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
