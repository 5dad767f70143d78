/** The commands of README's first installation, and what has to differ where no public registry is reached. */
import { blocksOf, typedIn } from '../pages.ts';
import type { Run } from './run.ts';

/** The command lines of "A first installation", in order, and its shop.yaml. */
export function firstInstallation(): { lines: string[]; shop: string } {
  const blocks = blocksOf('README.md');
  const shopBlock = blocks.find(({ lines }) => lines[0] === '# shop.yaml');
  const start = blocks.findIndex(({ lines }) => lines[0]?.startsWith('stellarctl doctor --pre'));
  if (shopBlock === undefined || start === -1) throw new Error('README has no first installation');
  const typed = blocks.slice(start).filter(({ notRun }) => notRun === undefined);
  const lines = typed
    .flatMap((block) => typedIn(block))
    .map(({ text }) => text.replace(/\s+#.*$/, ''));
  return { lines, shop: `${shopBlock.lines.join('\n')}\n` };
}

/**
 * What is added to a line: the answer to a question, and without public registries the image of nodes, because kind's
 * own is on Docker Hub by its digest, and the chart of the ingress, whose contents `init` compares with those of the published one.
 */
export function additions(line: string, { engine: { local } }: Run): string {
  if (/^stellarctl (?:deregister|wec delete) /.test(line)) return ' --yes';
  if (!local) return '';
  const image = ` --image ${local.nodeImage}`;
  if (line.startsWith('stellarctl init ')) return `${image} --ingress ${local.ingressChart}`;
  return /^kind create cluster |^stellarctl wec create /.test(line) ? image : '';
}
