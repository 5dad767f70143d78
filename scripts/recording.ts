/**
 * Records the quickstart as docs/quickstart.svg: npm run recording. It runs on a terminal, and the picture shows what was printed,
 * in the time that it took; longer pauses are cut.
 */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type Line, Recorder } from './recording/recorder.ts';
import { draw } from './recording/svg.ts';

const root = path.resolve(import.meta.dirname, '..');
/** Wide enough for every line that the quickstart prints on a terminal. */
const columns = 120;

const recorder = new Recorder(columns);
await recorder.run([process.execPath, 'test/quickstart/main.ts'], root);
await writeFile(
  path.join(root, 'docs/quickstart.svg'),
  draw(sectionsOf(recorder.lines()), columns),
);

/** The lines of the chosen parts of the quickstart; each begins with its title, `# …`. */
function sectionsOf(lines: readonly Line[]): Line[] {
  const chosen = [
    '# Create an Inventory',
    '# The request of',
    '# Put a workload',
    '# Show where it is',
  ];
  let isChosen = false;
  const found = lines.filter(({ text }) => {
    if (text.startsWith('# ')) isChosen = chosen.some((title) => text.startsWith(title));
    return isChosen;
  });
  const titles = found.filter(({ text }) => text.startsWith('# '));
  if (titles.length !== chosen.length)
    throw new Error(`The quickstart did not print ${chosen.join(', ')}.`);
  return found;
}
