/** The real kubectl in scripts, where the name of a control plane may not resolve. */
import { text } from 'node:stream/consumers';
import { runKubectl } from '../../../testbed/index.ts';

const words = process.argv.slice(2);
const input = words.includes('-') ? await text(process.stdin) : '';
process.stdout.write(await runKubectl(process.env.KUBECONFIG ?? '', words, input));
