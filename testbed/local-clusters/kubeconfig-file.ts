import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { parse, stringify } from 'yaml';
import { type Entry, kubeconfigOf } from '../kube/kubeconfig.ts';
import type { Call } from './protocol.ts';

type Kind = 'clusters' | 'contexts' | 'users';

type Config = { [kind in Kind]?: { name: string }[] } & { 'current-context'?: string };

const kinds: Kind[] = ['clusters', 'contexts', 'users'];

/** The file that a program writes to: the given one, else the first of KUBECONFIG, else that of HOME. */
export function kubeconfigFileOf({ cwd, env }: Call, told?: string): string {
  const file =
    told || env.KUBECONFIG?.split(':').find((path) => path !== '') || `${env.HOME}/.kube/config`;
  return resolve(cwd, file);
}

/** Writes a context with its cluster and user into a file, replacing those of the same names. */
export async function addEntry(
  file: string,
  entry: Entry,
  { isCurrent }: { isCurrent: boolean },
): Promise<void> {
  const added = parse(kubeconfigOf([entry])) as Config;
  await edit(file, (config) => {
    for (const kind of kinds) {
      const others = (config[kind] ?? []).filter(({ name }) => name !== added[kind]?.[0]?.name);
      config[kind] = [...others, ...(added[kind] ?? [])];
    }
    if (isCurrent || !config['current-context']) config['current-context'] = entry.context;
  });
}

/** Removes them. */
export async function removeEntry(
  file: string,
  { context, cluster, user }: Omit<Entry, 'connection'>,
): Promise<void> {
  await edit(file, (config) => {
    const names = { contexts: context, clusters: cluster, users: user };
    for (const kind of kinds)
      config[kind] = (config[kind] ?? []).filter(({ name }) => name !== names[kind]);
    if (config['current-context'] === context) config['current-context'] = '';
  });
}

async function edit(file: string, change: (config: Config) => void): Promise<void> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  const config = (parse(text) ?? { apiVersion: 'v1', kind: 'Config' }) as Config;
  change(config);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(`${file}.new`, stringify(config), { mode: 0o600 });
  await rename(`${file}.new`, file);
}
