import { join } from 'node:path';

/** The files of a control plane in a pod of another plane: the prefix of its folders, and the bed's own kubeconfig for it. */
export function nestedFiles(bedDir: string, hosting: string, name: string): { dir: string; kubeconfig: string } {
  // Short: the path of a Unix socket has at most 107 characters.
  const dir = join(bedDir, 'nested', `${hosting}.${name}`);
  return { dir, kubeconfig: `${dir}.kubeconfig` };
}
