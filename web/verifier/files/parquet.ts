/** Reading a Parquet table by columns: exactly the columns that the format names, each of its type. */
import { decompress } from 'fzstd';
import { type AsyncBuffer, type FileMetaData, parquetMetadataAsync, parquetRead, type SchemaElement } from 'hyparquet';
import { must, quoted, Unreadable } from '../proof/faults';

export type Kind = 'string' | 'int64' | 'int32' | 'float32' | 'bool';
export interface Cells {
  string: string | null;
  int64: number | null;
  int32: number | null;
  float32: number | null;
  bool: boolean | null;
}
export type Columns<S extends Record<string, Kind>> = { [K in keyof S]: Cells[S[K]][] };

const PHYSICAL: Record<Kind, string> = {
  string: 'BYTE_ARRAY',
  int64: 'INT64',
  int32: 'INT32',
  float32: 'FLOAT',
  bool: 'BOOLEAN',
};
/** More rows would not fit into the memory of a page. */
const MOST_ROWS = 20_000_000;

/** Read the columns that are `needed`. The table may have the others of `wanted`, which are information only, and no further ones. */
export async function readTable<S extends Record<string, Kind>, K extends keyof S & string>(
  file: Blob,
  where: string,
  wanted: S,
  needed: readonly K[],
): Promise<{ rows: number; columns: Pick<Columns<S>, K> }> {
  const buffer: AsyncBuffer = {
    byteLength: file.size,
    slice: (start, end) => file.slice(start, end).arrayBuffer(),
  };
  const metadata = await reading(where, () => parquetMetadataAsync(buffer, { geoparquet: false }));
  const rows = Number(metadata.num_rows);
  if (!(rows >= 0 && rows <= MOST_ROWS)) throw new Unreadable(where, `it has more than ${MOST_ROWS} rows`);
  typed(metadata, where, wanted, needed);
  const columns = Object.fromEntries(needed.map((name) => [name, new Array(rows).fill(null)]));
  const filled = Object.fromEntries(needed.map((name) => [name, 0]));
  await reading(where, () =>
    parquetRead({
      file: buffer,
      metadata,
      columns: [...needed],
      geoparquet: false,
      compressors: { ZSTD: (input, length) => decompress(input, new Uint8Array(length)) },
      onChunk: ({ columnName, columnData, rowStart }) => {
        const column = columns[columnName];
        if (column === undefined) return;
        for (let at = 0; at < columnData.length; at += 1) {
          const cell: unknown = columnData[at];
          column[rowStart + at] = typeof cell === 'bigint' ? Number(cell) : (cell ?? null);
        }
        filled[columnName] = (filled[columnName] ?? 0) + columnData.length;
      },
    }),
  );
  for (const name of needed) {
    if (filled[name] !== rows || columns[name]?.length !== rows) {
      throw new Unreadable(where, `its column ${quoted(name)} has not as many rows as the table`);
    }
  }
  return { rows, columns: columns as Pick<Columns<S>, K> };
}

function typed(metadata: FileMetaData, where: string, wanted: Record<string, Kind>, needed: readonly string[]): void {
  const [root, ...elements] = metadata.schema;
  const flat = root?.num_children === elements.length && elements.every((one) => !one.num_children);
  must(flat, where, 'its columns are nested');
  const names = elements.map(({ name }) => name);
  for (const name of names) {
    must(name in wanted, where, `it has a column that the format does not know: ${quoted(name)}`);
  }
  for (const [name, kind] of Object.entries(wanted)) {
    const found = elements.filter((one) => one.name === name);
    if (found.length === 0 && !needed.includes(name)) continue;
    must(found.length === 1, where, `it has ${found.length ? 'twice the' : 'no'} column ${quoted(name)}`);
    must(
      found.every((one) => isOf(kind, one)),
      where,
      `its column ${quoted(name)} is not of the type ${kind}`,
    );
  }
}

function isOf(kind: Kind, element: SchemaElement): boolean {
  const { type, repetition_type, converted_type, logical_type } = element;
  if (type !== PHYSICAL[kind] || repetition_type === 'REPEATED') return false;
  if (kind === 'string') return converted_type === 'UTF8' || logical_type?.type === 'STRING';
  if (kind === 'int32' || kind === 'int64') {
    const bits = kind === 'int32' ? 32 : 64;
    const plain = converted_type === undefined || converted_type === `INT_${bits}`;
    const signed = logical_type === undefined || (logical_type.type === 'INTEGER' && logical_type.isSigned);
    return plain && signed;
  }
  return logical_type === undefined && converted_type === undefined;
}

async function reading<T>(where: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    throw new Unreadable(
      where,
      `it cannot be read as Parquet (${error instanceof Error ? error.message : String(error)})`,
    );
  }
}
