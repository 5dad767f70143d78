import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parse, stringify } from 'yaml';
import { readCurrentContext } from '../kube/kubeconfig.ts';
import { buildPrograms } from '../programs/build.ts';

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
  const program = join(await buildPrograms(() => {}), 'ocm');
  const all = [program, '--kubeconfig', kubeconfig, ...words, ...there];
  const running = promisify(execFile)('bash', ['-c', 'exec -a kubectl "$0" "$@"', ...all]);
  running.child.stdin?.end(input);
  return (await running).stdout;
}
