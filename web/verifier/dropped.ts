/** The files of a folder that was dropped or chosen. */
import type { Directory } from './files/layout';

/** What was chosen with the folder button. A browser tells no empty folders there. */
export function chosen(list: FileList): Directory {
  const found: Directory = { name: '', files: new Map(), folders: new Set() };
  for (const file of list) {
    const [root = '', ...rest] = (file.webkitRelativePath || `/${file.name}`).split('/');
    found.name = root;
    found.files.set(rest.join('/'), file);
    for (let depth = 1; depth < rest.length; depth += 1) found.folders.add(rest.slice(0, depth).join('/'));
  }
  return found;
}

/** What was dropped: one folder, or the files and folders of one. */
export async function dropped(transfer: DataTransfer): Promise<Directory> {
  // all must be asked for at once: after the first wait the browser forgets what was dropped
  const items = [...transfer.items].filter(({ kind }) => kind === 'file');
  const roots = await Promise.all(items.map(rootOf));
  const [only] = roots;
  const inside = roots.length === 1 && only?.children !== undefined ? await only.children() : roots;
  const found: Directory = { name: roots.length === 1 ? (only?.name ?? '') : '', files: new Map(), folders: new Set() };
  await gather(found, '', inside);
  return found;
}

/** A file or a folder, by either of the two ways in which browsers tell of a drop. */
interface Entry {
  name: string;
  file?: () => Promise<File>;
  children?: () => Promise<Entry[]>;
}

async function gather(found: Directory, path: string, entries: Entry[]): Promise<void> {
  for (const { name, file, children } of entries) {
    if (file) found.files.set(path + name, await file());
    if (children) {
      found.folders.add(path + name);
      await gather(found, `${path}${name}/`, await children());
    }
  }
}

type Handle = FileSystemFileHandle | FileSystemDirectoryHandle;
type ItemOfChromium = DataTransferItem & { getAsFileSystemHandle?: () => Promise<Handle | null> };

function rootOf(item: ItemOfChromium): Promise<Entry> {
  // a page that was opened as a file may not read the older kind of entry in Chromium, but this one it may
  const asked = item.getAsFileSystemHandle?.();
  const entry = item.webkitGetAsEntry();
  const plain = item.getAsFile();
  const older = (): Entry => {
    if (entry) return ofEntry(entry);
    if (plain) return { name: plain.name, file: async () => plain };
    throw new Error('this browser does not tell what was dropped; choose the folder with the button');
  };
  if (asked === undefined) return Promise.resolve(older());
  return asked.then((handle) => (handle ? ofHandle(handle) : older()));
}

function ofHandle(handle: Handle): Entry {
  if (handle.kind === 'file') return { name: handle.name, file: () => (handle as FileSystemFileHandle).getFile() };
  const children = async (): Promise<Entry[]> => {
    const found: Entry[] = [];
    const folder = handle as FileSystemDirectoryHandle & { values: () => AsyncIterable<Handle> };
    for await (const child of folder.values()) found.push(ofHandle(child));
    return found;
  };
  return { name: handle.name, children };
}

function ofEntry(entry: FileSystemEntry): Entry {
  const { name } = entry;
  if (entry.isFile) {
    return { name, file: () => new Promise((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject)) };
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  const some = (): Promise<FileSystemEntry[]> => new Promise((resolve, reject) => reader.readEntries(resolve, reject));
  const children = async (): Promise<Entry[]> => {
    const found: Entry[] = [];
    for (let more = await some(); more.length > 0; more = await some()) found.push(...more.map(ofEntry));
    return found;
  };
  return { name, children };
}
