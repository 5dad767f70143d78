/**
 * A stand-in for `kubectl --context CONTEXT apply -f -` in scripts: the real one cannot reach a control plane whose name does not
 * resolve.
 */
import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import { kubectlApply } from '../../../testbed/index.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { context: { type: 'string' }, filename: { type: 'string', short: 'f' } },
});
const { context = '', filename = '' } = values;
if (positionals.join(' ') !== 'apply' || context === '' || filename === '') {
  console.error(`this kubectl knows only: --context CONTEXT apply -f FILE; not: ${process.argv.slice(2).join(' ')}`);
  process.exit(1);
}
const objects = filename === '-' ? await text(process.stdin) : await readFile(filename, 'utf8');
for (const line of await kubectlApply(await readFile(process.env.KUBECONFIG ?? '', 'utf8'), context, objects))
  console.log(line);
process.exit();
