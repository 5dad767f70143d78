/** Processes of their own that change kubeconfigs. */
import { spawn } from 'node:child_process';

const library = new URL('../../../src/lib/', import.meta.url);
/** What their scripts use. */
export const imports = `import { setContext } from '${library}kube/kubeconfig/contexts.ts';
  import { editKubeconfig } from '${library}kube/kubeconfig/edit.ts';
  import { Deadline } from '${library}core/deadline.ts';
  import { stepLines } from '${library}core/next-step.ts';`;

/** Starts one that runs this, with `setContext`, `editKubeconfig` and `waiting`. */
export const startWriter = (script: string) =>
  spawn(
    process.execPath,
    [
      '--input-type=module',
      '-e',
      `${imports}
      const waiting = { deadline: new Deadline(150_000), signal: new AbortController().signal };
      ${script}`,
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );

/** Starts one that adds contexts with this prefix, one after the other. */
export const addContexts = (where: string, prefix: string, amount: number) =>
  startWriter(`for (let i = 0; i < ${amount}; i++) {
    const name = '${prefix}' + i;
    const wanted = { context: name, cluster: { name, entry: { server: 'https://' + name } }, user: { name, entry: { token: 't' } } };
    await setContext({ env: { KUBECONFIG: ${JSON.stringify(where)} } }, wanted, waiting);
  }`);

/** The names of these contexts. */
export const addedContexts = (prefix: string, amount: number) =>
  Array.from({ length: amount }, (_, index) => `${prefix}${index}`);
