import { Button, Modal, NumberInput, Textarea, TextInput } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { useNavigate } from 'react-router';
import { useAddCategoryMutation } from '../../app/api';
import { Failed } from '../../shared/problem';

const EMPTY = { name: '', question: '', instructions: '', precision: 95, recall: 90 };

export function AddCategory({ opened, close }: { opened: boolean; close: () => void }) {
  return (
    <Modal opened={opened} onClose={close} title="Add a category">
      <Form close={close} />
    </Modal>
  );
}

function Form({ close }: { close: () => void }) {
  const [values, setValues] = useState(EMPTY);
  const [add, { isLoading, error }] = useAddCategoryMutation();
  const navigate = useNavigate();
  const set = (changed: Partial<typeof EMPTY>) => setValues({ ...values, ...changed });
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const { name, question, instructions, precision, recall } = values;
    const targets = { precision: precision / 100, recall: recall / 100 };
    const added = await add({ newCategory: { name, question, instructions, targets } });
    if (added.error) return;
    close();
    navigate(`/categories/${name}`);
  };
  return (
    <form onSubmit={submit} className="stack">
      <TextInput
        label="Name"
        description="Short, for commands and files: lower-case letters, digits, . _ -"
        value={values.name}
        onChange={(event) => set({ name: event.currentTarget.value })}
        pattern="[a-z0-9][a-z0-9._\-]*"
        maxLength={64}
        required
        data-autofocus
      />
      <TextInput
        label="Question"
        description="People read it with each picture and answer yes, no or unsure."
        placeholder="Does this image contain a car?"
        value={values.question}
        onChange={(event) => set({ question: event.currentTarget.value })}
        minLength={3}
        maxLength={500}
        required
      />
      <Textarea
        label="Instructions"
        description="Say in a few sentences when the answer is yes and when it is no."
        value={values.instructions}
        onChange={(event) => set({ instructions: event.currentTarget.value })}
        maxLength={5000}
        rows={4}
      />
      <div className="row">
        <Target label="Target precision" value={values.precision} set={(precision) => set({ precision })} />
        <Target label="Target recall" value={values.recall} set={(recall) => set({ recall })} />
      </div>
      <Failed error={error} />
      <div className="row end">
        <Button variant="default" onClick={close}>
          Cancel
        </Button>
        <Button type="submit" loading={isLoading}>
          Add
        </Button>
      </div>
    </form>
  );
}

function Target({ label, value, set }: { label: string; value: number; set: (value: number) => void }) {
  return (
    <NumberInput
      className="grow"
      label={label}
      suffix=" %"
      min={1}
      max={100}
      value={value}
      onChange={(given) => typeof given === 'number' && set(given)}
    />
  );
}
