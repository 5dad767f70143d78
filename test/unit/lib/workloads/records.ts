import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { LabelSelector } from '../../../../src/lib/kube/client/objects.ts';
import type {
  Candidate,
  DownsyncClause,
  Modulation,
} from '../../../../src/lib/ocm/model/kubestellar-names.ts';
import type { Labels } from '../../../../src/lib/workloads/selection/label-selectors.ts';

interface Case {
  clusterSelectors: LabelSelector[];
  downsync: DownsyncClause[];
  destinations: string[] | null;
  objects: Record<string, Modulation> | null;
}

interface Recorded {
  managedClusters: Record<string, Labels>;
  objects: Record<string, Record<string, string>>;
  /** What a case leaves out. */
  usual: Case;
  cases: Record<string, Case>;
}

/** The recorded results of KubeStellar's controllers: fixtures/README.md. */
export const recorded = JSON.parse(
  readFileSync(path.join(import.meta.dirname, 'fixtures', 'selectors.json'), 'utf8'),
) as Recorded;
for (const [name, own] of Object.entries(recorded.cases))
  recorded.cases[name] = { ...recorded.usual, ...own };

/** An object by its name in the records: `configmaps sel-a/a1`. */
export function candidate(text: string, labels: Record<string, string> = {}): Candidate {
  const [kind = '', ref = ''] = text.split(' ');
  const [resource = '', ...group] = kind.split('.');
  const [namespace, name] = ref.includes('/') ? ref.split('/') : [undefined, ref];
  const metadata = {
    name: name as string,
    labels,
    ...(namespace === undefined ? {} : { namespace }),
  };
  return { group: group.join('.'), version: 'v1', resource, kind: resource, metadata };
}

export const nameOf = ({ group, resource, metadata: { namespace, name } }: Candidate) =>
  `${resource}${group && `.${group}`} ${namespace === undefined ? '' : `${namespace}/`}${name}`;

export const objects = Object.entries(recorded.objects).map(([name, labels]) =>
  candidate(name, labels),
);

export const namespaces = new Map(
  objects
    .filter(({ resource }) => resource === 'namespaces')
    .map(({ metadata }): [string, Labels] => [metadata.name, metadata.labels ?? {}]),
);
