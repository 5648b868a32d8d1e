import { Button, Checkbox, Modal, Textarea, TextInput } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import type { CategoryWire, Reword } from '../../../wire/generated';
import { useQuestionsQuery, useRewordQuestionMutation } from '../../app/api';
import { Failed } from '../../shared/problem';

/** Another wording, another question, or an earlier one again. */
export function RewordButton({ category }: { category: CategoryWire }) {
  const [opened, setOpened] = useState(false);
  return (
    <>
      <Button variant="default" onClick={() => setOpened(true)}>
        Reword
      </Button>
      <Modal opened={opened} onClose={() => setOpened(false)} title="Reword the question">
        <Form category={category} close={() => setOpened(false)} />
      </Modal>
    </>
  );
}

function Form({ category, close }: { category: CategoryWire; close: () => void }) {
  const { name, version } = category;
  const [question, setQuestion] = useState(category.question);
  const [instructions, setInstructions] = useState(category.instructions);
  const [keep, setKeep] = useState(false);
  const [confirmed, setConfirmed] = useState(false);
  const [reword, { error, isLoading }] = useRewordQuestionMutation();
  const change = async (wanted: Reword) => {
    const done = await reword({ name, reword: { ...wanted, confirmed } });
    if (!done.error) close();
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void change({ question, instructions, keep_answers: keep });
  };
  return (
    <form onSubmit={submit} className="stack">
      <TextInput
        label="Question"
        value={question}
        onChange={(event) => setQuestion(event.currentTarget.value)}
        minLength={3}
        maxLength={500}
        required
        data-autofocus
      />
      <Textarea
        label="Instructions"
        description="New instructions alone keep all answers."
        value={instructions}
        onChange={(event) => setInstructions(event.currentTarget.value)}
        maxLength={5000}
        rows={4}
      />
      <Checkbox
        label="Only the wording changed: keep all answers"
        description="Otherwise it is another question, for which the answers so far do not count."
        checked={keep}
        onChange={(event) => setKeep(event.currentTarget.checked)}
      />
      <Failed error={error} />
      {error && (
        <Checkbox
          label="Do it all the same"
          checked={confirmed}
          onChange={(event) => setConfirmed(event.currentTarget.checked)}
        />
      )}
      <Earlier name={name} version={version} back={(earlier) => void change({ version: earlier })} />
      <div className="row end">
        <Button variant="default" onClick={close}>
          Cancel
        </Button>
        <Button type="submit" loading={isLoading}>
          Change the question
        </Button>
      </div>
    </form>
  );
}

/** The other versions, each as it was worded last, with the way back to it. */
function Earlier({ name, version, back }: { name: string; version: number; back: (version: number) => void }) {
  const { data } = useQuestionsQuery({ name });
  const last = new Map(data?.map((asked) => [asked.version, asked.text]));
  last.delete(version);
  return [...last].map(([earlier, text]) => (
    <div key={earlier} className="row">
      <p className="quiet grow">
        Version {earlier}: {text}
      </p>
      <Button variant="default" size="xs" onClick={() => back(earlier)}>
        Ask it again
      </Button>
    </div>
  ));
}
