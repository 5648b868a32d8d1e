import { Button } from '@mantine/core';
import { useState } from 'react';
import { Link } from 'react-router';
import type { CategoryWire } from '../../../wire/generated';
import { useCategoriesQuery } from '../../app/api';
import { Command, WithCommands } from '../../shared/copy';
import { LIVE } from '../../shared/live';
import { count } from '../../shared/numbers';
import { Empty, Page, Waiting } from '../../shared/page';
import { Failed } from '../../shared/problem';
import { AddCategory } from './add';
import { PoolBar } from './bar';

export function Categories() {
  const { data, error } = useCategoriesQuery(undefined, LIVE);
  const [adding, setAdding] = useState(false);
  const add = (
    <Button variant={data?.length === 0 ? 'filled' : 'default'} onClick={() => setAdding(true)}>
      Add a category
    </Button>
  );
  return (
    <Page
      title="Categories"
      lead="Each category is one yes/no question. All categories share the pictures."
      actions={add}
    >
      <Failed error={error} />
      {!data && !error && <Waiting />}
      {data?.length === 0 && (
        <Empty title="No category yet">
          <p>A category is one yes/no question about pictures. Add it here, or in the terminal:</p>
          <Command text='thresher category add car --question "Does this image contain a car?"' />
        </Empty>
      )}
      <ul className="cards">
        {data?.map((category) => (
          <Card key={category.name} category={category} />
        ))}
      </ul>
      <AddCategory opened={adding} close={() => setAdding(false)} />
    </Page>
  );
}

function Card({ category }: { category: CategoryWire }) {
  return (
    <li className="card">
      <div className="card-head">
        <h2>
          <Link to={`/categories/${category.name}`}>{category.name}</Link>
        </h2>
        <span className="quiet number">{count(category.images, 'picture')}</span>
      </div>
      <p>{category.question}</p>
      <PoolBar counts={category} small />
      <p className="quiet waits">
        <WithCommands text={category.waits_for} />
      </p>
      {category.gate.provisional && (
        <p className="gate small">Its gate is provisional: too little gold is confirmed.</p>
      )}
    </li>
  );
}
