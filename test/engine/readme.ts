/** The commands of README's first installation, and what has to differ where no public registry is reached. */
import { type Block, blocksOf, typedIn } from '../pages.ts';
import type { Run } from './run.ts';

/** The command lines of "A first installation", in order, and its shop.yaml. */
export function firstInstallation(): { lines: string[]; shop: string } {
  const blocks = blocksOf('README.md');
  const shopBlock = blocks.find(({ lines }) => lines[0] === '# shop.yaml');
  const start = blocks.findIndex(({ lines }) => lines[0]?.startsWith('stellarctl doctor --pre'));
  if (shopBlock === undefined || start === -1) throw new Error('README has no first installation');
  return { lines: printedIn(blocks.slice(start)), shop: `${shopBlock.lines.join('\n')}\n` };
}

/** The command lines of blocks, in order, without their comments. */
export const printedIn = (blocks: readonly Block[]) =>
  blocks
    .filter(({ notRun }) => notRun === undefined)
    .flatMap(typedIn)
    .map(({ text }) => text.replace(/\s+#.*$/, ''));

/** Types a line as printed, with what has to differ. */
export const typePrinted = (line: string, run: Run) =>
  run.shell.type(`${line}${additions(line, run)}`);

/**
 * What is added to a line: the answer to a question, and without public registries the image of nodes, because kind's
 * own is on Docker Hub by its digest, and the chart of the ingress, whose contents `init` compares with those of the published one.
 */
function additions(line: string, { engine: { local } }: Run) {
  if (/^stellarctl (?:deregister|wec delete) /.test(line)) return ' --yes';
  if (!local) return '';
  const image = ` --image ${local.nodeImage}`;
  if (line.startsWith('stellarctl init ')) return `${image} --ingress ${local.ingressChart}`;
  return /^kind create cluster |^stellarctl wec create /.test(line) ? image : '';
}
