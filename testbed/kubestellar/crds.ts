import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { publishedModules } from '../charts/published.ts';
import type { AnyObject } from '../kube/objects.ts';

/** The kinds that KubeStellar's controller-manager defines in a WDS, out of its Go module. */
export async function wdsCrds(): Promise<AnyObject[]> {
  const { kubestellar } = await publishedModules();
  const text = await readFile(join(kubestellar, 'pkg', 'crd', 'files', 'crds.yaml'), 'utf8');
  return parseAllDocuments(text).map((document) => document.toJS() as AnyObject);
}
