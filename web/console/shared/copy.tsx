import { Button, CopyButton } from '@mantine/core';

/** A text with a button that copies it. */
export function Copy({ text, what = 'Copy' }: { text: string; what?: string }) {
  return (
    <CopyButton value={text}>
      {({ copied, copy }) => (
        <Button variant="default" size="xs" onClick={copy}>
          {copied ? 'Copied' : what}
        </Button>
      )}
    </CopyButton>
  );
}

/** The next command, ready to be copied. */
export function Command({ text }: { text: string }) {
  return (
    <div className="command">
      <code>{text}</code>
      <Copy text={text} />
    </div>
  );
}

/** A sentence of the server's in which `commands` stand between backticks. */
export function WithCommands({ text }: { text: string }) {
  const parts = text.split('`');
  return (
    <>
      {parts.map((part, index) =>
        // biome-ignore lint/suspicious/noArrayIndexKey: parts of one sentence have no other name than their place
        index % 2 === 1 ? <code key={index}>{part}</code> : <span key={index}>{part}</span>,
      )}
    </>
  );
}

/** The commands of such a sentence. */
export function commandsIn(text: string): string[] {
  return text.split('`').filter((_, index) => index % 2 === 1);
}
