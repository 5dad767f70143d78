import { join } from 'node:path';

/** Where a bed keeps a control plane that runs in a pod of another one: the beginning of its folders, and the bed's own way in. */
export function nestedFiles(bedDir: string, hosting: string, name: string): { dir: string; kubeconfig: string } {
  // Short: the path of a socket may have 107 characters.
  const dir = join(bedDir, 'nested', `${hosting}.${name}`);
  return { dir, kubeconfig: `${dir}.kubeconfig` };
}
