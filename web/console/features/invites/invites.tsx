import { Button } from '@mantine/core';
import { useState } from 'react';
import type { InviteWire } from '../../../wire/generated';
import { useInvitesQuery, useRevokeInviteMutation } from '../../app/api';
import { Copy } from '../../shared/copy';
import { LIVE } from '../../shared/live';
import { count, whole } from '../../shared/numbers';
import { Empty, Page, Waiting, Wide } from '../../shared/page';
import { Failed } from '../../shared/problem';
import { When } from '../../shared/when';
import { InviteButton } from './make';

export function Invites() {
  const { data, error } = useInvitesQuery(undefined, LIVE);
  return (
    <Page
      title="Invites"
      lead="An invite is one link for many people. Everybody who opens it gets a personal link."
      actions={<InviteButton category="" primary={data?.length === 0} />}
    >
      <Failed error={error} />
      {!data && !error && <Waiting />}
      {data?.length === 0 && (
        <Empty title="No invite yet">
          <p>An invite made here is for every category. An invite made in a category is for that category only.</p>
        </Empty>
      )}
      {data && data.length > 0 && (
        <Wide caption="Newest first">
          <thead>
            <tr>
              <th scope="col">Note</th>
              <th scope="col">Link</th>
              <th scope="col">Category</th>
              <th scope="col">People</th>
              <th scope="col">Made</th>
              <th scope="col">Revoke</th>
            </tr>
          </thead>
          <tbody>
            {data.map((invite) => (
              <Row key={invite.id} invite={invite} />
            ))}
          </tbody>
        </Wide>
      )}
    </Page>
  );
}

function Row({ invite }: { invite: InviteWire }) {
  return (
    <tr>
      <th scope="row">{invite.note || <span className="quiet">no note</span>}</th>
      <td>
        {invite.revoked ? <span className="quiet">revoked</span> : <Copy text={invite.link} what="Copy the link" />}
      </td>
      <td>{invite.category || 'all'}</td>
      <td>{whole(invite.people)}</td>
      <td>
        <When ms={invite.created_ms} />
      </td>
      <td>{!invite.revoked && <Revoke invite={invite} />}</td>
    </tr>
  );
}

/** Asked twice, in place: it ends the work of everybody who came by it. */
function Revoke({ invite }: { invite: InviteWire }) {
  const [sure, setSure] = useState(false);
  const [revoke, { error, isLoading }] = useRevokeInviteMutation();
  if (!sure) {
    return (
      <Button variant="default" size="xs" onClick={() => setSure(true)}>
        Revoke
      </Button>
    );
  }
  return (
    <>
      <span className="row">
        <Button variant="default" size="xs" loading={isLoading} onClick={() => revoke({ invite: invite.id })}>
          {invite.people > 0 ? `Revoke, and end the work of ${count(invite.people, 'person', 'people')}` : 'Revoke'}
        </Button>
        <Button variant="default" size="xs" onClick={() => setSure(false)}>
          Keep
        </Button>
      </span>
      {invite.people > 0 && (
        <p className="quiet">
          They get no more tasks, and what they have begun ends. What they have sent stays. Under Workers you can let
          single people go on.
        </p>
      )}
      <Failed error={error} />
    </>
  );
}
