/** Kubeconfigs with any clusters, users and contexts, as they are written and as they are read. */
import { mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { stringify } from 'yaml';
import type { Kubeconfig } from '../../../src/lib/kube/kubeconfig/kubeconfig.ts';
import { newPath } from './folder.ts';

/** Writes a file in its own folder, old enough that no one can still be writing it. */
export function write(content: string | object) {
  const folder = newPath();
  mkdirSync(folder);
  const file = path.join(folder, 'config');
  writeFileSync(file, typeof content === 'string' ? content : stringify(content));
  utimesSync(file, new Date(), new Date(Date.now() - 60_000));
  return file;
}

export interface Content {
  clusters: Record<string, object>;
  users: Record<string, object>;
  contexts: Record<string, object>;
  current?: string | undefined;
}
export const toFile = ({ clusters, users, contexts, current }: Content): object => ({
  apiVersion: 'v1',
  kind: 'Config',
  clusters: Object.entries(clusters).map(([name, cluster]) => ({ name, cluster })),
  users: Object.entries(users).map(([name, user]) => ({ name, user })),
  contexts: Object.entries(contexts).map(([name, context]) => ({ name, context })),
  ...(current === undefined ? {} : { 'current-context': current }),
});
export const simple = (server: string, rest: Partial<Content> = {}): Content => ({
  clusters: { c: { server } },
  users: { u: { token: server } },
  contexts: { x: { cluster: 'c', user: 'u' } },
  ...rest,
});

const name = fc.constantFrom('a', 'b', 'c', 'd');
const plainObjects = { noNullPrototype: true } as const;
export const content: fc.Arbitrary<Content> = fc.record({
  clusters: fc.dictionary(
    name,
    fc.record(
      { server: fc.constantFrom('https://one', 'https://two', 'https://three') },
      plainObjects,
    ),
  ),
  users: fc.dictionary(name, fc.record({ token: fc.constantFrom('t1', 't2', 't3') }, plainObjects)),
  contexts: fc.dictionary(
    name,
    fc.record({ cluster: name, user: name, namespace: fc.constantFrom('n1', 'n2') }, plainObjects),
  ),
  current: fc.option(fc.oneof(name, fc.constant('')), { nil: undefined }),
});
export const plain = (config: Kubeconfig) => ({
  clusters: Object.fromEntries(config.clusters),
  users: Object.fromEntries(config.users),
  contexts: Object.fromEntries(config.contexts),
  current: config.currentContext,
});
