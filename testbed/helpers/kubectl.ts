import { execFile } from 'node:child_process';
import { readFile, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parse, stringify } from 'yaml';
import { readCurrentContext } from '../kube/kubeconfig.ts';
import { buildPrograms } from '../programs/build.ts';

/** Makes a link to the real kubectl. */
export const linkKubectl = async (link: string): Promise<void> =>
  symlink(await kubectlProgram(), link);

/** It is kubectl if that is the name by which it is called. */
const kubectlProgram = async () => join(await buildPrograms(() => {}), 'ocm');

/**
 * Runs the real kubectl with these words, `--context CONTEXT` first. A name of KubeFlex's domain, which nothing may resolve here, leads to
 * this machine.
 * @param kubeconfig a path
 * @returns its output
 */
export async function runKubectl(
  kubeconfig: string,
  words: readonly string[],
  input = '',
): Promise<string> {
  const chosen = {
    ...(parse(await readFile(kubeconfig, 'utf8')) as object),
    'current-context': words[1],
  };
  const { hostname, port } = new URL(readCurrentContext(stringify(chosen)).connection.server);
  const isOfKubeFlex = hostname.endsWith('.localtest.me');
  const there = isOfKubeFlex
    ? [`--server=https://127.0.0.1:${port}`, `--tls-server-name=${hostname}`]
    : [];
  const program = await kubectlProgram();
  const all = [program, '--kubeconfig', kubeconfig, ...words, ...there];
  const running = promisify(execFile)('bash', ['-c', 'exec -a kubectl "$0" "$@"', ...all]);
  running.child.stdin?.end(input);
  return (await running).stdout;
}
