/** Which files a release may have, and that the manifest tells of each. */
import { must, Unreadable, Wrong } from '../proof/faults';
import { CARD } from './card';
import { type Format, MANIFEST, type Manifest } from './manifest';
import { fileDigest, type Progress } from './reading';
import { TABLE } from './table';

/** The files of a directory by their paths, and its folders. */
export interface Directory {
  name: string;
  files: Map<string, Blob>;
  folders: Set<string>;
}

export const SIGNATURE = 'audit-log.sig';
const PROOF = ['certificate.json', 'audit-log.jsonl', 'pool.parquet', 'evidence.parquet'];
const IMAGE = /^images\/([0-9a-f]{64})\.[A-Za-z0-9]+$/;
const AT_A_TIME = 6;

/** A file of the directory; without it nothing can be judged. */
export function fileOf({ files }: Directory, path: string): Blob {
  const found = files.get(path);
  if (found === undefined) throw new Unreadable(path, 'this file is not there');
  return found;
}

/** Every file and folder has a place in a release of these formats, and those that must be there are. */
export function checkLayout({ files, folders }: Directory, manifest: Manifest): void {
  const { formats } = manifest;
  const fixed = new Set([...PROOF, CARD, MANIFEST, SIGNATURE, ...(formats.has('table') ? [TABLE] : [])]);
  for (const path of files.keys()) {
    const placed =
      fixed.has(path) ||
      (formats.has('folder') && IMAGE.test(path)) ||
      (formats.has('webdataset') && isShard(path, manifest.category));
    must(placed, path, 'no file of a release with these formats has this name');
  }
  for (const path of [CARD, ...(formats.has('table') ? [TABLE] : [])])
    must(files.has(path), path, 'this file is not there');
  const holds: [string, Format][] = [
    ['images', 'folder'],
    ['webdataset', 'webdataset'],
  ];
  for (const folder of folders) {
    must(
      holds.some(([name, format]) => name === folder && formats.has(format)),
      folder,
      'no folder of a release with these formats has this name',
    );
  }
}

/** Whether a path is that of a shard of this category. */
export function isShard(path: string, category: string): boolean {
  const start = `webdataset/${category}-`;
  return path.startsWith(start) && /^[0-9]{6}\.tar$/.test(path.slice(start.length));
}

/** The manifest lists exactly the other files, with their sizes. */
export function checkListed({ files }: Directory, manifest: Manifest): void {
  for (const [path, { bytes }] of manifest.files) {
    const file = files.get(path);
    if (file === undefined) throw new Wrong(path, 'the manifest lists this file, but it is not there');
    must(file.size === bytes, path, `it has ${file.size} bytes, but ${bytes} by the manifest`);
  }
  for (const path of files.keys()) {
    must(path === MANIFEST || manifest.files.has(path), path, 'the manifest does not list this file');
  }
}

/** The hashes of these files are those of the manifest; a released file is also named by it. Tells each that is not. */
export async function checkHashes(
  { files }: Directory,
  manifest: Manifest,
  paths: string[],
  { progress, wrong }: { progress: Progress; wrong: (error: unknown) => void },
): Promise<void> {
  const waiting = [...paths];
  const one = async (): Promise<void> => {
    for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
      const file = files.get(path);
      if (file === undefined) continue;
      try {
        checkHash(path, await fileDigest(file, path, progress), manifest);
      } catch (error) {
        wrong(error);
      }
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, one));
}

function checkHash(path: string, digest: string, manifest: Manifest): void {
  must(digest === manifest.files.get(path)?.sha256, path, 'its SHA-256 is not that of the manifest');
  const id = IMAGE.exec(path)?.[1];
  must(id === undefined || id === digest, path, 'its bytes are another image than its name says');
}

/** The files of `images/` are the released images, each once. */
export function checkFolder({ files }: Directory, released: ReadonlyMap<string, unknown>): void {
  const seen = new Set<string>();
  for (const path of files.keys()) {
    const id = IMAGE.exec(path)?.[1];
    if (id === undefined) continue;
    must(released.has(id), path, 'by the proof this image is not released');
    must(!seen.has(id), path, 'this image is there twice');
    seen.add(id);
  }
  for (const id of released.keys())
    must(seen.has(id), `images/${id}`, 'by the proof this image is released, but it is not there');
}
