import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { AnyObject } from '../kube/objects.ts';
import { customResourceDefinitions } from '../kube/resources.ts';
import { requiredFolder } from '../plane/go-module.ts';
import { remembered } from '../plane/remembered.ts';

/** A kind that a CRD defines. */
interface Definition {
  group: string;
  /** Served versions, the stored one first. */
  versions: string[];
  kind: string;
  scope?: 'Cluster' | 'Namespaced';
  shortNames?: string[];
  spec?: object;
}

const anything = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };

/** A CRD whose fields are preserved unvalidated, if no schema of its spec is given. */
export function crd({
  group,
  versions,
  kind,
  scope = 'Namespaced',
  shortNames = [],
  spec = anything,
}: Definition): AnyObject {
  const singular = kind.toLowerCase();
  const plural = `${singular.replace(/y$/, 'ie').replace(/s$/, 'se')}s`;
  const properties = { spec, status: anything };
  return {
    apiVersion: customResourceDefinitions.apiVersion,
    kind: customResourceDefinitions.kind,
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope,
      names: { kind, listKind: `${kind}List`, plural, singular, shortNames },
      versions: versions.map((name, index) => ({
        name,
        served: true,
        storage: index === 0,
        schema: { openAPIV3Schema: { type: 'object', properties } },
        subresources: { status: {} },
      })),
    },
  };
}

const folderOf = remembered((module) =>
  requiredFolder(join(import.meta.dirname, '..', 'programs'), module),
);

/** The folder of OCM's Go module. */
export const moduleFolder = (): Promise<string> => folderOf('open-cluster-management.io/ocm');

/** The kinds of a hub, out of OCM's Go module. */
export const hubCrds = (): Promise<AnyObject[]> => definitionsIn(join('cluster-manager', 'hub'));

/** The kinds that the klusterlet's operator defines on a managed cluster, likewise. */
export const managedCrds = (): Promise<AnyObject[]> => definitionsIn(join('klusterlet', 'managed'));

const definitionsIn = remembered(async (folder) => {
  const dir = join(await moduleFolder(), 'manifests', folder);
  const files = (await readdir(dir)).filter((name) => /^0000.*\.crd\.yaml$/.test(name));
  return Promise.all(
    files.map(async (name) => parse(await readFile(join(dir, name), 'utf8')) as AnyObject),
  );
});
