/** The page: take a folder, judge it, and say what came of it. */
import './look.css';
import { chosen, dropped } from './dropped';
import type { Directory } from './files/layout';
import { shown, size } from './shown';
import { verify } from './verify';

function part<T extends HTMLElement>(id: string): T {
  return document.getElementById(id) as T;
}

const drop = part('drop');
const folder = part<HTMLInputElement>('folder');
const work = part('work');
const step = part('step');
const bar = part<HTMLProgressElement>('bar');
const amount = part('amount');
const result = part('verdict');
let turn = 0;

/** Judge what `read` gives; a folder that comes meanwhile takes its place. */
async function judge(read: () => Directory | Promise<Directory>): Promise<void> {
  turn += 1;
  const mine = turn;
  result.hidden = true;
  work.hidden = false;
  told('Looking at the files', 0, 0);
  let children: (Node | string)[];
  let answer = '';
  try {
    const directory = await read();
    const verdict = await verify(directory, (...now) => {
      if (mine === turn) told(...now);
    });
    children = shown(verdict, directory.name);
    answer = verdict.answer;
  } catch (error) {
    children = [
      `The folder could not be read: ${error instanceof Error ? error.message : String(error)}. Choose it with the button.`,
    ];
  }
  if (mine !== turn) return;
  work.hidden = true;
  result.dataset.answer = answer;
  result.replaceChildren(...children);
  result.hidden = false;
  result.focus();
}

let last = 0;
function told(name: string, done: number, all: number): void {
  const now = performance.now();
  if (step.textContent === name && now - last < 100 && done < all) return;
  last = now;
  if (step.textContent !== name) step.textContent = name;
  bar.value = all ? done / all : 0;
  amount.textContent = all ? `${size(done)} of ${size(all)}` : '';
}

folder.addEventListener('change', () => {
  const { files } = folder;
  if (!files?.length) return;
  const found = chosen(files);
  folder.value = ''; // so that the same folder can be chosen again
  void judge(() => found);
});
// a folder that misses the frame must not be opened by the browser in the place of this page
document.addEventListener('dragover', (event) => {
  event.preventDefault();
  drop.classList.add('over');
});
document.addEventListener('dragleave', (event) => {
  if (event.relatedTarget === null) drop.classList.remove('over');
});
document.addEventListener('drop', (event) => {
  event.preventDefault();
  drop.classList.remove('over');
  const { dataTransfer } = event;
  if (!dataTransfer) return;
  const found = dropped(dataTransfer);
  void judge(() => found);
});
