/**
 * Records the quickstart as docs/quickstart.svg: npm run recording. It runs on a terminal, and the picture shows what was printed,
 * in the time that it took; longer pauses are cut.
 */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Recorder } from './recording/recorder.ts';
import { draw } from './recording/svg.ts';

const root = path.resolve(import.meta.dirname, '..');
/** Wide enough for every line that the quickstart prints on a terminal. */
const columns = 120;

const recorder = new Recorder(columns);
await recorder.run([process.execPath, 'test/quickstart/main.ts'], root);
const lines = recorder.lines();
const begin = lines.findIndex(({ text }) => text.startsWith('# Create an Inventory'));
const end = lines.findIndex(({ text }) => text.startsWith('# Deregister'));
if (begin < 0 || end < begin)
  throw new Error('The quickstart did not print the lines that the recording begins and ends with.');
await writeFile(path.join(root, 'docs/quickstart.svg'), draw(lines.slice(begin, end), columns));
