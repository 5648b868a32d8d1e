import { Button, PasswordInput } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { Mark } from '../../../look/mark';
import { useAppDispatch, useAppSelector } from '../../app/hooks';
import { Command } from '../../shared/copy';
import { keep } from './keep';
import { tokenGiven } from './slice';
import { tokenIn } from './token';

/** What a visitor without a token sees: where the link is, or a place for the token. */
export function Door() {
  const dispatch = useAppDispatch();
  const refused = useAppSelector((state) => state.session.refused);
  const [token, setToken] = useState('');
  const enter = (event: FormEvent) => {
    event.preventDefault();
    const given = tokenIn(token);
    keep(given);
    dispatch(tokenGiven(given));
  };
  return (
    <main className="door">
      <p className="brand">
        <Mark size={24} /> thresher
      </p>
      <h1>Open the console with its link</h1>
      <p>
        {refused
          ? 'The server does not accept the token of this page. Open the link that the server printed when it last started, or paste that link here.'
          : 'The server prints a link when it starts. Open that link, or paste it here.'}
      </p>
      <Command text="thresher serve" />
      <form onSubmit={enter} className="row">
        <PasswordInput
          className="grow"
          label="Link or token"
          value={token}
          onChange={(event) => setToken(event.currentTarget.value)}
          required
        />
        <Button type="submit">Open</Button>
      </form>
    </main>
  );
}
